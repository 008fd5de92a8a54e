import { describe, expect, test } from 'vitest';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { random, Sum } from './reference.ts';

const engine = useEngine();

/** y[n, c] = mean of the plane; every pixel of it receives dy / (H W). */
function globalAveragePoolTwin(x: ArrayLike<number>, shape: readonly number[]): Twin {
  const [N, C, H, W] = shape as [number, number, number, number];
  const y = new Sum([N, C, 1, 1]);
  for (let i = 0; i < x.length; i++) y.add(Math.floor(i / (H * W)), x[i]! / (H * W));
  return { y, dx: (dy) => [Sum.of(shape, (i) => dy[Math.floor(i / (H * W))]! / (H * W))] };
}

const subjectOf = (shape: readonly number[]): { subject: Subject; twin: Twin } => {
  const x = random(shape, 1, -1, 2);
  return { subject: { op: 'global_average_pool', x: [x] }, twin: globalAveragePoolTwin(x.data, shape) };
};

describe('global_average_pool against plain loops, and the adjoint identity', () => {
  test.each([{ shape: [1, 1, 1, 1] }, { shape: [3, 5, 7, 2] }, { shape: [2, 67, 1, 3] }, { shape: [1, 3, 13, 1] }, { shape: [1, 2, 61, 53] }, { shape: [3, 7, 7, 7] }, { shape: [2, 3, 4, 8] }])(
    '$shape',
    async ({ shape }) => {
      const { subject, twin } = subjectOf(shape);
      const outcome = await prove(engine(), subject, twin);
      expectAdjoint(subject, outcome, twin);
    },
  );

  test('gradients of two branches', async () => {
    const { subject, twin } = subjectOf([2, 3, 5, 4]);
    await prove(engine(), subject, twin, { twice: true });
  });
});

test('three axes are refused', async () => {
  await expect(run(engine(), { op: 'global_average_pool', x: [random([1, 2, 3], 1)] })).rejects.toMatchObject({ code: 'model-invalid' });
});

describe('a planted bug in global_average_pool is noticed', () => {
  const bugs: readonly (PlantedBug & { readonly twice?: boolean; readonly in?: readonly number[] })[] = [
    { name: 'the last column is left out', pass: 'forward', find: '+ x[at + 15u]', replace: '' },
    { name: 'what the turns leave over is left out', pass: 'forward', find: 'var sum = x[i * 20u] +', replace: 'var sum =' },
    { name: 'a sum instead of a mean', pass: 'forward', find: 'sum / (20.0f)', replace: 'sum' },
    { name: 'the gradient is not divided', pass: 'backward', find: '/ (20.0f)', replace: '' },
    { name: 'the next plane is written too', pass: 'backward', find: /if \(part .*\) \{/, replace: 'if (true) {' , in: [1, 1, 9, 1] },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, in: shape = [2, 3, 5, 4], ...bug }) => {
    const { subject, twin } = subjectOf(shape);
    await expectCaught(engine(), subject, twin, bug, { twice });
  });
});
