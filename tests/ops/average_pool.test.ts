import fc from 'fast-check';
import { describe, test } from 'vitest';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, random, Sum } from './reference.ts';
import { POOL_CASES, poolWindows, type PoolCase } from './windows.ts';

const engine = useEngine();

type Case = PoolCase & { readonly countIncludePad?: boolean };

/** y = sum over the taps inside the image / their number, or the number of taps inside image and padding. */
function averagePoolTwin(x: ArrayLike<number>, c: Case): Twin {
  const { shape, visit } = poolWindows(c);
  const [top, left, bottom, right] = c.padding ?? [0, 0, 0, 0];
  const areas = new Float64Array(count(shape));
  visit((output, input, iy, ix) => {
    const inPadded = iy >= -top && ix >= -left && iy < c.x[2] + bottom && ix < c.x[3] + right;
    if (c.countIncludePad ? inPadded : input >= 0) areas[output]!++;
  });
  const y = new Sum(shape);
  visit((output, input) => {
    if (input >= 0) y.add(output, x[input]! / areas[output]!);
  });
  return {
    y,
    dx(dy) {
      const dx = new Sum(c.x);
      visit((output, input) => {
        if (input >= 0) dx.add(input, dy[output]! / areas[output]!);
      });
      return [dx];
    },
  };
}

const check = async (c: Case, twice = false): Promise<void> => {
  const { x: shape, ...attributes } = c;
  const x = random(shape, 1);
  const subject: Subject = { op: 'average_pool', attributes, x: [x] };
  const twin = averagePoolTwin(x.data, c);
  const outcome = await prove(engine(), subject, twin, { twice });
  if (!twice) expectAdjoint(subject, outcome, twin);
};

describe('average_pool against plain loops, and the adjoint identity', () => {
  test.each(Object.entries(POOL_CASES))('%s', (_, c) => check(c));

  test.each(Object.entries(POOL_CASES).filter(([, { padding }]) => padding))('%s, padding counted', (_, c) => check({ ...c, countIncludePad: true }));

  test('padding counted, no padding, ceil: the window is clipped', () => check({ ...POOL_CASES['3x3 by 2, ceil']!, countIncludePad: true }));

  test('a window without any pixel gives 0', () => check({ x: [1, 1, 3, 3], kernel: [2, 2], stride: [2, 2], padding: [2, 2, 2, 2] }));

  test('gradients of two branches', () => check(POOL_CASES['3x3 by 1, padded']!, true));
});

test('average_pool of any shape from 1 to 17', async () => {
  const few = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
  const two = (max: number): fc.Arbitrary<[number, number]> => fc.tuple(few(max), few(max));
  const four = fc.tuple(few(2, 0), few(2, 0), few(2, 0), few(2, 0));
  const flags = { ceil: fc.boolean(), countIncludePad: fc.boolean() };
  const cases = fc.record({ size: two(17), kernel: two(5), stride: two(4), dilation: two(3), padding: four, ...flags });
  await fc.assert(
    fc.asyncProperty(cases, async ({ size, ...rest }) => {
      const c: Case = { x: [2, 1, ...size], ...rest };
      const { shape } = poolWindows({ ...c, ceil: false });
      fc.pre(shape[2] > 0 && shape[3] > 0);
      await check(c);
    }),
    { numRuns: 12, seed: 11, endOnFailure: true },
  );
});

describe('a planted bug in average_pool is noticed', () => {
  const c: Case = { x: [2, 2, 7, 6], kernel: [3, 2], stride: [2, 2], padding: [1, 1, 1, 1], ceil: true };
  const bugs: readonly (PlantedBug & { readonly twice?: boolean; readonly countIncludePad?: boolean })[] = [
    { name: 'divides by the whole kernel', find: 'if (at >= low && at < high) { count++; }', replace: 'count++;' },
    { name: 'padding after the image is not counted', find: /, -1, 8\)/, replace: ', -1, 7)', countIncludePad: true },
    { name: 'the area of the gradient is that of another window', pass: 'backward', find: 'taps(oy * 2 - 1', replace: 'taps(oy * 2 - 0' },
    { name: 'the padding is off by one', pass: 'forward', find: '- 1 + ky', replace: '- 0 + ky' },
    { name: 'a pixel before the image is read', pass: 'forward', find: 'if (ix < 0 ||', replace: 'if (' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, countIncludePad = false, ...bug }) => {
    const { x: shape, ...attributes } = c;
    const x = random(shape, 1);
    const subject: Subject = { op: 'average_pool', attributes: { ...attributes, countIncludePad }, x: [x] };
    await expectCaught(engine(), subject, averagePoolTwin(x.data, { ...c, countIncludePad }), bug, { twice });
  });
});
