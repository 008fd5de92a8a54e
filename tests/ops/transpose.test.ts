import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { useEngine } from '../gpu.ts';
import { network, node } from '../scheduler/networks.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { random, Sum } from './reference.ts';

const engine = useEngine();

/** Index of x for every element of y, by counting coordinates. */
function sources(shape: readonly number[], order: readonly number[]): number[] {
  const sizes = order.map((axis) => shape[axis]!);
  const total = sizes.reduce((a, b) => a * b, 1);
  return Array.from({ length: total }, (_, i) => {
    const at = Array<number>(shape.length).fill(0);
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at[order[axis]!] = i % sizes[axis]!;
      i = Math.floor(i / sizes[axis]!);
    }
    return at.reduce((sum, index, axis) => sum * shape[axis]! + index, 0);
  });
}

function transposeTwin(x: Tensor, order: readonly number[]): Twin {
  const from = sources(x.shape, order);
  return {
    y: Sum.of(order.map((axis) => x.shape[axis]!), (i) => x.data[from[i]!]!),
    dx: (dy) => {
      const dx = new Sum(x.shape);
      from.forEach((at, i) => dx.add(at, dy[i]!));
      return [dx];
    },
  };
}

const exact = { exact: true, exactGradient: true };

const CASES: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[5], [0]],
  [[3, 7], [1, 0]],
  [[2, 3, 5, 7], [0, 2, 3, 1]],
  [[2, 5, 7, 3], [0, 3, 1, 2]],
  [[2, 3, 5, 7], [3, 2, 1, 0]],
  [[2, 3, 4, 8], [0, 2, 1, 3]],
  [[1, 3, 1, 8], [0, 2, 3, 1]],
  [[2, 3, 1, 1], [0, 2, 3, 1]],
  [[2, 3, 4, 5, 7], [0, 2, 1, 3, 4]],
  [[2, 2, 3, 2, 3, 2], [0, 1, 4, 2, 5, 3]],
  [[2, 3, 2, 1, 3, 4], [5, 3, 1, 0, 2, 4]],
  [[2, 3, 2, 2, 3, 2, 2], [6, 4, 2, 0, 1, 3, 5]],
];

describe('transpose against plain loops, and the adjoint identity', () => {
  test.each(CASES)('%j by %j', async (shape, order) => {
    const x = random(shape, 1);
    const subject: Subject = { op: 'transpose', attributes: { order }, x: [x] };
    const twin = transposeTwin(x, order);
    expectAdjoint(subject, await prove(engine(), subject, twin, exact), twin);
  });

  test.each([[[2, 3, 5, 7], [0, 2, 3, 1]], [[2, 3, 1, 8], [1, 0, 2, 3]], [[2, 3, 1, 8], [0, 2, 1, 3]]] as const)('%j by %j, gradients of two branches', async (shape, order) => {
    const x = random(shape, 1);
    await prove(engine(), { op: 'transpose', attributes: { order }, x: [x] }, transposeTwin(x, order), { twice: true, ...exact });
  });
});

test('an order that moves nothing costs nothing inside a network', () => {
  const layers = [node('a', 'relu', ['x']), node('b', 'transpose', ['a.y'], { order: [0, 2, 3, 1] }), node('c', 'relu', ['b.y'])];
  const steps = (shape: readonly number[]): string[] =>
    [...compile(network({ x: shape }, layers), { layers: ['c'], capabilities: engine().capabilities }).passes.values()].flat().map(({ kernel }) => kernel);
  expect(steps([1, 8, 1, 1])).toEqual(['relu', 'relu']);
  expect(steps([1, 8, 2, 2])).toEqual(['relu', 'transpose', 'relu']);
});

test.each([[[0, 1]], [[0, 1, 1]], [[0, 1, 3]], [[]], [[0, 0.5, 2]]])('the order %j of three axes is refused', async (order) => {
  await expect(run(engine(), { op: 'transpose', attributes: { order }, x: [random([2, 3, 4], 1)] })).rejects.toThrow('each of the 3 axes');
});

describe('a planted bug in transpose is noticed', () => {
  const [x, order] = [random([2, 3, 5, 7], 1), [0, 2, 3, 1]];
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'a stride is wrong', pass: 'forward', find: '* 35u', replace: '* 34u' },
    { name: 'the batch is left out', pass: 'forward', find: '(i / 105u) * 105u + ', replace: '' },
    { name: 'the gradient goes forward', pass: 'backward', find: '% 35u', replace: '% 34u' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    await expectCaught(engine(), { op: 'transpose', attributes: { order }, x: [x] }, transposeTwin(x, order), bug, { twice, ...exact });
  });
});
