/** The gradient of a unit with respect to the image: plain, deconvnet, guided. */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Network, Tensor } from '../network/network.ts';
import type { ReluRule } from '../ops/op.ts';
import { compile } from '../scheduler/compile.ts';
import { Runner } from '../scheduler/runner.ts';
import { feed } from './activations.ts';
import { parseUnit, unitIndex, type Unit } from './unit.ts';

export interface GradientOptions {
  /** One unit for every image, or one per image; all of one layer. */
  readonly units: readonly (string | Unit)[];
  readonly rule?: ReluRule;
  readonly fuse?: boolean;
}

export interface GradientResult {
  /** d score / d x, [N, C, H, W], network units. */
  readonly gradient: Tensor;
  /** The unit's activation, one per image. */
  readonly scores: readonly number[];
}

/** Units as objects, all of one layer. @throws usage */
export function unitsOf(network: Network, units: readonly (string | Unit)[], count: number): Unit[] {
  const parsed = units.map((unit) => (typeof unit === 'string' ? parseUnit(network, unit) : unit));
  const [first] = parsed;
  if (!first) throw new UnitscopeError('usage', 'no unit is given', {}, "name one as LAYER:CHANNEL, for example 'conv5:12'");
  const other = parsed.find(({ layer }) => layer !== first.layer);
  if (other) throw new UnitscopeError('usage', `units of one batch must share a layer, got '${first.layer}' and '${other.layer}'`);
  if (parsed.length !== 1 && parsed.length !== count) throw new UnitscopeError('usage', `${parsed.length} units for ${count} images`);
  return Array.from({ length: count }, (_, n) => parsed[n % parsed.length]!);
}

/** A tensor of a layer's shape [N, ...] that is 1 at each image's unit and 0 elsewhere. */
export function oneHot(units: readonly Unit[], shape: readonly number[]): Float32Array {
  const perImage = shape.slice(1).reduce((a, b) => a * b, 1);
  const seed = new Float32Array(units.length * perImage);
  units.forEach((unit, n) => (seed[n * perImage + unitIndex(unit, shape)] = 1));
  return seed;
}

/**
 * The gradient of each image's unit under a rule: `gradient` (Simonyan et al. 2013), `deconvnet` (Zeiler and Fergus
 * 2014), `guided` (Springenberg et al. 2015). Max pooling sends it to the first maximum of the forward pass.
 */
export async function gradient(
  engine: Engine,
  network: Network,
  x: Tensor,
  { units, rule = 'gradient', fuse }: GradientOptions,
): Promise<GradientResult> {
  const batch = x.shape[0]!;
  const targets = unitsOf(network, units, batch);
  const { layer } = targets[0]!;
  const plan = compile(network, {
    batch,
    layers: [layer],
    backward: { from: layer, rule },
    capabilities: engine.capabilities,
    ...(fuse !== undefined && { fuse }),
  });
  const runner = await Runner.create(engine, plan);
  try {
    feed(runner, network, x);
    const { shape } = runner.tensor('seed');
    runner.write('seed', oneHot(targets, shape));
    runner.run(['forward', 'backward']);
    const { data } = await runner.read(layer);
    const perImage = data.length / batch;
    const input = network.inputs.find(({ name }) => plan.named.has(`d ${name}`))!;
    return {
      gradient: await runner.read(`d ${input.name}`),
      scores: targets.map((unit, n) => data[n * perImage + unitIndex(unit, shape)]!),
    };
  } finally {
    runner.dispose();
  }
}
