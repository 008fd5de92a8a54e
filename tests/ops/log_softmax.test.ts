import { describe, expect, test } from 'vitest';
import { classLayers } from '../../src/methods/activations.ts';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { network, node } from '../scheduler/networks.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Twin } from './harness.ts';
import { count, filled, random, Sum } from './reference.ts';

const engine = useEngine();

/** y[k] = x[k] - log(sum of exp x), by the largest x; dx[k] = dy[k] - exp(y[k]) sum of dy. */
function logSoftmaxTwin(x: ArrayLike<number>, shape: readonly number[], axis: number): Twin {
  const size = shape[axis]!;
  const inner = count(shape.slice(axis + 1));
  const rows = Array.from({ length: count(shape) / size }, (_, r) => {
    const first = Math.floor(r / inner) * size * inner + (r % inner);
    return Array.from({ length: size }, (_, k) => first + k * inner);
  });
  const y = new Sum(shape);
  for (const row of rows) {
    const top = Math.max(...row.map((at) => x[at]!));
    const rest = Math.log(row.reduce((total, at) => total + Math.exp(x[at]! - top), 0));
    for (const at of row) {
      y.add(at, x[at]! - top - rest);
      // Each difference is rounded, and the sum by as much as its terms are.
      y.magnitudes[at] = Math.abs(x[at]!) + Math.abs(top) + rest + 1;
      y.terms[at] = size;
    }
  }
  return {
    y,
    dx(dy) {
      const dx = new Sum(shape);
      for (const row of rows) {
        const [sum, width] = row.reduce(([total, all], at) => [total + dy[at]!, all + Math.abs(dy[at]!)], [0, 0]);
        for (const at of row) {
          const share = Math.exp(y.values[at]!);
          dx.add(at, dy[at]! - share * sum);
          // exp takes the error of y for a factor.
          dx.magnitudes[at] = Math.abs(dy[at]!) + share * (width + Math.abs(sum) * y.magnitudes[at]!);
          dx.terms[at] = size;
        }
      }
      return [dx];
    },
  };
}

const check = async (x: Tensor, axis: number, twice = false): Promise<void> => {
  await prove(engine(), { op: 'log_softmax', attributes: { axis }, x: [x] }, logSoftmaxTwin(x.data, x.shape, axis), { twice });
};

describe('log_softmax against plain loops', () => {
  test.each([
    { shape: [1, 1], axis: 1 },
    { shape: [7, 5], axis: 0 },
    { shape: [2, 3, 5, 7], axis: 1 },
    { shape: [2, 3, 5, 7], axis: 3 },
    { shape: [1, 1000], axis: 1 },
    { shape: [2, 17, 3], axis: 1 },
    { shape: [3, 8], axis: 1 },
  ])('$shape along axis $axis', ({ shape, axis }) => check(random(shape, 1, -4, 4), axis));

  test.each([
    ['huge', (i: number) => 1e4 + (i % 5)],
    ['hugely negative', (i: number) => -1e4 - (i % 5)],
    ['far apart', (i: number) => (i % 3) * 1e4 - 1e4],
    ['all equal', () => 42],
  ])('%s logits', (_, value) => check(filled([2, 11], value), 1));

  test.each([7, 19])('gradients of two branches, %i classes', (classes) => check(random([3, classes], 1, -4, 4), 1, true));
});

test.each([0, 1, 2])('central differences of the twin, axis %i', (axis) => {
  const x = random([3, 4, 5], 2, -2, 2);
  expectCentralDifferences((values) => logSoftmaxTwin(values, x.shape, axis), x);
});

test('an axis that is not there is refused', async () => {
  await expect(run(engine(), { op: 'log_softmax', attributes: { axis: 2 }, x: [random([2, 2], 1)] })).rejects.toMatchObject({ code: 'model-invalid' });
});

test('the class scores of a network lie before it', () => {
  expect(classLayers(network({ x: [1, 3] }, [node('a', 'relu', ['x']), node('b', 'log_softmax', ['a.y'])]))).toEqual({ logits: 'a.y' });
});

describe('a planted bug in log_softmax is noticed', () => {
  // Fifteen classes: one step of eight, and seven before it.
  const x = filled([3, 15, 2], (i) => ((i * 5) % 9) * (i < 30 ? 0.3 : 25) - 2);
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the maximum is not taken off', pass: 'forward', find: / - top - rest/, replace: ' - rest' },
    { name: 'the last step is left out', pass: 'forward', find: 'k < 15u', replace: 'k < 7u' },
    { name: 'the logarithm is forgotten', pass: 'forward', find: 'log(sum)', replace: 'sum' },
    { name: 'the share is forgotten', pass: 'backward', find: /exp\(y\[[^\]]*\]\) \* sum/, replace: 'sum' },
    { name: 'the first classes are left out of the sum', pass: 'backward', find: /sum \+= dy\[first\].*;/, replace: '' },
    { name: 'neighbouring rows are mixed up', find: '+ i % 2u', replace: '+ i % 1u' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[[^\]]*\] \+/, replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    await expectCaught(engine(), { op: 'log_softmax', attributes: { axis: 1 }, x: [x] }, logSoftmaxTwin(x.data, x.shape, 1), bug, { twice });
  });
});
