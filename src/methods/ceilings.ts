/** Measures what a device can do at most: multiply-adds, memory, starting work. Limits of kernels are counted in these. */
import { CEILING_FMA_INPUT, ceilingFma, ceilingFmaFlops } from '../../shaders/ceiling_fma.wgsl.ts';
import { ceilingCopy, ceilingCopyBytes, type CeilingCopyParameters } from '../../shaders/ceiling_copy.wgsl.ts';
import { MAX_GROUPS, WORKGROUP } from '../../shaders/prelude.wgsl.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Stopwatch, TimingOptions } from '../gpu/stopwatch.ts';
import type { Ceilings } from '../scheduler/cost.ts';
import { openStopwatch } from './occupy.ts';

/** Fewer chains wait for each other, more spill their registers; which number is best depends on the device. */
const CHAINS = [1, 2, 3, 4, 8];

/** Turns of the loop: enough that the start of an invocation does not count. */
const ROUNDS = 128;

/** Workgroups that fill any device, and a software adapter without keeping it for long. */
const GROUPS = { software: 16, hardware: 8192 };

/** Workgroups along x where there are too many for one axis. */
const FOLD = 2 ** 15;

/** Of a copy, from and to; past the caches of a GPU. A software adapter is far slower than memory. */
const BYTES = { software: 2 * 2 ** 20, hardware: 128 * 2 ** 20 };

/** Small enough for a first-level cache of some device to hold: what is left is the cost of an access. */
const CACHED_BYTES = 2 ** 18;

/** A processor that others use too is free for a few milliseconds at a time: many short samples, the best counts. */
const TIMING = { software: { tries: 9, sampleMs: 2, patienceMs: 150 }, hardware: { tries: 5 } };

const SUSTAINED_MS = 50;

type Way = Omit<CeilingCopyParameters, 'count'>;
const WIDE: readonly Way[] = [
  { type: 'vec4f', each: 1, sum: false },
  { type: 'vec4f', each: 4, sum: false },
  { type: 'vec4f', each: 8, sum: false },
  { type: 'vec4f', each: 8, sum: true },
  { type: 'vec4f', each: 16, sum: true },
];
const NARROW: readonly Way[] = [
  { type: 'f32', each: 1, sum: false },
  { type: 'f32', each: 4, sum: false },
  { type: 'f32', each: 8, sum: false },
];

/**
 * Best of several tries of several variants each: a few seconds.
 * @throws device-lost, out-of-memory, aborted
 */
export async function measureCeilings(engine: Engine, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Ceilings> {
  const gauge = await Gauge.open(engine, signal);
  try {
    return await gauge.ceilings();
  } finally {
    gauge.close();
  }
}

/** The kernels of the ceilings on a device, ready to run. */
export class Gauge {
  private readonly buffers: GPUBuffer[];
  private readonly timing: TimingOptions;
  private readonly device: 'software' | 'hardware';
  private best = { chains: CHAINS[0]!, perSecond: 0 };

  private constructor(
    private readonly engine: Engine,
    private readonly watch: { readonly stopwatch: Stopwatch; dispose(): void },
    signal: AbortSignal | undefined,
  ) {
    this.device = engine.adapter.software ? 'software' : 'hardware';
    const bytes = BYTES[this.device];
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    this.buffers = ['x', 'y'].map((name) => engine.createBuffer(`ceiling ${name}`, bytes, usage));
    engine.device.queue.writeBuffer(this.buffers[0]!, 0, CEILING_FMA_INPUT);
    this.timing = { ...TIMING[this.device], signal };
  }

  static async open(engine: Engine, signal: AbortSignal | undefined): Promise<Gauge> {
    return new Gauge(engine, await openStopwatch(engine), signal);
  }

  close(): void {
    this.watch.dispose();
    for (const buffer of this.buffers) this.engine.destroyBuffer(buffer);
  }

  async ceilings(): Promise<Ceilings> {
    for (const chains of CHAINS) {
      const perSecond = await this.multiplyAdds(chains);
      if (perSecond > this.best.perSecond) this.best = { chains, perSecond };
    }
    return {
      flopsPerSecond: this.best.perSecond,
      bytesPerSecond: await this.copies(WIDE),
      wordBytesPerSecond: await this.copies(NARROW, CACHED_BYTES),
      sustained: await this.sustained(SUSTAINED_MS, 2),
      halfInvocations: await this.halfInvocations(),
      dispatchMs: await this.emptyDispatch(),
      submitMs: this.watch.stopwatch.submitMs,
    };
  }

  /** The share of the arithmetic that work of about so many ms gets at this moment; once the ceilings are known. */
  async sustained(ms: number, tries = 1): Promise<number> {
    const perSecond = await this.multiplyAdds(this.best.chains, { tries, sampleMs: ms, patienceMs: 0 });
    return Math.min(1, perSecond / this.best.perSecond);
  }

  /** The number of invocations, doubled from one workgroup, that reaches half of the ceiling. */
  private async halfInvocations(): Promise<number> {
    const { chains, perSecond } = this.best;
    for (let groups = 1; groups < GROUPS.hardware; groups *= 2) {
      if ((await this.multiplyAdds(chains, {}, groups)) > perSecond / 2) return groups * WORKGROUP;
    }
    return GROUPS.hardware * WORKGROUP;
  }

  /** Bytes per second of the best of several ways to copy. */
  private async copies(ways: readonly Way[], bytes = BYTES[this.device]): Promise<number> {
    let best = 0;
    for (const way of ways) {
      const kernel = { ...way, count: bytes / (way.type === 'vec4f' ? 16 : 4) };
      const groups = kernel.count / way.each / WORKGROUP;
      const rows = groups > MAX_GROUPS ? groups / FOLD : 1; // all counts are powers of two
      const ms = await this.time(ceilingCopy(kernel), [groups / rows, rows], bytes);
      best = Math.max(best, ceilingCopyBytes(kernel) / (ms / 1e3));
    }
    return best;
  }

  /** A dispatch of one workgroup that copies next to nothing. */
  private emptyDispatch(): Promise<number> {
    return this.time(ceilingCopy({ type: 'f32', count: WORKGROUP, each: 1, sum: false }), [1, 1], 4 * WORKGROUP);
  }

  /** Operations per second of a number of chains. */
  private async multiplyAdds(chains: number, timing: TimingOptions = {}, groups = GROUPS[this.device]): Promise<number> {
    const kernel = { chains, rounds: ROUNDS };
    const ms = await this.time(ceilingFma(kernel), [groups, 1], Math.max(16, groups * WORKGROUP * 4), timing);
    return (groups * WORKGROUP * ceilingFmaFlops(kernel)) / (ms / 1e3);
  }

  /** Milliseconds of one dispatch of a kernel from x to y, of which it sees the first `bytes`. */
  private async time(code: string, [across, down]: readonly [number, number], bytes: number, timing: TimingOptions = {}): Promise<number> {
    const label = 'ceiling';
    const { pipeline, layout, bindings } = await this.engine.pipelines.compile(label, code);
    const entries = bindings.map(({ index, name }) => ({
      binding: index,
      resource: { buffer: this.buffers[name === 'x' ? 0 : 1]!, size: bytes },
    }));
    const bindGroup = this.engine.device.createBindGroup({ label, layout, entries });
    return this.watch.stopwatch.time((pass, times) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      for (let i = 0; i < times; i++) pass.dispatchWorkgroups(across, down);
    }, { ...this.timing, ...timing });
  }
}
