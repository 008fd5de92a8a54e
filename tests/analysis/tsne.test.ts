/** t-SNE against its definition: the affinities, the gradient, and blobs that stay apart. */
import { describe, expect, test } from 'vitest';
import { finish, type Points } from '../../src/analysis/points.ts';
import { affinities, TSNE_MOST, tsne, tsneGradient } from '../../src/analysis/tsne.ts';
import { random } from '../ops/reference.ts';
import { blobs, purity } from './planted.ts';

/** [i][j] of what lies packed, j < i. */
const at = (packed: Float64Array, i: number, j: number): number => (i === j ? 0 : packed[i > j ? (i * (i - 1)) / 2 + j : (j * (j - 1)) / 2 + i]!);

/** Kullback and Leibler's divergence of the map from the affinities, over ordered pairs. */
function divergence(p: Float64Array, map: Float64Array, exaggeration = 1): number {
  const n = map.length / 2;
  const t = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 0 : 1 / (1 + (map[2 * i]! - map[2 * j]!) ** 2 + (map[2 * i + 1]! - map[2 * j + 1]!) ** 2))));
  const sum = t.flat().reduce((a, b) => a + b);
  let value = 0;
  // Exaggeration scales what attracts alone: the constant part of the sum of q stays.
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (i !== j) value += exaggeration * at(p, i, j) * (Math.log(at(p, i, j)) - Math.log(t[i]![j]!)) + at(p, i, j) * Math.log(sum);
  return value;
}

const points: Points = { count: 10, size: 4, data: Float64Array.from(random([10, 4], 11).data) };

describe('affinities', () => {
  test('add up to 1, and their bandwidths give every point the perplexity', () => {
    const p = finish(affinities(points, 3));
    expect(2 * p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    // The conditional ones by a plain bisection of the definition.
    const square = (i: number, j: number): number => Array.from({ length: 4 }, (_, k) => (points.data[4 * i + k]! - points.data[4 * j + k]!) ** 2).reduce((a, b) => a + b);
    const conditional = Array.from({ length: 10 }, (_, i) => {
      let [low, high, row] = [1e-6, 1e6, [] as number[]];
      for (let tries = 0; tries < 200; tries++) {
        const beta = Math.sqrt(low * high);
        const raw = Array.from({ length: 10 }, (_, j) => (j === i ? 0 : Math.exp(-beta * square(i, j))));
        const sum = raw.reduce((a, b) => a + b);
        row = raw.map((value) => value / sum);
        const entropy = -row.reduce((total, value) => (value > 0 ? total + value * Math.log(value) : total), 0);
        if (entropy > Math.log(3)) low = beta;
        else high = beta;
      }
      return row;
    });
    for (let i = 0; i < 10; i++) for (let j = 0; j < i; j++) expect(Math.abs(at(p, i, j) - (conditional[i]![j]! + conditional[j]![i]!) / 20)).toBeLessThan(1e-5);
  });

  test('of points far apart and at one place are finite', () => {
    const odd: Points = { count: 5, size: 1, data: Float64Array.of(0, 0, 0, 1e6, 1e9) };
    const p = finish(affinities(odd, 1.3));
    expect(p.every((value) => value >= 1e-100 && Number.isFinite(value))).toBe(true);
    expect(2 * p.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
  });
});

describe('the gradient is that of the divergence, by central differences', () => {
  const p = finish(affinities(points, 3));
  const map = Float64Array.from(random([10, 2], 5, -2, 2).data);
  test.each([1, 4])('attraction x %d', (exaggeration) => {
    const gradient = new Float64Array(20);
    tsneGradient(p, map, exaggeration, new Float64Array(45), gradient);
    const h = 1e-5;
    for (let k = 0; k < 20; k++) {
      const moved = (step: number): number => divergence(p, map.map((value, i) => (i === k ? value + step : value)), exaggeration);
      expect(Math.abs(gradient[k]! - (moved(h) - moved(-h)) / (2 * h))).toBeLessThan(1e-8);
    }
  });
});

describe('a map', () => {
  const planted = blobs();
  const lay = (seed: number, iterations = 350): Float64Array => finish(tsne(planted.points, { perplexity: 12, iterations, seed }));

  test('keeps blobs apart, is centred, and is the same for the same seed', () => {
    const map = lay(3);
    expect(purity(map, planted.labels)).toBe(1);
    expect(Math.abs(map.reduce((sum, value, i) => (i % 2 ? sum : sum + value), 0))).toBeLessThan(1e-9);
    expect(lay(3)).toEqual(map);
    expect(lay(4)).not.toEqual(map);
  });

  test('says how far it is, with the map as it is then', () => {
    const stages: Record<string, number> = {};
    for (const step of tsne(planted.points, { perplexity: 12, iterations: 5, seed: 0 })) {
      stages[step.stage] = step.done;
      expect(step.map?.length).toBe(step.stage === 't-SNE' ? 120 : undefined);
    }
    expect(stages).toEqual({ affinities: 60, 't-SNE': 5 });
  });

  test('of too many points is refused', () => {
    const many: Points = { count: TSNE_MOST + 1, size: 1, data: new Float64Array(TSNE_MOST + 1) };
    expect(() => finish(tsne(many, { perplexity: 5, iterations: 1, seed: 0 }))).toThrow(/up to 4096/);
  });
});
