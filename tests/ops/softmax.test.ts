import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Twin } from './harness.ts';
import { count, filled, random, Sum } from './reference.ts';

const engine = useEngine();

/**
 * y[k] = exp(x[k] - max x) / sum of exp(x - max x); dx[k] = y[k] (dy[k] - sum of y dy).
 * WGSL grants exp an error of 3 + 2 |argument| ulp, and rounding x - max x costs as much again: the magnitudes
 * carry that factor.
 */
function softmaxTwin(x: ArrayLike<number>, shape: readonly number[], axis: number): Twin {
  const size = shape[axis]!;
  const inner = count(shape.slice(axis + 1));
  const rows = Array.from({ length: count(shape) / size }, (_, r) => {
    const first = Math.floor(r / inner) * size * inner + (r % inner);
    return Array.from({ length: size }, (_, k) => first + k * inner);
  });
  const y = new Sum(shape);
  const factor = new Float64Array(count(shape));
  for (const row of rows) {
    const top = Math.max(...row.map((at) => x[at]!));
    const sum = row.reduce((total, at) => total + Math.exp(x[at]! - top), 0);
    for (const at of row) {
      y.add(at, Math.exp(x[at]! - top) / sum);
      factor[at] = 1 + Math.min(100, top - x[at]!) / 2;
      y.magnitudes[at]! *= factor[at]!;
      y.terms[at] = size;
    }
  }
  return {
    y,
    dx(dy) {
      const dx = new Sum(shape);
      for (const row of rows) {
        const dot = row.reduce((total, at) => total + y.values[at]! * dy[at]!, 0);
        const width = row.reduce((total, at) => total + y.values[at]! * Math.abs(dy[at]!) * factor[at]!, 0);
        for (const at of row) {
          dx.add(at, y.values[at]! * (dy[at]! - dot));
          dx.magnitudes[at] = y.values[at]! * (Math.abs(dy[at]!) * factor[at]! + width + Math.abs(dot) * factor[at]!);
          dx.terms[at] = size;
        }
      }
      return [dx];
    },
  };
}

const check = async (x: Tensor, axis: number, twice = false): Promise<void> => {
  await prove(engine(), { op: 'softmax', attributes: { axis }, x: [x] }, softmaxTwin(x.data, x.shape, axis), { twice });
};

describe('softmax against plain loops', () => {
  test.each([
    { shape: [1, 1], axis: 1 },
    { shape: [3, 13], axis: 1 },
    { shape: [7, 5], axis: 0 },
    { shape: [2, 3, 5, 7], axis: 0 },
    { shape: [2, 3, 5, 7], axis: 1 },
    { shape: [2, 3, 5, 7], axis: 2 },
    { shape: [2, 3, 5, 7], axis: 3 },
    { shape: [5], axis: 0 },
    { shape: [1, 1000], axis: 1 },
    { shape: [3, 8], axis: 1 },
    { shape: [2, 17, 3], axis: 1 },
    { shape: [2, 24, 5], axis: 1 },
  ])('$shape along axis $axis', ({ shape, axis }) => check(random(shape, 1, -4, 4), axis));

  test.each([
    ['huge', (i: number) => 1e4 + (i % 5)],
    ['hugely negative', (i: number) => -1e4 - (i % 5)],
    ['far apart', (i: number) => (i % 3) * 1e4 - 1e4],
    ['at the ends of f32', (i: number) => (i % 2 ? 3e38 : -3e38)],
    ['all equal', () => 42],
  ])('%s logits', (_, value) => check(filled([2, 11], value), 1));

  test.each([7, 16, 19])('gradients of two branches, %i classes', (classes) => check(random([3, classes], 1, -4, 4), 1, true));

  test('rows sum to 1', async () => {
    const { y } = await run(engine(), { op: 'softmax', x: [random([4, 17], 3, -20, 20)] });
    for (let n = 0; n < 4; n++) expect(y.data.slice(n * 17, n * 17 + 17).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  });
});

test.each([0, 1, 2])('central differences of the twin, axis %i', (axis) => {
  const x = random([3, 4, 5], 2, -2, 2);
  expectCentralDifferences((values) => softmaxTwin(values, x.shape, axis), x);
});

test('an axis that is not there is refused', async () => {
  await expect(run(engine(), { op: 'softmax', attributes: { axis: 2 }, x: [random([2, 2], 1)] })).rejects.toMatchObject({ code: 'model-invalid' });
});

describe('a planted bug in softmax is noticed', () => {
  // Fifteen classes: one step of eight, and seven before it.
  const x = filled([3, 15, 2], (i) => ((i * 5) % 9) * (i < 30 ? 0.3 : 25) - 2);
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the maximum is not taken off', pass: 'forward', find: / - top\)/, replace: ')' },
    { name: 'the last step is left out', pass: 'forward', find: 'k < 15u', replace: 'k < 7u' },
    { name: 'the first classes are left out of the sum', pass: 'forward', find: /sum \+= exp\(x\[first\].*;/, replace: '' },
    { name: 'the sum of y dy is forgotten', pass: 'backward', find: /\((dy\[[^\]]*\]) - dot\)/, replace: '$1' },
    { name: 'neighbouring rows are mixed up', find: '+ i % 2u', replace: '+ i % 1u' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[[^\]]*\] \+/, replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    await expectCaught(engine(), { op: 'softmax', attributes: { axis: 1 }, x: [x] }, softmaxTwin(x.data, x.shape, 1), bug, { twice });
  });
});
