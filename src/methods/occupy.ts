/**
 * Keeps a GPU busy while its results are waited for: one that is idle may lower its clock, and a measurement that pauses
 * would measure the pauses. Seen once on an H100: short samples with waits between ran arithmetic at a fifth of its speed,
 * memory as fast as ever; warmed up and kept busy it ran at full speed. That the clock was the cause is inferred.
 */
import { CEILING_FMA_INPUT, ceilingFma } from '../../shaders/ceiling_fma.wgsl.ts';
import { WORKGROUP } from '../../shaders/prelude.wgsl.ts';
import type { Engine } from '../gpu/engine.ts';
import { Stopwatch, type Clock, type Work } from '../gpu/stopwatch.ts';

/** Workgroups of one dispatch: a fraction of a millisecond on a fast GPU, ten on a slow one. */
const GROUPS = 4096;
const KERNEL = { chains: 4, rounds: 128 };

/** Multiply-adds that go nowhere. */
export class Occupation {
  private constructor(
    private readonly engine: Engine,
    private readonly buffers: readonly GPUBuffer[],
    readonly work: Work,
  ) {}

  static async create(engine: Engine): Promise<Occupation> {
    const { pipeline, layout } = await engine.pipelines.compile('occupation', ceilingFma(KERNEL));
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffers = [CEILING_FMA_INPUT.byteLength, GROUPS * WORKGROUP * 4].map((bytes, i) => engine.createBuffer(`occupation ${i}`, bytes, usage));
    engine.device.queue.writeBuffer(buffers[0]!, 0, CEILING_FMA_INPUT);
    const bindGroup = engine.device.createBindGroup({ layout, entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });
    return new Occupation(engine, buffers, (pass, times) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      for (let i = 0; i < times; i++) pass.dispatchWorkgroups(GROUPS);
    });
  }

  /** Idempotent. */
  dispose(): void {
    for (const buffer of this.buffers) this.engine.destroyBuffer(buffer);
  }
}

/** A stopwatch for this device, which on a GPU stays busy between samples. */
export async function openStopwatch(engine: Engine, clock?: Clock): Promise<{ readonly stopwatch: Stopwatch; dispose(): void }> {
  const occupation = engine.adapter.software ? undefined : await Occupation.create(engine);
  const stopwatch = await Stopwatch.create(engine, clock, occupation?.work);
  return {
    stopwatch,
    dispose: () => {
      stopwatch.dispose();
      occupation?.dispose();
    },
  };
}
