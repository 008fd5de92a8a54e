import { describe, expect, test } from 'vitest';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Twin } from './harness.ts';
import { count, random, Sum } from './reference.ts';

const engine = useEngine();

interface Case {
  readonly x: readonly number[];
  readonly size: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly k?: number;
}

/**
 * s[c] = k + alpha / size sum of x[j]^2 over floor((size-1)/2) channels below c, c and ceil((size-1)/2) above;
 * y = x s^-beta. dx by the chain rule: dy[j] reaches x[c] through s[j] wherever c lies in the window of j.
 */
function lrnTwin(x: ArrayLike<number>, { x: shape, size, alpha = 1e-4, beta = 0.75, k = 1 }: Case): Twin {
  const C = shape[1]!;
  const plane = count(shape.slice(2));
  const windowOf = (i: number): number[] => {
    const c = Math.floor(i / plane) % C;
    const found: number[] = [];
    for (let j = c - Math.floor((size - 1) / 2); j <= c + Math.ceil((size - 1) / 2); j++) if (j >= 0 && j < C) found.push(i + (j - c) * plane);
    return found;
  };
  const s = Float64Array.from(x, (_, i) => k + (alpha / size) * windowOf(i).reduce((sum, j) => sum + x[j]! * x[j]!, 0));
  return {
    y: Sum.of(shape, (i) => x[i]! * s[i]! ** -beta, size + 2),
    dx(dy) {
      const dx = new Sum(shape);
      s.forEach((scale, i) => {
        dx.add(i, dy[i]! * scale ** -beta);
        for (const j of windowOf(i)) dx.add(j, -beta * dy[i]! * x[i]! * scale ** (-beta - 1) * (alpha / size) * 2 * x[j]!);
      });
      return [dx];
    },
  };
}

const check = async (c: Case, twice = false): Promise<void> => {
  const { x: shape, ...attributes } = c;
  const x = random(shape, 1, -3, 3);
  // pow of arbitrary exponents is exp2 and log2 of the driver.
  const slack = [0.5, 0.75, 1].includes(c.beta ?? 0.75) ? 1 : 8;
  await prove(engine(), { op: 'lrn', attributes, x: [x] }, lrnTwin(x.data, c), { twice, slack });
};

describe('lrn against plain loops', () => {
  test.each<Case>([
    { x: [1, 1, 1, 1], size: 5 },
    { x: [3, 7, 3, 5], size: 5, alpha: 1, beta: 0.75, k: 1 },
    { x: [2, 7, 3, 2], size: 4, alpha: 2, beta: 0.5, k: 2 },
    { x: [1, 5, 3, 3], size: 3, alpha: 0.5, beta: 1, k: 1 },
    { x: [2, 6, 2, 3], size: 2, alpha: 1, beta: 0.6, k: 1.5 },
    { x: [1, 4, 2, 2], size: 1, alpha: 1, beta: 0.75 },
    { x: [1, 3, 5, 2], size: 9, alpha: 1, beta: 0.75 },
    { x: [1, 13, 5, 7], size: 5 },
    { x: [2, 9], size: 6, alpha: 1 },
    { x: [1, 11, 3, 3], size: 5, alpha: 1, beta: 2.5, k: 0.5 },
    { x: [2, 1, 3, 3], size: 2, alpha: 1 },
    { x: [3, 8, 2, 3], size: 5, alpha: 1 },
    { x: [2, 17, 3, 1], size: 5, alpha: 1 },
    { x: [2, 19, 2, 2], size: 7, alpha: 1, beta: 1 },
    { x: [1, 16, 2, 3], size: 15, alpha: 1 },
    { x: [2, 41, 1, 3], size: 20, alpha: 4, k: 2 },
    { x: [1, 37, 2, 2], size: 25, alpha: 4, beta: 0.5 },
  ])('$x, size $size, alpha $alpha, beta $beta, k $k', (c) => check(c));

  test.each<Case>([{ x: [2, 7, 3, 2], size: 4, alpha: 2 }, { x: [2, 17, 3, 2], size: 5, alpha: 2 }, { x: [1, 37, 2, 2], size: 25, alpha: 2 }])('gradients of two branches, $x, size $size', (c) => check(c, true));
});

