/** Reshape, flatten and identity: they have no kernel; y shares the memory of x. */
import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type Subject, type Twin } from './harness.ts';
import { random, Sum } from './reference.ts';

const engine = useEngine();

/** The same numbers under another shape, both ways. */
function viewTwin(x: ArrayLike<number>, from: readonly number[], to: readonly number[]): Twin {
  return { y: Sum.of(to, (i) => x[i]!), dx: (dy) => [Sum.of(from, (i) => dy[i]!)] };
}

const VIEWS: readonly { op: string; x: readonly number[]; attributes?: Attributes; y: readonly number[] }[] = [
  { op: 'identity', x: [2, 3, 5], y: [2, 3, 5] },
  { op: 'flatten', x: [2, 3, 5, 7], y: [2, 105] },
  { op: 'flatten', x: [2, 3, 5, 7], attributes: { axis: 0 }, y: [1, 210] },
  { op: 'flatten', x: [2, 3, 5, 7], attributes: { axis: 2 }, y: [6, 35] },
  { op: 'flatten', x: [2, 3, 5, 7], attributes: { axis: 4 }, y: [210, 1] },
  { op: 'flatten', x: [5], y: [5, 1] },
  { op: 'reshape', x: [2, 3, 4], y: [2, 12] },
  { op: 'reshape', x: [2, 3, 4], attributes: { shape: [4, 6] }, y: [4, 6] },
  { op: 'reshape', x: [2, 3, 4], attributes: { shape: [0, 0, 2, -1] }, y: [2, 3, 2, 2] },
  { op: 'reshape', x: [2, 3, 4], attributes: { shape: [-1] }, y: [24] },
  { op: 'reshape', x: [1], attributes: { shape: [1, 1, 1, 1] }, y: [1, 1, 1, 1] },
];
const exact = { exact: true, exactGradient: true };

describe('views', () => {
  test.each(VIEWS)('$op of $x to $y', async ({ op, x: shape, attributes = {}, y }) => {
    const x = random(shape, 1);
    const subject: Subject = { op, attributes, x: [x] };
    const twin = viewTwin(x.data, shape, y);
    expectAdjoint(subject, await prove(engine(), subject, twin, exact), twin);
  });

  test.each(['identity', 'flatten', 'reshape'])('%s, gradients of two branches', async (op) => {
    const x = random([3, 5], 1);
    await prove(engine(), { op, x: [x] }, viewTwin(x.data, [3, 5], [3, 5]), { twice: true, ...exact });
  });

  test.each([
    [[5, 5]],
    [[-1, -1]],
    [[-1, 7]],
    [[-2, 12]],
    [[2, 3, 4, 0]],
  ])('[2, 3, 4] does not become %j', async (shape) => {
    await expect(run(engine(), { op: 'reshape', attributes: { shape }, x: [random([2, 3, 4], 1)] })).rejects.toThrow('cannot be reshaped');
  });
});

test('a planted bug is noticed: the gradient of a branch is forgotten', async () => {
  const x = random([3, 5], 1);
  const bug = { name: 'the gradient of a branch is forgotten', find: '= dx[part] +', replace: '=' };
  await expectCaught(engine(), { op: 'flatten', x: [x] }, viewTwin(x.data, [3, 5], [3, 5]), bug, { twice: true, ...exact });
});
