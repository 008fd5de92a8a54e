/** Moments and histograms of parts against those of the whole. */
import { expect, test } from 'vitest';
import { added, rangeOf, widened, type Histogram } from '../../src/analysis/histogram.ts';
import { deviation, momentsAround, NO_MOMENTS, together, type Moments } from '../../src/analysis/moments.ts';
import { numbers } from '../ops/reference.ts';

const { uniform, integer } = numbers(8);

function momentsOf(values: readonly number[], m: number): Moments {
  return momentsAround(m, values.length, values.reduce((sum, v) => sum + (v - m), 0), values.reduce((sum, v) => sum + (v - m) ** 2, 0));
}

test('the moments of parts of any size are those of the whole, far from 0 too', () => {
  for (const offset of [0, 1e8]) {
    const parts = Array.from({ length: 9 }, (_, n) => Array.from({ length: n * n }, () => offset + uniform(-1, 1) + n));
    const all = parts.flat();
    const mean = offset + all.reduce((sum, v) => sum + (v - offset), 0) / all.length;
    const merged = parts.map((part, n) => momentsOf(part, offset + n)).reduce(together, NO_MOMENTS);
    expect(merged.count).toBe(all.length);
    expect(Math.abs(merged.mean - mean)).toBeLessThan(1e-7);
    expect(deviation(merged)).toBeCloseTo(Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length), 6);
  }
});

test('of nothing, of one, of equal numbers', () => {
  expect(momentsAround(5, 0, 0, 0)).toEqual(NO_MOMENTS);
  expect(deviation(NO_MOMENTS)).toBe(0);
  expect(together(NO_MOMENTS, momentsOf([3], 3))).toEqual({ count: 1, mean: 3, squares: 0 });
  expect(together(momentsOf([3], 3), NO_MOMENTS)).toEqual({ count: 1, mean: 3, squares: 0 });
  expect(deviation(together(momentsOf([0.1, 0.1], 0.1), momentsOf([0.1], 0.1)))).toBe(0);
});

/** By its definition, bin by bin. */
function histogramOf(values: readonly number[], exponent: number, signed: boolean): Histogram {
  const counts = new Array<number>(8).fill(0);
  const width = ((signed ? 2 : 1) * 2 ** exponent) / 8;
  for (const value of values) counts.forEach((_, bin) => {
    const from = (signed ? -(2 ** exponent) : 0) + bin * width;
    if (value >= from && value < from + width) counts[bin]!++;
  });
  return { exponent, signed, counts };
}

test('a histogram over a wider range is the one that would have been made there', () => {
  const positive = Array.from({ length: 50 }, () => uniform(0, 0.25));
  for (const [exponent, signed] of [[-2, false], [1, false], [-2, true], [3, true], [60, true], [200, false]] as const) {
    expect(widened(histogramOf(positive, -2, false), { exponent, signed })).toEqual(histogramOf(positive, exponent, signed));
  }
  const both = Array.from({ length: 50 }, () => integer(-8, 7) / 8);
  for (const exponent of [0, 1, 5]) expect(widened(histogramOf(both, 0, true), { exponent, signed: true })).toEqual(histogramOf(both, exponent, true));
});

test('those of parts add up to that of the whole', () => {
  const parts = [[0.1, 0.4], [-3, 2.5], [], [100, 0]];
  const each = [histogramOf(parts[0]!, -1, false), histogramOf(parts[1]!, 2, true), histogramOf([], -20, false), histogramOf(parts[3]!, 7, false)];
  expect(each.reduce(added)).toEqual(histogramOf(parts.flat(), 7, true));
  expect(rangeOf(each[1]!)).toEqual([-4, 4]);
  expect(rangeOf(each[0]!)).toEqual([0, 0.5]);
});
