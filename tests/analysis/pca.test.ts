/** Principal components against a decomposition of the covariance by Jacobi's rotations. */
import { describe, expect, test } from 'vitest';
import { pca } from '../../src/analysis/pca.ts';
import { finish, type Points } from '../../src/analysis/points.ts';
import { numbers } from '../ops/reference.ts';

/** Eigenvalues, falling, and eigenvectors of a symmetric matrix: rotations until nothing beside the diagonal is left. */
function jacobi(matrix: number[][]): { values: number[]; vectors: number[][] } {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const vectors = a.map((_, i) => a.map((_, j) => Number(i === j)));
  const rest = (): number => a.reduce((sum, row, i) => row.reduce((part, value, j) => (i === j ? part : part + value * value), sum), 0);
  const enough = 1e-30 * a.reduce((sum, row, i) => sum + row[i]! ** 2, 0);
  for (let sweep = 0; sweep < 40 && rest() > enough; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p]![q]!) <= 1e-18 * (Math.abs(a[p]![p]!) + Math.abs(a[q]![q]!))) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let k = 0; k < n; k++) [a[k]![p], a[k]![q]] = [c * a[k]![p]! - s * a[k]![q]!, s * a[k]![p]! + c * a[k]![q]!];
        for (let k = 0; k < n; k++) [a[p]![k], a[q]![k]] = [c * a[p]![k]! - s * a[q]![k]!, s * a[p]![k]! + c * a[q]![k]!];
        for (let k = 0; k < n; k++) [vectors[p]![k], vectors[q]![k]] = [c * vectors[p]![k]! - s * vectors[q]![k]!, s * vectors[p]![k]! + c * vectors[q]![k]!];
      }
    }
  }
  const order = [...a.keys()].sort((i, j) => a[j]![j]! - a[i]![i]!);
  return { values: order.map((i) => a[i]![i]!), vectors: order.map((i) => vectors[i]!) };
}

/** Coordinates and variances by the covariance of the columns. */
function twin({ count, size, data }: Points, components: number): { scores: number[][]; variances: number[]; total: number } {
  const mean = Array.from({ length: size }, (_, k) => Array.from({ length: count }, (_, i) => data[i * size + k]!).reduce((a, b) => a + b) / count);
  const rows = Array.from({ length: count }, (_, i) => mean.map((m, k) => data[i * size + k]! - m));
  const covariance = mean.map((_, k) => mean.map((_, l) => rows.reduce((sum, row) => sum + row[k]! * row[l]!, 0) / (count - 1)));
  const { values, vectors } = jacobi(covariance);
  const scores = vectors.slice(0, components).map((vector) => rows.map((row) => row.reduce((sum, value, k) => sum + value * vector[k]!, 0)));
  const signed = scores.map((along) => {
    const far = along.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    return far < 0 ? along.map((value) => -value) : along;
  });
  return { scores: signed, variances: values.slice(0, components), total: values.reduce((a, b) => a + b, 0) };
}

/** Points that spread less and less in directions that are no axes. */
function cloud(count: number, size: number, seed: number, decay = 0.8): Points {
  const { uniform } = numbers(seed);
  const mixing = Array.from({ length: size }, (_, k) => Array.from({ length: size }, () => decay ** k * uniform(-1, 1)));
  const data = new Float64Array(count * size);
  for (let i = 0; i < count; i++) {
    const own = mixing.map(() => uniform(-1, 1));
    for (let k = 0; k < size; k++) data[i * size + k] = 3 + own.reduce((sum, value, l) => sum + value * mixing[l]![k]!, 0);
  }
  return { count, size, data };
}

describe('coordinates and variances are those of the covariance', () => {
  test.each([[40, 7, 3], [6, 30, 4], [25, 25, 5], [2, 5, 1], [9, 1, 1]])('%d points of %d dimensions, %d components', (count, size, components) => {
    const points = cloud(count, size, count + size);
    const found = finish(pca(points, components));
    const expected = twin(points, components);
    expect(found.total / expected.total).toBeCloseTo(1, 12);
    for (let c = 0; c < components; c++) {
      expect(found.variances[c]! / expected.variances[c]!).toBeCloseTo(1, 9);
      const most = Math.max(...expected.scores[c]!.map(Math.abs));
      for (let i = 0; i < count; i++) expect(Math.abs(found.data[i * components + c]! - expected.scores[c]![i]!)).toBeLessThan(1e-8 * most);
    }
  });

  test('where it stops before all directions are known', () => {
    const points = cloud(200, 60, 5);
    const steps: number[] = [];
    const work = pca(points, 3);
    let next = work.next();
    for (; !next.done; next = work.next()) steps.push(next.value.done);
    expect(Math.max(...steps)).toBeLessThan(60);
    const expected = twin(points, 3);
    for (let c = 0; c < 3; c++) {
      expect(next.value.variances[c]! / expected.variances[c]!).toBeCloseTo(1, 9);
      for (let i = 0; i < 200; i++) expect(Math.abs(next.value.data[i * 3 + c]! - expected.scores[c]![i]!)).toBeLessThan(1e-6 * Math.sqrt(expected.variances[c]!));
    }
  });
});

describe('awkward points', () => {
  test('equal variances along several axes are all found', () => {
    // The corners of a cube and one point in the middle.
    const corners = Array.from({ length: 8 }, (_, i) => [i & 1, (i >> 1) & 1, i >> 2].map((side) => 2 * side - 1));
    const found = finish(pca({ count: 9, size: 3, data: Float64Array.from([...corners, [0, 0, 0]].flat()) }, 3));
    expect([...found.variances].map((value) => Number(value.toFixed(12)))).toEqual([1, 1, 1]);
  });

  test('points on a line, at one place, and more components than dimensions', () => {
    const line = finish(pca({ count: 5, size: 3, data: Float64Array.from({ length: 15 }, (_, i) => Math.floor(i / 3) * (1 + (i % 3))) }, 2));
    expect(line.variances[1]! / line.variances[0]!).toBeLessThan(1e-12);
    expect(line.variances[0]! / line.total).toBeCloseTo(1, 12);
    const place = finish(pca({ count: 4, size: 6, data: new Float64Array(24).fill(7) }, 2));
    expect([...place.data, ...place.variances].every((value) => Math.abs(value) < 1e-12)).toBe(true);
    const few = finish(pca({ count: 4, size: 1, data: Float64Array.of(1, 2, 3, 6) }, 2));
    expect([...few.data].map((value) => Number(value.toFixed(9)) + 0)).toEqual([-2, 0, -1, 0, 0, 0, 3, 0]);
  });

  test('no points are refused', () => expect(() => finish(pca({ count: 0, size: 3, data: new Float64Array() }, 2))).toThrow(/no points/));
});
