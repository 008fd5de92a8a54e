/** The inputs that an attribution asks the network about: x alone, x under noise, or the way from a baseline to x. */
import { UnitscopeError } from '../errors.ts';
import { NumpyRandom } from '../image/numpy_random.ts';
import type { Tensor } from '../network/network.ts';

export interface AttributionInputs {
  /** Their gradients are averaged; what comes behind them is there for its score: x, and then the baseline. */
  readonly averaged: number;
  readonly total: number;
  /** Each [C, H, W], made when it is needed. */
  each(): Iterable<Float32Array>;
}

/** x [1, C, H, W] alone. */
export const alone = ({ data }: Tensor): AttributionInputs => ({ averaged: 1, total: 1, each: () => [data] });

/**
 * x with `samples` different noises, then x. The noise is normal, its standard deviation `sigma` times the range of x (its largest number
 * minus its least); sample after sample, each in the order of its elements, as `RandomState(seed).normal(size=[samples, C, H, W])`.
 */
export function noisy({ data }: Tensor, samples: number, sigma: number, seed: number): AttributionInputs {
  if (!(sigma >= 0 && sigma <= 100)) throw new UnitscopeError('usage', `sigma must be a share of the range from 0 to 100, got ${sigma}`, { attribute: 'sigma' });
  const [least, most] = data.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const std = sigma * (most! - least!);
  return {
    averaged: checked('samples', samples),
    total: samples + 1,
    *each() {
      const random = new NumpyRandom(seed);
      for (let n = 0; n < samples; n++) yield data.map((value) => value + random.normal(0, std));
      yield data;
    },
  };
}

/** The middles of `steps` equal parts of the straight way from the baseline [C, H, W] to x, then x, then the baseline. */
export function between({ data }: Tensor, baseline: Float32Array, steps: number): AttributionInputs {
  return {
    averaged: checked('steps', steps),
    total: steps + 2,
    *each() {
      for (let n = 0; n < steps; n++) {
        const share = (n + 0.5) / steps;
        yield data.map((value, i) => baseline[i]! + share * (value - baseline[i]!));
      }
      yield data;
      yield baseline;
    },
  };
}

/** Most inputs of one attribution. */
const MOST = 100_000;

/** @throws usage unless it is a whole number from 1 on */
export function checked(what: string, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= MOST) return value;
  throw new UnitscopeError('usage', `${what} must be a whole number from 1 to ${MOST}, got ${value}`, { attribute: what });
}
