/** Progress on stderr: one line that is rewritten on a terminal, a plain line now and then elsewhere. */

/** The parts of a stream that progress needs. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const PLAIN_INTERVAL = 5000; // ms
const LIVE_INTERVAL = 100; // ms
const BAR = 24; // characters

export class Progress {
  private started = 0;
  /** Steps that were done when the clock started: work of an earlier run. */
  private first = 0;
  private shown = -Infinity;
  private label = '';
  private live = false;

  constructor(
    private readonly screen: Screen,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Says that `done` of `total` steps of `label` are done, written as `show` writes them; a new label starts a new clock.
   * @param detail what else there is to say now
   */
  report(label: string, done: number, total: number, show: (count: number) => string = String, detail = ''): void {
    const now = this.now();
    if (label !== this.label) {
      this.clear();
      this.label = label;
      this.started = now;
      this.first = done;
      this.shown = this.screen.isTTY ? -Infinity : now;
    }
    const last = done >= total;
    if (!last && now - this.shown < (this.screen.isTTY ? LIVE_INTERVAL : PLAIN_INTERVAL)) return;
    this.shown = now;
    const elapsed = now - this.started;
    const fresh = done - this.first;
    const ends = last ? `took ${duration(elapsed)}` : fresh > 0 ? `${duration((elapsed / fresh) * (total - done))} left` : '';
    const time = [detail, ends].filter(Boolean).join(', ');
    if (!this.screen.isTTY) {
      this.screen.write(`${label}: ${show(done)} of ${show(total)}${time && `, ${time}`}\n`);
      return;
    }
    const filled = Math.round((BAR * done) / Math.max(total, 1));
    const line = `${label} [${'='.repeat(filled)}${' '.repeat(BAR - filled)}] ${show(done)}/${show(total)} ${time}`;
    this.screen.write(`\r\x1b[K${line.slice(0, (this.screen.columns ?? 80) - 1)}`);
    this.live = true;
    if (last) this.end();
  }

  /** Writes a line above the progress. */
  note(text: string): void {
    this.clear();
    this.screen.write(`${text}\n`);
  }

  /** Wipes an unfinished line, so that what follows starts at the margin. */
  clear(): void {
    if (this.live) this.screen.write('\r\x1b[K');
    this.live = false;
  }

  private end(): void {
    this.screen.write('\n');
    this.live = false;
  }
}

/** Milliseconds as people say them: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
