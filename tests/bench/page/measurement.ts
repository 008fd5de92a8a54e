/** One row: ours first, then every peer; results are compared before any time is taken. */
import type { Contender, Running, Work } from '../contender.ts';
import { ort, wasm } from '../peers/ort.ts';
import { unitscope } from '../peers/unitscope.ts';
import { TOLERANCE, type ContenderName, type PeerName, type RowRecord, type Timing } from '../record.ts';
import type { Row } from '../row.ts';
import { planSamples, relativeError } from '../statistics.ts';

/** A contender that is not through with one stage (the first run, one sample) after this time, ms, is given up. */
const PATIENCE = 300_000;

const peers: Readonly<Record<PeerName, () => Promise<Contender>>> = {
  ort: () => Promise.resolve(ort),
  wasm: () => Promise.resolve(wasm),
  // Loaded when they are asked for: they take a device as soon as they start.
  tfjs: async () => (await import('../peers/tfjs.ts')).tfjs,
  jax: async () => (await import('../peers/jax.ts')).jax,
};

/** @throws Error when the promise takes longer than `ms` */
function within<T>(promise: Promise<T>, ms = PATIENCE): Promise<T> {
  let timer = 0;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms / 1000} s`)), ms) as unknown as number;
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

interface Measured {
  readonly timing: Timing;
  readonly result?: Float32Array;
  readonly flops?: number;
}

async function timed(action: () => void | Promise<void>): Promise<number> {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
}

/** Warm-up, then samples: each queues `repeat` runs and waits until the GPU is done. */
async function sample(running: Running, wanted: number): Promise<{ samples: number[]; repeat: number }> {
  const runs = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await running.run();
    await running.done();
  };
  const batch = (count: number) => timed(() => within(runs(count)));
  const first = await batch(1);
  const single = wanted > 1 && first < 1000 ? await batch(1) : first;
  const { count, repeat } = planSamples(single, wanted);
  const samples: number[] = [];
  for (let i = 0; i < count; i++) samples.push((await batch(repeat)) / repeat);
  return { samples, repeat };
}

async function measure(contender: Contender, work: Work, wanted: number, reference?: Float32Array): Promise<Measured> {
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
    const base = { contender: name, first, ...(compiled && { kernels: compiled.kernels, compile: compiled.time }), ...(note && { note }), ...(error !== undefined && { error }) };
    if (!result.every(Number.isFinite)) return { timing: { ...base, samples: [], repeat: 1, fault: 'WRONG: the result is not finite' } };
    if (error !== undefined && !(error <= TOLERANCE)) {
      return { timing: { ...base, samples: [], repeat: 1, fault: `WRONG: disagrees with ours by ${error.toExponential(1)}` } };
    }
    const { samples, repeat } = await sample(running!, wanted);
    return { timing: { ...base, samples: samples.map((ms) => ms / steps), repeat: repeat * steps }, result, flops };
  } finally {
    await within(Promise.resolve(running?.dispose()), 10_000).catch(() => undefined);
  }
}

async function attempt(name: ContenderName, action: () => Promise<Measured>): Promise<Measured> {
  try {
    return await action();
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { timing: { contender: name, samples: [], repeat: 1, fault: fault.replaceAll(/\s+/g, ' ').slice(0, 300) } };
  }
}

export async function measureRow(
  row: Row,
  work: Work,
  options: { readonly peers: readonly PeerName[]; readonly samples: number; readonly say: (what: string) => void },
): Promise<RowRecord> {
  options.say(`${row.title}: unitscope`);
  const own = await attempt('unitscope', () => measure(unitscope, work, options.samples));
  const timings = [own.timing];
  for (const name of row.kind === 'maximize step' ? [] : options.peers) {
    options.say(`${row.title}: ${name}`);
    const other = own.result
      ? await attempt(name, async () => measure(await peers[name](), work, options.samples, own.result))
      : { timing: { contender: name, samples: [], repeat: 1, fault: 'nothing to compare with' } };
    timings.push(other.timing);
  }
  return { title: row.title, kind: row.kind, batch: row.batch, ...(row.size && { size: row.size }), flops: own.flops ?? 0, timings };
}
