import { describe, expect, test } from 'vitest';
import { agreement, METRICS, nearestNeighbours, type Metric } from '../../src/analysis/neighbours.ts';
import { finish, type Points } from '../../src/analysis/points.ts';
import { random } from '../ops/reference.ts';

function twin({ count, size, data }: Points, metric: Metric): number[][] {
  const row = (i: number): number[] => [...data.slice(i * size, (i + 1) * size)];
  const length = (v: number[]): number => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  const dot = (a: number[], b: number[]): number => a.reduce((sum, x, k) => sum + x * b[k]!, 0);
  const distance = (a: number[], b: number[]): number => {
    if (metric === 'euclidean') return length(a.map((x, k) => x - b[k]!));
    const scale = length(a) * length(b);
    return scale === 0 ? 1 : 1 - dot(a, b) / scale;
  };
  return Array.from({ length: count }, (_, i) => Array.from({ length: count }, (_, j) => distance(row(i), row(j))));
}

describe.each(METRICS)('%s', (metric) => {
  test('the nearest ones, as a look at all pairs finds them', () => {
    const points: Points = { count: 40, size: 5, data: Float64Array.from(random([40, 5], 3).data) };
    const { each, indices, distances } = finish(nearestNeighbours(points, 6, metric));
    expect(each).toBe(6);
    twin(points, metric).forEach((row, i) => {
      const order = [...row.keys()].filter((j) => j !== i).sort((a, b) => row[a]! - row[b]! || a - b);
      expect([...indices.slice(6 * i, 6 * i + 6)]).toEqual(order.slice(0, 6));
      order.slice(0, 6).forEach((j, n) => expect(distances[6 * i + n]).toBeCloseTo(row[j]!, 12));
    });
  });
});

test('of equally near ones the first comes first; a point without length is 1 away by angle', () => {
  const line: Points = { count: 4, size: 1, data: Float64Array.of(0, 1, 2, 3) };
  expect([...finish(nearestNeighbours(line, 2, 'euclidean')).indices]).toEqual([1, 2, 0, 2, 1, 3, 2, 1]);
  const rays: Points = { count: 4, size: 2, data: Float64Array.of(1, 0, 5, 0, 0, 0, -2, 0) };
  const { indices, distances } = finish(nearestNeighbours(rays, 3, 'cosine'));
  expect([...indices.slice(0, 3)]).toEqual([1, 2, 3]);
  expect([...distances.slice(0, 3)]).toEqual([0, 1, 2]);
  expect([...distances.slice(6, 9)]).toEqual([1, 1, 1]);
});

test('agreement counts those that have a label', () => {
  const near = { each: 2, indices: Uint32Array.of(1, 2, 0, 2, 3, 0, 2, 0), distances: new Float64Array(8) };
  expect(agreement(near, [0, 0, 1, 0])).toBe(0.5);
  expect(agreement(near, [0, 0, undefined, 0])).toBeCloseTo(2 / 3, 12);
});

test('more neighbours than there are points are refused', () => {
  expect(() => finish(nearestNeighbours({ count: 3, size: 1, data: new Float64Array(3) }, 3, 'euclidean'))).toThrow(/3 points have no 3 neighbours/);
});
