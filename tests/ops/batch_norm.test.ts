import { describe, expect, test } from 'vitest';
import type { Attributes, Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, dot, random, Sum } from './reference.ts';

const engine = useEngine();

/** y = scale (x - mean) / sqrt(variance + epsilon) + shift, per channel. */
function batchNormTwin(x: Tensor, weights: Readonly<Record<string, Tensor>>, epsilon: number): Twin & { at0: Float64Array } {
  const C = x.shape[1]!;
  const plane = count(x.shape.slice(2));
  const of = (role: string, i: number): number => weights[role]!.data[Math.floor(i / plane) % C]!;
  const slope = (i: number): number => of('scale', i) / Math.sqrt(of('variance', i) + epsilon);
  const y = new Sum(x.shape);
  x.data.forEach((v, i) => {
    y.add(i, slope(i) * v);
    y.add(i, -slope(i) * of('mean', i));
    y.add(i, of('shift', i));
  });
  return {
    y,
    dx: (dy) => [Sum.of(x.shape, (i) => slope(i) * dy[i]!)],
    at0: Float64Array.from(x.data, (_, i) => of('shift', i) - slope(i) * of('mean', i)),
  };
}

function subjectOf(shape: readonly number[], epsilon?: number): { subject: Subject; twin: ReturnType<typeof batchNormTwin> } {
  const channels = [shape[1]!];
  const weights = { scale: random(channels, 2, -2, 2), shift: random(channels, 3), mean: random(channels, 4), variance: random(channels, 5, 0, 2) };
  const x = random(shape, 1);
  const attributes: Attributes = epsilon === undefined ? {} : { epsilon };
  return { subject: { op: 'batch_norm', attributes, weights, x: [x] }, twin: batchNormTwin(x, weights, epsilon ?? 1e-5) };
}

describe('batch_norm against plain loops, and the adjoint identity', () => {
  test.each([
    { shape: [1, 1, 1, 1] },
    { shape: [3, 5, 7, 2] },
    { shape: [2, 13, 1, 3] },
    { shape: [4, 7] },
    { shape: [2, 3, 11] },
    { shape: [2, 3, 5, 7], epsilon: 0.1 },
    { shape: [3, 2, 4, 5] },
    { shape: [2, 5, 6, 6] },
    { shape: [2, 3, 2, 2] },
  ])('$shape, epsilon $epsilon', async ({ shape, epsilon }) => {
    const { subject, twin } = subjectOf(shape, epsilon);
    const outcome = await prove(engine(), subject, twin);
    expectAdjoint(subject, outcome, twin, dot(twin.at0, outcome.dy.data).value);
  });

  test.each([{ shape: [2, 3, 5, 4] }, { shape: [2, 3, 5, 3] }])('gradients of two branches, $shape', async ({ shape }) => {
    const { subject, twin } = subjectOf(shape);
    await prove(engine(), subject, twin, { twice: true });
  });
});

test('weights of another number of channels are refused', async () => {
  const { subject } = subjectOf([1, 3, 2, 2]);
  await expect(run(engine(), { ...subject, x: [random([1, 4, 2, 2], 1)] })).rejects.toMatchObject({ code: 'model-invalid' });
});

describe('a planted bug in batch_norm is noticed', () => {
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the shift is dropped', find: '+ b[c]', replace: '+ 0.0 * b[c]' },
    { name: 'the channel index runs on with the batch', find: '% 3u', replace: '% 6u' },
    { name: 'the slope is left out of the gradient', pass: 'backward', find: /a\[c\] \* (v\d)/, replace: '$1 + 0.0 * a[c]' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    const { subject, twin } = subjectOf([2, 3, 5, 4]);
    await expectCaught(engine(), subject, twin, bug, { twice });
  });
});
