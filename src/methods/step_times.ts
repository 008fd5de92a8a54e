/**
 * How long each step of a plan takes on a device. A step is run alone, many times in one submission, and the steps follow
 * one another in the plan's order, so that each finds what the steps before it make. What is measured is a step that
 * runs again and again: what it reads may still be in a cache, which it may not be within the plan.
 */
import type { Clock, Stopwatch, TimingOptions } from '../gpu/stopwatch.ts';
import type { Runner } from '../scheduler/runner.ts';
import { openStopwatch } from './occupy.ts';

/** A processor that others use too is free for a few milliseconds at a time. */
const SHARED_PROCESSOR = { tries: 3, sampleMs: 2, patienceMs: 30 };

export interface StepTimesOptions extends TimingOptions {
  readonly clock?: Clock;
  /** Called before each step. */
  readonly progress?: (done: number, total: number) => void;
  /** Called after each step, with its time: for what is measured beside it. */
  readonly beside?: (timeMs: number) => Promise<void>;
}

export interface StepTimes {
  /** Milliseconds of every step, over all passes in their order. */
  readonly steps: readonly number[];
  /** Milliseconds of all passes in one submission, as a run of the plan has them. */
  readonly runMs: number;
}

/** @throws aborted, device-lost */
export async function stepTimes(runner: Runner, { clock, progress, beside, ...timing }: StepTimesOptions = {}): Promise<StepTimes> {
  const count = [...runner.plan.passes.values()].flat().length;
  const { stopwatch, dispose } = await openStopwatch(runner.engine, clock);
  const options = { ...(runner.engine.adapter.software && SHARED_PROCESSOR), ...timing };
  try {
    fillInputs(runner);
    const steps: number[] = [];
    for (let index = 0; index < count; index++) {
      progress?.(index, count + 1);
      const ms = await timeStep(runner, stopwatch, index, options);
      steps.push(ms);
      await beside?.(ms);
    }
    progress?.(count, count + 1);
    const all = steps.map((_, index) => index);
    const runMs = await stopwatch.time((pass, times) => {
      for (let i = 0; i < times; i++) for (const index of all) runner.encodeStep(pass, index, 1);
    }, options);
    progress?.(count + 1, count + 1);
    return { steps, runMs };
  } finally {
    dispose();
  }
}

/**
 * Milliseconds of the steps of these numbers, over all passes in their order; the others run once, so that those find
 * what they read. `done` is called after each.
 * @throws aborted, device-lost
 */
export async function timesOf(
  runner: Runner,
  stopwatch: Stopwatch,
  wanted: ReadonlySet<number>,
  { done, ...timing }: TimingOptions & { readonly done?: () => void } = {},
): Promise<Map<number, number>> {
  const options = { ...(runner.engine.adapter.software && SHARED_PROCESSOR), ...timing };
  fillInputs(runner);
  runner.run([...runner.plan.passes.keys()]);
  const times = new Map<number, number>();
  for (const index of [...wanted].sort((a, b) => a - b)) {
    times.set(index, await timeStep(runner, stopwatch, index, options));
    done?.();
  }
  return times;
}

const timeStep = (runner: Runner, stopwatch: Stopwatch, index: number, timing: TimingOptions): Promise<number> =>
  stopwatch.time((pass, times) => runner.encodeStep(pass, index, times), timing);

/** Something else than zeros in inputs and seed: numbers spread over -0.5 .. 0.5 (multiples of the golden ratio). */
function fillInputs(runner: Runner): void {
  for (const name of runner.plan.named.keys()) {
    const numbers = new Float32Array(runner.tensor(name).shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < numbers.length; i++) numbers[i] = ((i * 0.6180339887498949) % 1) - 0.5;
    runner.write(name, numbers);
  }
}
