import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Twin } from './harness.ts';
import { filled, random, Sum } from './reference.ts';

const engine = useEngine();

/** y[n, c] = the largest element of the plane; the first one that reaches it, in row-major order, receives all of dy. */
function globalMaxPoolTwin(x: ArrayLike<number>, shape: readonly number[]): Twin {
  const [N, C, H, W] = shape as [number, number, number, number];
  const winner = Array.from({ length: N * C }, (_, plane) => {
    let best = plane * H * W;
    for (let i = best; i < (plane + 1) * H * W; i++) if (x[i]! > x[best]!) best = i;
    return best;
  });
  return {
    y: Sum.of([N, C, 1, 1], (plane) => x[winner[plane]!]!),
    dx(dy) {
      const dx = new Sum(shape);
      winner.forEach((i, plane) => dx.add(i, dy[plane]!));
      return [dx];
    },
  };
}

const subjectOf = (x: Tensor) => ({ subject: { op: 'global_max_pool', x: [x] }, twin: globalMaxPoolTwin(x.data, x.shape) });

describe('global_max_pool against plain loops', () => {
  const shapes = [[1, 1, 1, 1], [3, 5, 7, 2], [2, 67, 1, 3], [1, 3, 13, 1], [1, 2, 61, 53], [2, 3, 8, 8]];
  test.each(shapes.flatMap((shape) => [true, false].map((software) => ({ shape, software }))))('$shape, software $software', async ({ shape, software }) => {
    const { subject, twin } = subjectOf(random(shape, 1));
    await prove(engine(), subject, twin, { exact: true, exactGradient: true, capabilities: { software } });
  });

  test.each([
    ['all equal', () => 0],
    ['all negative, ties', (i: number) => -1 - (i % 4)],
    ['the last one', (i: number) => i],
  ])('ties and signs: %s', async (_, value) => {
    for (const shape of [[2, 2, 5, 3], [1, 2, 11, 9]]) {
      const { subject, twin } = subjectOf(filled(shape, value));
      await prove(engine(), subject, twin, { exact: true, exactGradient: true });
    }
  });

  test('gradients of two branches', async () => {
    const { subject, twin } = subjectOf(random([2, 3, 5, 4], 1));
    await prove(engine(), subject, twin, { twice: true });
  });
});

test('central differences of the twin', () => {
  const shape = [2, 3, 3, 4];
  expectCentralDifferences((x) => globalMaxPoolTwin(x, shape), filled(shape, (i) => ((i * 31) % 72) * 0.01));
});

test('three axes are refused', async () => {
  await expect(run(engine(), { op: 'global_max_pool', x: [random([1, 2, 3], 1)] })).rejects.toMatchObject({ code: 'model-invalid' });
});

describe('a planted bug in global_max_pool is noticed', () => {
  const small = [2, 2, 5, 4];
  const large = [2, 2, 11, 9];
  const bugs: readonly (PlantedBug & { readonly twice?: boolean; readonly in: readonly number[] })[] = [
    { name: 'the last maximum wins', pass: 'forward', find: /(v\d+_\d+) > best/, replace: '$1 >= best', in: small },
    { name: 'of a large plane the last maximum wins', pass: 'forward', find: 'value > best', replace: 'value >= best', in: large },
    { name: 'every pixel takes the gradient', pass: 'backward', find: /tap\w+ == \d+u/, replace: 'true', in: small },
    { name: 'of a large plane every pixel takes the gradient', pass: 'backward', find: /winner\[o\] == [^)]*\)/, replace: 'true)', in: large },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true, in: small },
  ];
  test.each(bugs)('$name', async ({ twice = false, in: shape, ...bug }) => {
    const { subject, twin } = subjectOf(filled(shape, (i) => -1 - ((i * 7) % 5)));
    await expectCaught(engine(), subject, twin, bug, { exact: true, twice, capabilities: { software: true } });
  });
});
