/** Which points lie nearest to each point: exact, by looking at every pair once. */
import { UnitscopeError } from '../errors.ts';
import type { Computation, Points } from './points.ts';

export const METRICS = ['euclidean', 'cosine'] as const;
/** `cosine`: 1 - cos of the angle between them; a point without length is 1 away from all others. */
export type Metric = (typeof METRICS)[number];

export interface Neighbours {
  /** Neighbours of a point. */
  readonly each: number;
  /** [count, each], the nearest first; of equally near ones the first comes first. */
  readonly indices: Uint32Array;
  readonly distances: Float64Array;
}

/** The `each` nearest other points of every point. @throws usage where there are not as many */
export function* nearestNeighbours(points: Points, each: number, metric: Metric): Computation<Neighbours> {
  const { count, size } = points;
  if (!(each >= 1 && each < count)) throw new UnitscopeError('usage', `${count} points have no ${each} neighbours each`);
  const cosine = metric === 'cosine';
  const data = cosine ? unitRows(points) : points.data;
  const isZero = Array.from({ length: count }, (_, i) => cosine && data.subarray(i * size, (i + 1) * size).every((value) => value === 0));
  const indices = new Uint32Array(count * each);
  const squares = new Float64Array(count * each).fill(Infinity);
  const insert = (point: number, other: number, square: number): void => {
    let at = (point + 1) * each - 1;
    if (!(square < squares[at])) return;
    for (; at > point * each && square < squares[at - 1]; at--) {
      squares[at] = squares[at - 1];
      indices[at] = indices[at - 1];
    }
    squares[at] = square;
    indices[at] = other;
  };
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      let square = 0;
      for (let a = i * size, b = j * size; a < (i + 1) * size; a++, b++) square += (data[a] - data[b]) * (data[a] - data[b]);
      if (isZero[i] || isZero[j]) square = 2;
      insert(i, j, square);
      insert(j, i, square);
    }
    yield { stage: 'neighbours', done: i + 1, total: count };
  }
  // |u - v|^2 = 2 (1 - cos) for u, v of length 1: small angles lose nothing.
  return { each, indices, distances: squares.map((square) => (cosine ? square / 2 : Math.sqrt(square))) };
}

/** The points moved to length 1; those without length stay. */
export function unitRows({ count, size, data }: Points): Float64Array {
  const result = new Float64Array(data.length);
  for (let i = 0; i < count; i++) {
    const row = data.subarray(i * size, (i + 1) * size);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) row.forEach((value, k) => (result[i * size + k] = value / length));
  }
  return result;
}

/** The share of points whose nearest neighbour has their label, among those that have one. */
export function agreement({ each, indices }: Neighbours, labels: readonly (number | undefined)[]): number {
  const known = labels.flatMap((label, i) => (label === undefined ? [] : [label === labels[indices[i * each]]]));
  return known.filter(Boolean).length / known.length;
}
