/** Weights to begin with: the same for a seed on every machine, since they are drawn in double precision from integers. */
import { UnitscopeError } from '../errors.ts';
import { NumpyRandom } from '../image/numpy_random.ts';
import type { Shape, Tensor } from '../network/network.ts';
import { numberOf } from '../ops/dropout.ts';

/**
 * he: variance 2 / inputs of a unit (He et al. 2015), for layers before ReLU; xavier: 2 / (inputs + outputs) (Glorot and
 * Bengio 2010), both normal unless `uniform` is asked for; normal: of that standard deviation; constant: one value.
 */
export type Initialization =
  | { readonly kind: 'he' | 'xavier'; readonly distribution?: 'normal' | 'uniform' }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'constant'; readonly value: number };

/**
 * @param shape [M, C, KH, KW] of a convolution (C of one group), [M, K] of a dense layer; any for normal and constant
 * @param seed whole number below 2^32; see `seedOf`
 * @throws usage
 */
export function initialize(shape: Shape, initialization: Initialization, seed: number): Tensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const random = new NumpyRandom(seed);
  if (initialization.kind === 'constant') return { shape, data: data.fill(initialization.value) };
  const std = deviationOf(shape, initialization);
  // A uniform number in -1..1 has the standard deviation sqrt(1 / 3).
  const limit = std * Math.sqrt(3);
  const uniform = initialization.kind !== 'normal' && initialization.distribution === 'uniform';
  for (let i = 0; i < data.length; i++) data[i] = uniform ? random.uniform(-limit, limit) : random.normal(0, std);
  return { shape, data };
}

/** The seed of one tensor out of that of the whole network: every name gets numbers of its own. */
export const seedOf = (seed: number, name: string): number => numberOf(`${name}:${seed}`);

function deviationOf(shape: Shape, initialization: Exclude<Initialization, { readonly kind: 'constant' }>): number {
  if (initialization.kind === 'normal') {
    const { std } = initialization;
    if (!(std >= 0 && std < Infinity)) throw new UnitscopeError('usage', `the standard deviation must not be negative, got ${std}`, { attribute: 'std' });
    return std;
  }
  if (shape.length < 2) throw new UnitscopeError('usage', `the weights [${shape}] have no inputs to count`, {}, 'give biases a constant or a standard deviation');
  const area = shape.slice(2).reduce((product, size) => product * size, 1);
  const [inputs, outputs] = [shape[1]! * area, shape[0]! * area];
  return Math.sqrt(2 / (initialization.kind === 'he' ? inputs : inputs + outputs));
}
