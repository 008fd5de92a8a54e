/** Times one contender at one work: the first run, then samples; a result is compared before any time is taken. */
import type { Contender, Running, Work } from './contender.ts';
import { TOLERANCE, type ContenderName, type Timing } from './record.ts';
import { planSamples, relativeError } from './statistics.ts';

/** A contender that is not through with one stage (the first run, one sample) after this time, ms, is given up. */
const PATIENCE = 300_000;

/** @throws Error when the promise takes longer than `ms` */
function within<T>(promise: Promise<T>, ms = PATIENCE): Promise<T> {
  let timer = 0;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms / 1000} s`)), ms) as unknown as number;
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** What one contender did. */
export interface Measured {
  readonly timing: Timing;
  readonly result?: Float32Array;
  readonly flops?: number;
}

async function timed(action: () => void | Promise<void>): Promise<number> {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
}

/** How one contender is sampled. */
export interface Sampling {
  readonly samples: number;
  /** How long the work runs before the first sample, ms. */
  readonly warmUpMs: number;
}

/** A GPU that has been idle takes a good part of a second to reach its clock; a processor that plays one does not. */
export const samplingOf = (samples: number, software: boolean): Sampling => ({ samples, warmUpMs: software ? 0 : 800 });

/** Warm-up, then samples: each queues `repeat` runs and waits until the GPU is done. */
async function sample(running: Running, { samples: wanted, warmUpMs }: Sampling): Promise<{ samples: number[]; repeat: number }> {
  const runs = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await running.run();
    await running.done();
  };
  const batch = (count: number) => timed(() => within(runs(count)));
  const begin = performance.now();
  const first = await batch(1);
  const single = wanted > 1 && first < 1000 ? await batch(1) : first;
  const { count, repeat } = planSamples(single, wanted);
  while (performance.now() - begin < warmUpMs) await batch(repeat);
  const samples: number[] = [];
  for (let i = 0; i < count; i++) samples.push((await batch(repeat)) / repeat);
  return { samples, repeat };
}

/** First run, comparison with a reference where there is one, samples. */
export async function measure(contender: Contender, work: Work, sampling: Sampling, reference?: Float32Array): Promise<Measured> {
  const { name } = contender;
  const start = await within(contender.prepare(work));
  let running: Running | undefined;
  try {
    const first = await timed(async () => {
      running = await within(start());
      await within(running.done());
    });
    const { note, compiled, flops = 0, steps = 1 } = running!;
    const result = await within(running!.result());
    const error = reference && relativeError(result, reference);
    const base = { contender: name, first, ...(compiled && { kernels: compiled.kernels, ...(compiled.time !== undefined && { compile: compiled.time }) }), ...(note && { note }), ...(error !== undefined && { error }) };
    if (!result.every(Number.isFinite)) return { timing: { ...base, samples: [], repeat: 1, fault: 'WRONG: the result is not finite' } };
    if (error !== undefined && !(error <= TOLERANCE)) {
      return { timing: { ...base, samples: [], repeat: 1, fault: `WRONG: disagrees with ours by ${error.toExponential(1)}` } };
    }
    const { samples, repeat } = await sample(running!, sampling);
    await within(running!.check?.() ?? Promise.resolve());
    return { timing: { ...base, samples: samples.map((ms) => ms / steps), repeat: repeat * steps }, result, flops };
  } finally {
    await within(Promise.resolve(running?.dispose()), 10_000).catch(() => undefined);
  }
}

/** A fault is a result too. */
export async function attempt(name: ContenderName, action: () => Promise<Measured>): Promise<Measured> {
  try {
    return await action();
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { timing: { contender: name, samples: [], repeat: 1, fault: fault.replaceAll(/\s+/g, ' ').slice(0, 300) } };
  }
}
