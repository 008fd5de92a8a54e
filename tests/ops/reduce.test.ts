import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, random, Sum } from './reference.ts';

const engine = useEngine();

const NAMES = ['reduce_mean', 'reduce_sum'] as const;

/** y = sum of x over `axes`, divided by the number of terms for a mean; dx repeats dy, divided likewise. */
function reduceTwin(name: (typeof NAMES)[number], x: Tensor, axes: readonly number[], keep = true): Twin {
  const isSummed = x.shape.map((_, axis) => axes.length === 0 || axes.includes(axis));
  const scale = name === 'reduce_mean' ? 1 / count(x.shape.filter((_, axis) => isSummed[axis])) : 1;
  const place = (i: number): number => {
    let [at, stride] = [0, 1];
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      if (!isSummed[axis]) {
        at += (i % x.shape[axis]!) * stride;
        stride *= x.shape[axis]!;
      }
      i = Math.floor(i / x.shape[axis]!);
    }
    return at;
  };
  const y = new Sum(keep ? x.shape.map((size, axis) => (isSummed[axis] ? 1 : size)) : x.shape.filter((_, axis) => !isSummed[axis]));
  x.data.forEach((v, i) => y.add(place(i), v * scale));
  return { y, dx: (dy) => [Sum.of(x.shape, (i) => dy[place(i)]! * scale)] };
}

const CASES: readonly { readonly shape: readonly number[]; readonly axes: readonly number[]; readonly keep?: boolean }[] = [
  { shape: [5], axes: [0] },
  { shape: [3, 7], axes: [1], keep: false },
  { shape: [3, 7], axes: [0] },
  { shape: [2, 3, 5, 7], axes: [2, 3] },
  { shape: [2, 3, 5, 8], axes: [3, 2], keep: false },
  { shape: [2, 3, 4, 5], axes: [1] },
  { shape: [2, 40, 3, 8], axes: [1], keep: false },
  { shape: [2, 3, 5, 7], axes: [0, 2] },
  { shape: [2, 3, 5, 7], axes: [] },
  { shape: [2, 3, 5, 7], axes: [], keep: false },
  { shape: [2, 1, 5, 1], axes: [1, 3] },
  { shape: [2, 3, 2, 5, 1, 3], axes: [1, 3, 5] },
];

describe.each(NAMES)('%s against plain loops, and the adjoint identity', (op) => {
  test.each(CASES)('$shape over $axes, kept: $keep', async ({ shape, axes, keep = true }) => {
    const x = random(shape, 1);
    const subject: Subject = { op, attributes: { axes, keep }, x: [x] };
    const twin = reduceTwin(op, x, axes, keep);
    expectAdjoint(subject, await prove(engine(), subject, twin), twin);
  });

  test.each([[[2, 3, 9, 11], [2, 3]], [[2, 80, 3, 3], [1]], [[3, 5, 7], []]] as const)('%j over %j, each sum in a workgroup', async (shape, axes) => {
    const x = random(shape, 1);
    await prove(engine(), { op, attributes: { axes }, x: [x] }, reduceTwin(op, x, axes), { capabilities: { software: false } });
  });

  test.each([[[2, 3, 5, 7], [2, 3]], [[2, 3, 4, 8], [1]]] as const)('%j over %j, gradients of two branches', async (shape, axes) => {
    const x = random(shape, 1);
    await prove(engine(), { op, attributes: { axes }, x: [x] }, reduceTwin(op, x, axes), { twice: true });
  });
});

test.each([
  ['an axis that is not there', { axes: [3] }, 'axis 3'],
  ['an axis from behind', { axes: [-1] }, 'axis -1'],
  ['an axis twice', { axes: [1, 1] }, 'name one twice'],
] as const)('%s: refused', async (_, attributes, message) => {
  await expect(run(engine(), { op: 'reduce_mean', attributes, x: [random([2, 3, 4], 1)] })).rejects.toThrow(message);
});

describe('a planted bug in a reduction is noticed', () => {
  const x = random([2, 3, 9, 7], 1);
  const bugs: readonly (PlantedBug & { readonly twice?: boolean; readonly split?: boolean })[] = [
    { name: 'the last term is left out', pass: 'forward', find: 'r < 63u', replace: 'r < 62u' },
    { name: 'the mean divides by too many', pass: 'forward', find: /sum \* \(0\.0158\d*f\)/, replace: 'sum / 64.0' },
    { name: 'a part of a sum is left out', pass: 'forward', find: 'part < 64u', replace: 'part < 62u', split: true },
    { name: 'other planes', pass: 'forward', find: 'i * 63u', replace: 'i * 62u' },
    { name: 'the gradient of other planes', pass: 'backward', find: '(i / 63u)', replace: '(i / 64u)' },
    { name: 'the gradient is not divided', pass: 'backward', find: /\* \(0\.0158\d*f\)/, replace: '' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, split = false, ...bug }) => {
    const subject = { op: 'reduce_mean', attributes: { axes: [2, 3] }, x: [x] };
    await expectCaught(engine(), subject, reduceTwin('reduce_mean', x, [2, 3]), bug, { twice, capabilities: { software: !split } });
  });
});
