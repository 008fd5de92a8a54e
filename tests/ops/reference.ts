/** What every float64 twin needs: seeded operands, sums that know their rounding error, and the comparison. */
import type { Shape, Tensor } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';

/** Seeded numbers (xorshift32): the same on every machine. */
export function numbers(seed: number): { uniform(low: number, high: number): number; integer(low: number, high: number): number } {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  return {
    uniform: (low, high) => low + (high - low) * next(),
    integer: (low, high) => low + Math.floor((high - low + 1) * next()),
  };
}

export const count = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

/** A tensor of uniform numbers in [low, high). */
export function random(shape: Shape, seed: number, low = -1, high = 1): Tensor {
  const { uniform } = numbers(seed);
  return { shape, data: Float32Array.from({ length: count(shape) }, () => uniform(low, high)) };
}

export function filled(shape: Shape, value: (i: number) => number): Tensor {
  return { shape, data: Float32Array.from({ length: count(shape) }, (_, i) => value(i)) };
}

/** Sums of products in float64 that carry along what bounds the rounding error of a float32 evaluation. */
export class Sum {
  readonly values: Float64Array;
  /** Sum of |w x|, per element. */
  readonly magnitudes: Float64Array;
  /** K, the number of terms, per element. */
  readonly terms: Float64Array;

  constructor(readonly shape: Shape) {
    const length = count(shape);
    this.values = new Float64Array(length);
    this.magnitudes = new Float64Array(length);
    this.terms = new Float64Array(length);
  }

  add(index: number, product: number): void {
    this.values[index]! += product;
    this.magnitudes[index]! += Math.abs(product);
    this.terms[index]!++;
  }

  /** The same bounds around other values: an activation never widens an error. */
  map(f: (value: number, index: number) => number): Sum {
    const mapped = new Sum(this.shape);
    mapped.values.set(this.values.map(f));
    mapped.magnitudes.set(this.magnitudes);
    mapped.terms.set(this.terms);
    return mapped;
  }

  /** Terms of an elementwise function: |value| with `terms` roundings. */
  static of(shape: Shape, value: (i: number) => number, terms = 1): Sum {
    const sum = new Sum(shape);
    for (let i = 0; i < sum.values.length; i++) sum.add(i, value(i));
    sum.terms.fill(terms);
    return sum;
  }
}

/** `exact`: the bits of float32. Otherwise |y - ref| <= 8 sqrt(K) 2^-24 sum |w x| + 1e-7, widened by `slack`. */
export interface Tolerance {
  readonly exact?: boolean;
  /** For kernels that call exp or pow, whose accuracy WGSL leaves to the driver. */
  readonly slack?: number;
}

/** What does not fit, at most five lines; none when everything does. NaN equals only NaN. */
export function mismatches(name: string, actual: Tensor, expected: Sum, { exact = false, slack = 1 }: Tolerance = {}): string[] {
  if (`${actual.shape}` !== `${expected.shape}`) return [`${name} has the shape [${actual.shape}], not [${expected.shape}]`];
  if (actual.data.length !== expected.values.length) return [`${name} has ${actual.data.length} elements`];
  const found: string[] = [];
  for (let i = 0; i < actual.data.length && found.length < 5; i++) {
    const [value, wanted] = [actual.data[i]!, expected.values[i]!];
    const bound = exact ? 0 : slack * (8 * Math.sqrt(expected.terms[i]!) * 2 ** -24 * expected.magnitudes[i]! + 1e-7);
    const target = exact ? Math.fround(wanted) : wanted;
    const fits = Number.isNaN(target) ? Number.isNaN(value) : Math.abs(value - target) <= bound;
    if (!fits) found.push(`${name}[${coordinates(i, expected.shape)}] is ${value}, not ${target} (allowed ${bound.toExponential(1)})`);
  }
  return found;
}

function coordinates(index: number, shape: Shape): string {
  const at: number[] = [];
  for (const size of [...shape].reverse()) {
    at.unshift(index % size);
    index = Math.floor(index / size);
  }
  return at.join(', ');
}

/** <a, b> in float64, and the sum of |a b|. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): { value: number; magnitude: number } {
  let [value, magnitude] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    value += a[i]! * b[i]!;
    magnitude += Math.abs(a[i]! * b[i]!);
  }
  return { value, magnitude };
}

export const RELU_RULES = ['gradient', 'deconvnet', 'guided', 'linear'] as const;

/** Whether a gradient g passes an activation that is active there or not. */
export function passesRule(rule: ReluRule, active: boolean, g: number): boolean {
  const masked = rule === 'gradient' || rule === 'guided';
  const rectified = rule === 'deconvnet' || rule === 'guided';
  return (active || !masked) && (g > 0 || !rectified);
}
