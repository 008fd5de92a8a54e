/** Farthest-point selection against its definition, and against the best choice of all. */
import { expect, test } from 'vitest';
import { farthestPoints, rootMeanSquare } from '../../src/analysis/farthest_points.ts';
import { numbers } from '../ops/reference.ts';

const cloud = (count: number, size: number, seed: number): number[][] => {
  const { uniform } = numbers(seed);
  return Array.from({ length: count }, () => Array.from({ length: size }, () => uniform(-9, 9)));
};

const apart = (a: readonly number[], b: readonly number[]): number => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length);

/** The least distance between two of the points. */
const least = (points: readonly number[][]): number => Math.min(...points.flatMap((a, i) => points.slice(i + 1).map((b) => apart(a, b))));

/** All choices of `count` numbers below `from`. */
const choices = (from: number, count: number): number[][] =>
  count === 0 ? [[]] : Array.from({ length: from }, (_, last) => choices(last, count - 1).map((rest) => [...rest, last])).flat();

test('the distance is the root of the mean square', () => {
  expect(rootMeanSquare([0, 0, 0, 0], [2, 2, 2, 2])).toBe(2);
  expect(rootMeanSquare([1, 5], [4, 1])).toBeCloseTo(Math.sqrt(12.5), 12);
  expect(rootMeanSquare([], [])).toBe(0);
});

test('each next point is the one that is farthest from its nearest chosen one', () => {
  for (let seed = 0; seed < 30; seed++) {
    const points = cloud(9, 3, seed);
    const chosen = farthestPoints(points, seed % 9, 5);
    expect(chosen[0]).toBe(seed % 9);
    for (let k = 1; k < 5; k++) {
      const away = points.map((point) => Math.min(...chosen.slice(0, k).map((i) => apart(point, points[i]!))));
      expect(away[chosen[k]!]).toBeCloseTo(Math.max(...away), 12);
    }
  }
});

test('the least distance is at least half of the best that any choice has', () => {
  for (let seed = 0; seed < 20; seed++) {
    const points = cloud(8, 2, 100 + seed);
    const best = Math.max(...choices(8, 4).map((own) => least(own.map((i) => points[i]!))));
    expect(least(farthestPoints(points, 0, 4).map((i) => points[i]!))).toBeGreaterThanOrEqual(best / 2);
  }
});

test('equal points, equal distances, and more than there are', () => {
  expect(farthestPoints([[0], [4], [-4], [4]], 0, 3)).toEqual([0, 1, 2]);
  expect(farthestPoints([[1], [1], [1]], 2, 9)).toEqual([2, 0, 1]);
  expect(farthestPoints([], 0, 4)).toEqual([]);
  expect(farthestPoints([[1], [2]], 1, 0)).toEqual([]);
});
