/** After a lost device: once by itself, then on request, for a page that loses it again and again gets none any more. */
import { deviceLoss, type Engine } from '../src/index.ts';

let restarts = 1;
/** A device that is lost this soon after it was opened may not bear canvases: the next one goes without. */
const YOUNG_MS = 3000;

export interface Recovery {
  /** The device had hardly been opened. */
  young(): void;
  reopen(): Promise<void>;
  fail(loss: Error): void;
}

export function watchEngine(engine: Engine, recovery: Recovery): void {
  const opened = performance.now();
  void deviceLoss(engine).then((loss) => {
    if (performance.now() - opened < YOUNG_MS) recovery.young();
    if (restarts-- > 0) void recovery.reopen();
    else recovery.fail(loss);
  });
}