test.each<Case>([
  { x: [2, 5, 2, 3], size: 5, alpha: 1, beta: 0.75, k: 1 },
  { x: [1, 6, 3, 2], size: 4, alpha: 2, beta: 0.6, k: 2 },
])('central differences of the twin, size $size', (c) => {
  expectCentralDifferences((values) => lrnTwin(values, c), random(c.x, 4, -2, 2));
});

test.each<Case>([{ x: [2, 7, 3, 2], size: 4, alpha: 2 }, { x: [3, 9], size: 5, alpha: 1 }])('passes the gradient as it is where that is asked for, $x', async ({ x: shape, ...attributes }) => {
  const subject = { op: 'lrn', attributes, x: [random(shape, 1, -3, 3)] };
  const once = await run(engine(), subject, { lrn: 'identity' });
  expect(once.dx[0]).toEqual(once.dy);
  const { dx, dy } = await run(engine(), subject, { lrn: 'identity', twice: true });
  expect(dx[0]!.data).toEqual(dy.data.map((g) => 2 * g));
});

test('a size of 0 is refused', async () => {
  await expect(run(engine(), { op: 'lrn', attributes: { size: 0 }, x: [random([1, 2, 2, 2], 1)] })).rejects.toMatchObject({ code: 'model-invalid' });
});

describe('a planted bug in lrn is noticed', () => {
  const even: Case = { x: [2, 7, 3, 2], size: 4, alpha: 2, beta: 0.75, k: 2 };
  const wide: Case = { x: [1, 37, 2, 2], size: 25, alpha: 4, k: 2 };
  const bugs: readonly (PlantedBug & { readonly twice?: boolean; readonly in?: Case })[] = [
    { name: 'alpha is not divided by the size', pass: 'forward', find: '(0.5f) * (', replace: '(2.0f) * (' },
    { name: 'the window of an even size leans the other way', pass: 'forward', find: '(square2 + square3 + square4 + square5)', replace: '(square1 + square2 + square3 + square4)' },
    { name: 'the gradient uses the window of the forward pass', pass: 'backward', find: '(t1 + t2 + t3 + t4)', replace: '(t2 + t3 + t4 + t5)' },
    { name: 'a window begins in the image before', find: /let xm1 = .*;/, replace: 'let xm1 = x[at - 6u];', in: { ...even, x: [2, 17, 3, 2] } },
    { name: 'a channel that is not there has a gradient', pass: 'backward', find: /let in6 = .*;/, replace: 'let in6 = true;', in: { ...even, x: [2, 17, 3, 2] } },
    { name: 'the factor 2 alpha beta / size is missing', pass: 'backward', find: /\(0\.75f\) \* (x\d)/, replace: '$1' },
    { name: 'the scale is not divided out', pass: 'backward', find: /(power\w+) \/ s\w+;/, replace: '$1;' },
    { name: 'the exponent is a half', find: '* sqrt(inverseSqrt(s))', replace: '' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
    { name: 'a wide window leaves out its last channel', pass: 'forward', find: 'min(c + 12', replace: 'min(c + 11', in: wide },
    { name: 'the scale in the gradient of a wide window is that of its middle', pass: 'backward', find: 'scaleAt(at, j)', replace: 'scaleAt(i, c)', in: wide },
  ];
  test.each(bugs)('$name', async ({ twice = false, in: c = even, ...bug }) => {
    const { x: shape, ...attributes } = c;
    const x = random(shape, 1, -3, 3);
    await expectCaught(engine(), { op: 'lrn', attributes, x: [x] }, lrnTwin(x.data, c), bug, { twice });
  });
});
