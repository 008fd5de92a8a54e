/** The cheapest assignment against trying all of them; grids. */
import { describe, expect, test } from 'vitest';
import { assignColumns } from '../../src/analysis/assignment.ts';
import { gridOf, snapToGrid } from '../../src/analysis/grid_snap.ts';
import { mapFrame } from '../../src/analysis/map_frame.ts';
import { finish } from '../../src/analysis/points.ts';
import { numbers } from '../ops/reference.ts';

/** The least cost of all ways to give each row its own column. */
function cheapest(costs: Float64Array, rows: number, columns: number, row = 0, taken = 0): number {
  if (row === rows) return 0;
  let best = Infinity;
  for (let column = 0; column < columns; column++) {
    if (taken & (1 << column)) continue;
    best = Math.min(best, costs[row * columns + column]! + cheapest(costs, rows, columns, row + 1, taken | (1 << column)));
  }
  return best;
}

const costOf = (costs: Float64Array, columns: number, assigned: Uint32Array): number => [...assigned].reduce((sum, column, row) => sum + costs[row * columns + column]!, 0);

describe('no assignment is cheaper', () => {
  test.each([[1, 1], [2, 2], [3, 5], [4, 4], [5, 5], [6, 7], [7, 7]])('%d rows, %d columns', (rows, columns) => {
    for (let seed = 0; seed < 30; seed++) {
      const { uniform, integer } = numbers(100 * rows + seed);
      // Every third is of small whole numbers, with many ties; some are negative.
      const costs = Float64Array.from({ length: rows * columns }, () => (seed % 3 === 0 ? integer(-2, 2) : uniform(-1, 9)));
      const assigned = finish(assignColumns(costs, rows, columns));
      expect(new Set(assigned).size).toBe(rows);
      expect(costOf(costs, columns, assigned)).toBeCloseTo(cheapest(costs, rows, columns), 9);
    }
  });

  test('also of many: no two rows gain by a swap, and prices prove it', () => {
    const { uniform } = numbers(4);
    const n = 60;
    const costs = Float64Array.from({ length: n * n }, () => uniform(0, 1));
    const assigned = finish(assignColumns(costs, n, n));
    expect([...assigned].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
    // The expected cost of random assignments of this size is near pi^2 / 6 (Aldous 2001).
    expect(costOf(costs, n, assigned)).toBeLessThan(2.2);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) expect(costs[i * n + assigned[j]!]! + costs[j * n + assigned[i]!]!).toBeGreaterThanOrEqual(costs[i * n + assigned[i]!]! + costs[j * n + assigned[j]!]! - 1e-12);
    }
  });
});

test('what cannot be assigned is refused', () => {
  expect(() => finish(assignColumns(new Float64Array(6), 3, 2))).toThrow(/do not give 3 rows a column/);
  expect(() => finish(assignColumns(Float64Array.of(NaN, NaN, 1, 1), 2, 2))).toThrow(/not finite/);
});

describe('a grid', () => {
  test('is nearly square and has room', () => {
    expect([1, 2, 4, 5, 9, 10, 320].map(gridOf)).toEqual([[1, 1], [2, 1], [2, 2], [3, 2], [3, 3], [4, 3], [18, 18]].map(([columns, rows]) => ({ columns, rows })));
  });

  test('takes points that stand in rows and columns as they are, also when shifted and stretched', () => {
    const cells = [7, 2, 11, 0, 5, 8, 3, 10, 1, 6, 9, 4];
    const map = Float64Array.from(cells.flatMap((cell) => [50 * (cell % 4) - 3, 0.1 * Math.floor(cell / 4)]));
    expect([...finish(snapToGrid(map, { columns: 4, rows: 3 }))]).toEqual(cells);
  });

  test('holds points that lie at one place', () => {
    expect(new Set(finish(snapToGrid(new Float64Array(14), gridOf(7)))).size).toBe(7);
  });
});

test('the frame of a map leaves out what lies far off', () => {
  const map = Float64Array.from({ length: 402 }, (_, i) => (i < 400 ? Math.floor(i / 2) / 199 : 1000));
  const { left, top, width, height } = mapFrame(map);
  // 201 values: percentiles lie at the 3rd and the 199th.
  const [low, high] = [2 / 199, 198 / 199];
  expect([left, top]).toEqual([left, left]);
  expect(left).toBeCloseTo(low - 0.1 * (high - low), 12);
  expect(width).toBeCloseTo(1.2 * (high - low), 12);
  expect(height).toBe(width);
});
