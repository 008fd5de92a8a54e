import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, random, Sum } from './reference.ts';

const engine = useEngine();

/** For every element of y: the part that it comes from, and its index there. */
function concatTwin(x: readonly Tensor[], axis: number): Twin {
  const shape = x[0]!.shape.map((size, i) => (i === axis ? x.reduce((sum, part) => sum + part.shape[axis]!, 0) : size));
  const inner = count(shape.slice(axis + 1));
  const source = Array.from({ length: count(shape) }, (_, i) => {
    let along = Math.floor(i / inner) % shape[axis]!;
    let part = 0;
    while (along >= x[part]!.shape[axis]!) along -= x[part++]!.shape[axis]!;
    const outer = Math.floor(i / inner / shape[axis]!);
    return { part, at: (outer * x[part]!.shape[axis]! + along) * inner + (i % inner) };
  });
  return {
    y: Sum.of(shape, (i) => x[source[i]!.part]!.data[source[i]!.at]!),
    dx(dy) {
      const dx = x.map((part) => new Sum(part.shape));
      source.forEach(({ part, at }, i) => dx[part]!.add(at, dy[i]!));
      return dx;
    },
  };
}

const exact = { exact: true, exactGradient: true };

describe('concat against plain loops, and the adjoint identity', () => {
  test.each([
    { axis: 0, sizes: [1, 3, 2] },
    { axis: 1, sizes: [5, 1, 7] },
    { axis: 2, sizes: [2, 3] },
    { axis: 3, sizes: [1, 1, 4, 3] },
    { axis: 1, sizes: [3] },
    { axis: 1, sizes: [4, 8] }, // whole fours
    { axis: 1, sizes: [4, 8, 3] },
  ])('axis $axis, sizes $sizes', async ({ axis, sizes }) => {
    const x = sizes.map((size, i) => random([2, 3, 5, 7].map((n, a) => (a === axis ? size : n)), i));
    const subject: Subject = { op: 'concat', attributes: { axis }, x };
    const twin = concatTwin(x, axis);
    expectAdjoint(subject, await prove(engine(), subject, twin, exact), twin);
  });

  test('vectors', async () => {
    const x = [random([3], 1), random([4], 2)];
    await prove(engine(), { op: 'concat', attributes: { axis: 0 }, x }, concatTwin(x, 0), exact);
  });

  test('twenty parts', async () => {
    const x = Array.from({ length: 20 }, (_, i) => random([2, 1 + (i % 3), 3], i));
    await prove(engine(), { op: 'concat', x }, concatTwin(x, 1), exact);
  });

  test('gradients of two branches', async () => {
    const x = [random([2, 3, 5], 1), random([2, 1, 5], 2)];
    await prove(engine(), { op: 'concat', x }, concatTwin(x, 1), { twice: true, ...exact });
  });
});

test.each([
  ['sizes that differ elsewhere', [[2, 3, 4], [2, 3, 5]], 'differ outside axis 1'],
  ['ranks that differ', [[2, 3], [2, 3, 1]], 'differ outside axis 1'],
  ['an axis that is not there', [[3]], 'axis 1'],
] as const)('%s: refused', async (_, shapes, message) => {
  await expect(run(engine(), { op: 'concat', x: shapes.map((shape) => random(shape, 1)) })).rejects.toThrow(message);
});

describe('a planted bug in concat is noticed', () => {
  const x = [random([2, 3, 5], 1), random([2, 2, 5], 2)];
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the second part starts one row late', find: '+ 15u +', replace: '+ 16u +' },
    { name: 'the parts of the second image are packed', pass: 'forward', find: '* 25u', replace: '* 15u' },
    { name: 'the gradient of the second part is that of the first', pass: 'backward', find: '+ 15u +', replace: '+ 0u +' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[part] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    await expectCaught(engine(), { op: 'concat', x }, concatTwin(x, 1), bug, { twice, ...exact });
  });
});
