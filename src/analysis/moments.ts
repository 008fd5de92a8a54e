/**
 * Mean and standard deviation of numbers that come in parts, without losing digits to a large mean.
 * Source: Chan, Golub and LeVeque, Algorithms for computing the sample variance, 1983.
 */

export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Sum of (y - mean)^2. */
  readonly squares: number;
}

export const NO_MOMENTS: Moments = { count: 0, mean: 0, squares: 0 };

/** Of `count` numbers, from the sums of what is left of them after some m was taken off: y - m, and (y - m)^2. */
export function momentsAround(m: number, count: number, sum: number, squares: number): Moments {
  if (count === 0) return NO_MOMENTS;
  return { count, mean: m + sum / count, squares: Math.max(0, squares - (sum * sum) / count) };
}

/** Of the numbers of both. */
export function together(a: Moments, b: Moments): Moments {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const apart = b.mean - a.mean;
  return { count, mean: a.mean + (apart * b.count) / count, squares: a.squares + b.squares + (apart * apart * a.count * b.count) / count };
}

/** Standard deviation of the numbers themselves (not an estimate from a sample); 0 of none. */
export const deviation = ({ count, squares }: Moments): number => (count === 0 ? 0 : Math.sqrt(squares / count));
