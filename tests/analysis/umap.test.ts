/** UMAP against its definition: neighbourhoods, their union, the curve, and blobs that stay apart. */
import { describe, expect, test } from 'vitest';
import { METRICS, nearestNeighbours } from '../../src/analysis/neighbours.ts';
import { finish } from '../../src/analysis/points.ts';
import { fuzzyUnion, fuzzyWeights, umap } from '../../src/analysis/umap.ts';
import { umapCurve } from '../../src/analysis/umap_curve.ts';
import { blobs, purity } from './planted.ts';

const planted = blobs({ seed: 2 });

describe('neighbourhoods', () => {
  const near = finish(nearestNeighbours(planted.points, 8, 'euclidean'));
  const weights = fuzzyWeights(near);

  test('of every point add up to log2 of their number; the nearest one is certain, farther ones are less', () => {
    for (let i = 0; i < planted.points.count; i++) {
      const row = [...weights.slice(8 * i, 8 * i + 8)];
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(Math.log2(8), 7);
      expect(row[0]).toBe(1);
      expect(row).toEqual([...row].sort((a, b) => b - a));
      // One bandwidth explains all of them.
      const sigmas = row.slice(1).map((weight, n) => -(near.distances[8 * i + n + 1]! - near.distances[8 * i]!) / Math.log(weight));
      for (const sigma of sigmas) expect(sigma / sigmas[0]!).toBeCloseTo(1, 6);
    }
  });

  test('of points at one place are certain', () => {
    const same = finish(nearestNeighbours({ count: 6, size: 2, data: new Float64Array(12) }, 3, 'euclidean'));
    expect([...fuzzyWeights(same)]).toEqual(new Array(18).fill(1));
  });

  test('unite to w + w\' - w w\', both ways', () => {
    const { heads, tails, weights: united } = fuzzyUnion(near, weights);
    const directed = (i: number, j: number): number => {
      for (let n = 8 * i; n < 8 * i + 8; n++) if (near.indices[n] === j) return weights[n]!;
      return 0;
    };
    const known = new Map(Array.from(united, (weight, edge) => [`${heads[edge]} ${tails[edge]}`, weight]));
    expect(known.size).toBe(united.length);
    let [expected, off] = [0, 0];
    for (let i = 0; i < 60; i++) {
      for (let j = 0; j < 60; j++) {
        const [there, back] = [directed(i, j), directed(j, i)];
        const both = i === j ? 0 : there + back - there * back;
        expected += both > 0 ? 1 : 0;
        off = Math.max(off, Math.abs((known.get(`${i} ${j}`) ?? 0) - both));
      }
    }
    expect(united.length).toBe(expected);
    expect(off).toBeLessThan(1e-12);
  });
});

describe('the curve of closeness', () => {
  // What the reference program fits with a least distance of 0.1 and a spread of 1.
  test('is the published one', () => {
    const { a, b } = umapCurve(0.1);
    expect(a).toBeCloseTo(1.57694, 4);
    expect(b).toBeCloseTo(0.89506, 4);
  });

  test.each([0, 0.01, 0.05, 0.5, 1])('with a least distance of %d is the best of those around it', (minDist) => {
    const wanted = (d: number): number => (d < minDist ? 1 : Math.exp(minDist - d));
    const error = (a: number, b: number): number => Array.from({ length: 300 }, (_, i) => (3 * i) / 299).reduce((sum, d) => sum + (wanted(d) - 1 / (1 + a * d ** (2 * b))) ** 2, 0);
    const { a, b } = umapCurve(minDist);
    for (const [da, db] of [[1e-3, 0], [-1e-3, 0], [0, 1e-3], [0, -1e-3]] as const) expect(error(a + da, b + db)).toBeGreaterThan(error(a, b));
  });
});

describe.each(METRICS)('a map by %s', (metric) => {
  const lay = (seed: number): Float64Array => finish(umap(planted.points, { neighbours: 8, minDist: 0.1, metric, epochs: 100, seed }));

  test('keeps blobs apart, and is the same for the same seed', () => {
    const map = lay(1);
    expect(map.every(Number.isFinite)).toBe(true);
    expect(purity(map, planted.labels)).toBe(1);
    expect(lay(1)).toEqual(map);
    expect(lay(2)).not.toEqual(map);
  });
});

test('neighbourhoods larger than the world are refused', () => {
  expect(() => finish(umap(planted.points, { neighbours: 60, minDist: 0.1, metric: 'euclidean', seed: 0 }))).toThrow(/more points/);
});
