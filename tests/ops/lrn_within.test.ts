import { describe, expect, test } from 'vitest';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Twin } from './harness.ts';
import { random, Sum } from './reference.ts';

const engine = useEngine();

interface Case {
  readonly x: readonly [number, number, number, number];
  readonly size: number;
  readonly alpha?: number;
  readonly beta?: number;
}

/** s = 1 + alpha / size^2 sum of x^2 over the square around a position; y = x s^-beta; dx by the chain rule. */
function lrnWithinTwin(x: ArrayLike<number>, { x: shape, size, alpha = 1, beta = 0.75 }: Case): Twin {
  const [, , H, W] = shape;
  const reach = (size - 1) / 2;
  const windowOf = (i: number): number[] => {
    const [row, column] = [Math.floor(i / W) % H, i % W];
    const found: number[] = [];
    for (let r = -reach; r <= reach; r++) {
      for (let c = -reach; c <= reach; c++) {
        if (row + r >= 0 && row + r < H && column + c >= 0 && column + c < W) found.push(i + r * W + c);
      }
    }
    return found;
  };
  const s = Float64Array.from(x, (_, i) => 1 + (alpha / size ** 2) * windowOf(i).reduce((sum, j) => sum + x[j]! * x[j]!, 0));
  return {
    y: Sum.of(shape, (i) => x[i]! * s[i]! ** -beta, size ** 2 + 2),
    dx(dy) {
      const dx = new Sum(shape);
      s.forEach((scale, i) => {
        dx.add(i, dy[i]! * scale ** -beta);
        for (const j of windowOf(i)) dx.add(j, -beta * dy[i]! * x[i]! * scale ** (-beta - 1) * (alpha / size ** 2) * 2 * x[j]!);
      });
      return [dx];
    },
  };
}

describe('lrn_within against plain loops', () => {
  test.each<Case & { readonly twice?: boolean }>([
    { x: [1, 1, 1, 1], size: 3 },
    { x: [2, 3, 7, 5], size: 3 },
    { x: [1, 2, 4, 9], size: 5, alpha: 4, beta: 0.5 },
    { x: [1, 2, 3, 2], size: 9, alpha: 2, beta: 1 },
    { x: [2, 1, 5, 3], size: 1, alpha: 2 },
    { x: [1, 3, 6, 6], size: 3, alpha: 0.5, beta: 0.6 },
    { x: [2, 2, 5, 4], size: 3, alpha: 3, twice: true },
  ])('$x, size $size, alpha $alpha, beta $beta', async ({ twice = false, ...c }) => {
    const { x: shape, ...attributes } = c;
    const x = random(shape, 1, -3, 3);
    // pow of arbitrary exponents is exp2 and log2 of the driver.
    const slack = [0.5, 0.75, 1].includes(c.beta ?? 0.75) ? 1 : 8;
    await prove(engine(), { op: 'lrn_within', attributes, x: [x] }, lrnWithinTwin(x.data, c), { twice, slack });
  });
});

test('central differences of the twin', () => {
  const c: Case = { x: [1, 2, 4, 3], size: 3, alpha: 2 };
  expectCentralDifferences((values) => lrnWithinTwin(values, c), random(c.x, 4, -2, 2));
});

test('passes the gradient as it is where that is asked for', async () => {
  const { dx, dy } = await run(engine(), { op: 'lrn_within', attributes: { size: 3 }, x: [random([2, 2, 4, 3], 1, -3, 3)] }, { lrn: 'identity' });
  expect(dx[0]).toEqual(dy);
});

test.each([0, 2, 2.5])('a size of %d is refused', async (size) => {
  await expect(run(engine(), { op: 'lrn_within', attributes: { size }, x: [random([1, 2, 2, 2], 1)] })).rejects.toMatchObject({ code: 'model-invalid' });
});

describe('a planted bug in lrn_within is noticed', () => {
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the window ends one row early', find: 'min(row + 1u', replace: 'min(row + 0u' },
    { name: 'the window begins one column late', find: 'max(column, 1u) - 1u', replace: 'column' },
    { name: 'the last column is left out', find: /, 4u\); c\+\+/, replace: ', 3u); c++' },
    { name: 'the scale begins at 0', pass: 'forward', find: 'sum, 1.0)', replace: 'sum, 0.0)' },
    { name: 'the exponent is a half', find: '* sqrt(inverseSqrt(s))', replace: '' },
    { name: 'the scale is not divided out', pass: 'backward', find: '/ s[j]', replace: '' },
    { name: 'the gradient of the window is left out', pass: 'backward', find: /- \(\S+\) \* x\[i\] \* sum/, replace: '' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    const c: Case = { x: [2, 2, 6, 5], size: 3, alpha: 3 };
    const { x: shape, ...attributes } = c;
    const x = random(shape, 1, -3, 3);
    await expectCaught(engine(), { op: 'lrn_within', attributes, x: [x] }, lrnWithinTwin(x.data, c), bug, { twice });
  });
});
