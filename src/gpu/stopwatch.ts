/**
 * Times work on a device. The work is encoded so often that it outlasts the clock, and the best of several submissions
 * counts: what disturbs a measurement only ever adds to it. Two clocks: the GPU's own timestamps, and the time on the
 * wall from a submission to its end, less that of an empty one. A software adapter runs its work on the processor that
 * holds the wall clock, and its timestamps tell nothing more. A GPU may slow down when it is idle: it can be given something
 * to do before and between samples.
 */
import { throwIfAborted } from '../errors.ts';
import type { Engine } from './engine.ts';

export type Clock = 'timestamp' | 'wall';

/** Encodes the work `times` times. */
export type Work = (pass: GPUComputePassEncoder, times: number) => void;

export interface TimingOptions {
  /** Submissions that count, at least. */
  readonly tries?: number;
  /** A submission repeats the work until it takes about this long, ms; less where one time takes longer. */
  readonly sampleMs?: number;
  /** More submissions are tried until all took this long together, ms: a busy machine needs them. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Long enough for clocks that count in steps of 0.1 ms, short enough for a desktop to stay alive. */
const SAMPLE_MS = 10;

const MOST_TIMES = 4096;

/** How long a GPU that was idle is kept busy before a sample, ms, and how long it may be idle without that. */
const WARM_UP_MS = 300;
const IDLE_MS = 30;

/** Of work between two samples, ms: the way of a result to the processor and of the next work back. */
const BETWEEN_MS = 1;

/** The better of the device's clocks. */
export function clockOf({ device, adapter }: Pick<Engine, 'device' | 'adapter'>): Clock {
  return device.features.has('timestamp-query') && !adapter.software ? 'timestamp' : 'wall';
}

export class Stopwatch {
  private readonly queries: GPUQuerySet | undefined;
  private readonly stamps: GPUBuffer | undefined;
  private readonly numbers: GPUBuffer | undefined;
  /** Until when the GPU is known to have been busy. */
  private busy = -Infinity;
  /** How often the occupation fits into a millisecond. */
  private perMs = 0;

  private constructor(
    readonly engine: Engine,
    readonly clock: Clock,
    /** From a submission of nothing to its end, ms. */
    readonly submitMs: number,
    private readonly occupation: Work | undefined,
  ) {
    if (clock === 'wall') return;
    this.queries = engine.device.createQuerySet({ label: 'stopwatch', type: 'timestamp', count: 2 });
    this.stamps = engine.createBuffer('stopwatch', 16, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
    this.numbers = engine.createBuffer('stopwatch numbers', 16, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  /** @param occupation what the device does while nothing is timed, so that it keeps its clock; its results are nobody's */
  static async create(engine: Engine, clock: Clock = clockOf(engine), occupation?: Work): Promise<Stopwatch> {
    engine.check();
    let submitMs = Infinity;
    for (let i = 0; i < 20; i++) submitMs = Math.min(submitMs, await wallTime(engine, () => undefined));
    return new Stopwatch(engine, clock, submitMs, occupation);
  }

  /** Milliseconds of the work, once. @throws aborted, device-lost */
  async time(work: Work, { tries = 3, sampleMs = SAMPLE_MS, patienceMs = 0, signal }: TimingOptions = {}): Promise<number> {
    let times = 1;
    let best = Infinity;
    let spent = 0;
    for (let counted = 0; counted < tries || (spent < patienceMs && counted < 100 * tries); ) {
      throwIfAborted(signal);
      const ms = await this.sample((pass) => work(pass, times));
      spent += ms;
      if (ms < sampleMs / 2 && times < MOST_TIMES) {
        times = Math.min(MOST_TIMES, times * Math.max(2, Math.min(16, Math.round(sampleMs / Math.max(ms, 1e-6)))));
        best = Infinity; // short samples are mostly overhead
        counted = 0;
        continue;
      }
      best = Math.min(best, ms / times);
      counted++;
    }
    return best;
  }

  /** Frees the queries. Idempotent. */
  dispose(): void {
    this.queries?.destroy();
    for (const buffer of [this.stamps, this.numbers]) if (buffer) this.engine.destroyBuffer(buffer);
  }

  private async sample(work: (pass: GPUComputePassEncoder) => void): Promise<number> {
    await this.warmUp();
    const { engine, queries, stamps, numbers } = this;
    if (!queries || !stamps || !numbers) {
      const ms = await wallTime(engine, work);
      this.busy = performance.now();
      return Math.max(1e-6, ms - this.submitMs);
    }
    const encoder = engine.device.createCommandEncoder({ label: 'stopwatch' });
    const timestampWrites = { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    const pass = encoder.beginComputePass({ label: 'stopwatch', timestampWrites });
    work(pass);
    pass.end();
    encoder.resolveQuerySet(queries, 0, 2, stamps, 0);
    encoder.copyBufferToBuffer(stamps, 0, numbers, 0, 16);
    engine.submit(encoder.finish());
    const times = engine.map(numbers, 16);
    if (this.occupation) this.occupy(Math.ceil(this.perMs * BETWEEN_MS));
    const [begin = 0n, end = 0n] = new BigUint64Array(await times);
    this.busy = performance.now();
    return Math.max(1e-6, Number(end - begin) / 1e6);
  }

  /** Brings a device that was idle back to the clock of a busy one. */
  private async warmUp(): Promise<void> {
    const { occupation, engine } = this;
    if (!occupation || performance.now() - this.busy < IDLE_MS) return;
    const start = performance.now();
    for (let times = 1, before = start; before - start < WARM_UP_MS; ) {
      this.occupy(times);
      await engine.idle();
      const now = performance.now();
      this.perMs = times / (now - before);
      if (now - before < 10) times *= 2;
      before = now;
    }
    this.busy = performance.now();
  }

  private occupy(times: number): void {
    const encoder = this.engine.device.createCommandEncoder({ label: 'occupation' });
    const pass = encoder.beginComputePass({ label: 'occupation' });
    this.occupation!(pass, times);
    pass.end();
    this.engine.submit(encoder.finish());
  }
}

/** Milliseconds from a submission to its end; encoding is not counted. */
async function wallTime(engine: Engine, work: (pass: GPUComputePassEncoder) => void): Promise<number> {
  const encoder = engine.device.createCommandEncoder({ label: 'stopwatch' });
  const pass = encoder.beginComputePass({ label: 'stopwatch' });
  work(pass);
  pass.end();
  const commands = encoder.finish();
  const start = performance.now();
  engine.submit(commands);
  await engine.idle();
  return performance.now() - start;
}
