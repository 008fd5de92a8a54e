/** Long computations on the processor, in slices: a page stays alive meanwhile, and a command can be stopped. */
import type { Computation, Step } from '../analysis/points.ts';
import { throwIfAborted } from '../errors.ts';

/** Time from one pause to the next, ms: a step that takes longer makes it longer. */
const SLICE_MS = 20;

/** Says now and then how far the computation is, and lets others have their turn. Returns its result. @throws aborted, and what it throws */
export async function* inSlices<T>(computation: Computation<T>, signal?: AbortSignal): AsyncGenerator<Step, T, void> {
  let began = performance.now();
  for (;;) {
    const next = computation.next();
    if (next.done) return next.value;
    if (performance.now() - began < SLICE_MS) continue;
    yield next.value;
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfAborted(signal);
    began = performance.now();
  }
}

/** The result of a computation that runs in slices. */
export async function computed<T>(computation: Computation<T>, { signal, progress }: { readonly signal?: AbortSignal | undefined; readonly progress?: ((step: Step) => void) | undefined } = {}): Promise<T> {
  const slices = inSlices(computation, signal);
  for (;;) {
    const next = await slices.next();
    if (next.done) return next.value;
    progress?.(next.value);
  }
}
