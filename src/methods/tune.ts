/** Measures the layers of a network under every kernel that can do them, and says which to take on this adapter. */
import type { Engine } from '../gpu/engine.ts';
import type { MeasuredShape } from '../gpu/kernel_store.ts';
import type { Network } from '../network/network.ts';
import { compile, type CompileOptions } from '../scheduler/compile.ts';
import { kernelTimes, type KernelTimesOptions, type ShapeTimes } from './kernel_times.ts';

/** A kernel that is faster than the model's by less than this is not known to be faster. */
const NOISE = 1.1;

/** Timestamps of browsers count in steps of 0.1 ms. */
const SAMPLE_MS = 4;

/** What disturbs one round spares the next. */
const ROUNDS = 2;

export interface TuneOptions extends Partial<Pick<CompileOptions, 'layers' | 'backward' | 'batch'>>, Pick<KernelTimesOptions, 'signal' | 'progress'> {}

/** A shape of the network's layers. */
export interface TunedShape extends MeasuredShape {
  readonly key: string;
  /** The first layer of that shape, and its pass. */
  readonly label: string;
  /** What the cost model takes. */
  readonly model: string;
}

/**
 * The fastest kernel of every shape of the network that several kernels can do; seconds. `engine.kernels` may forget
 * what it says of these shapes: the result is to take its place.
 * @throws aborted, device-lost, limit, out-of-memory
 */
export async function tuneKernels(engine: Engine, network: Network, { layers = network.outputs, batch, backward, ...options }: TuneOptions = {}): Promise<TunedShape[]> {
  const planned = { layers, ...(batch !== undefined && { batch }), ...(backward && { backward }) };
  const timing = { rounds: ROUNDS, ...(!engine.adapter.software && { sampleMs: SAMPLE_MS }), ...options };
  const shapes = await kernelTimes(engine, (capabilities) => compile(network, { ...planned, capabilities }), timing);
  return shapes.map((shape) => ({
    key: shape.key,
    label: shape.label,
    model: shape.model,
    variant: fastest(shape),
    times: Object.fromEntries(shape.kernels.map(({ variant, ms }) => [variant, Number(ms.toPrecision(4))])),
  }));
}

/** The kernel to take: the model's, unless another is faster by more than noise. */
export function fastest({ model, kernels }: Pick<ShapeTimes, 'model' | 'kernels'>): string {
  const best = kernels.reduce((a, b) => (b.ms < a.ms ? b : a));
  const known = kernels.find(({ variant }) => variant === model);
  return known && known.ms <= NOISE * best.ms ? model : best.variant;
}

/** Shapes as a record holds them. */
export function measuredShapes(shapes: readonly TunedShape[]): Record<string, MeasuredShape> {
  return Object.fromEntries(shapes.map(({ key, variant, times }) => [key, { variant, times }]));
}
