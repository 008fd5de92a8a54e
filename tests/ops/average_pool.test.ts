import fc from 'fast-check';
import { describe, test } from 'vitest';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, type PlantedBug, type RunOptions, type Subject, type Twin } from './harness.ts';
import { count, random, Sum } from './reference.ts';
import { POOL_CASES, poolWindows, SMALL_CASES, type PoolCase } from './windows.ts';

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

const check = async (c: Case, options: RunOptions = {}): Promise<void> => {
  const { x: shape, ...attributes } = c;
  const x = random(shape, 1);
  const subject: Subject = { op: 'average_pool', attributes, x: [x] };
  const twin = averagePoolTwin(x.data, c);
  const outcome = await prove(engine(), subject, twin, options);
  if (!options.twice) expectAdjoint(subject, outcome, twin);
};

describe.each([
  ['tiles for a processor', true],
  ['one output an invocation, for a GPU', false],
])('average_pool against plain loops, and the adjoint identity, %s', (_, software) => {
  const capabilities = { software };

  test.each(Object.entries(POOL_CASES))('%s', (_name, c) => check(c, { capabilities }));

  test.each(Object.entries(POOL_CASES).filter(([, { padding }]) => padding))('%s, padding counted', (_name, c) => check({ ...c, countIncludePad: true }, { capabilities }));

  test('padding counted, no padding, ceil: the window is clipped', () => check({ ...POOL_CASES['3x3 by 2, ceil']!, countIncludePad: true }, { capabilities }));

  test('a window without any pixel gives 0', () => check({ x: [1, 1, 3, 3], kernel: [2, 2], stride: [2, 2], padding: [2, 2, 2, 2] }, { capabilities }));

  test.each(['3x3 by 1, padded', 'windows too large to unroll', 'a large window of the whole image'])('gradients of two branches, %s', (name) =>
    check(POOL_CASES[name]!, { capabilities, twice: true }),
  );
});

test.each(SMALL_CASES)('average_pool of $x, kernel $kernel by $stride', (c) => check(c));

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
  const clipped: Case = { x: [2, 2, 8, 6], kernel: [3, 2], stride: [2, 2], padding: [1, 1, 1, 1], ceil: true };
  const bugs: readonly (PlantedBug & { readonly twice?: boolean; readonly countIncludePad?: boolean; readonly in?: Case })[] = [
    { name: 'divides by the whole kernel', find: /let areaY(\w+) = .*;/, replace: 'let areaY$1 = 3;' },
    { name: 'padding after the image is not counted', find: /max\(9 - start/, replace: 'max(8 - start', countIncludePad: true },
    { name: 'the area of the gradient is that of another window', pass: 'backward', find: /let startY(\w+) = (.*) - 1;/, replace: 'let startY$1 = $2 - 0;' },
    { name: 'the padding is off by one', pass: 'forward', find: /let y0 = (.*) - 1u;/, replace: 'let y0 = $1 - 0u;' },
    { name: 'a pixel before the image is read', pass: 'forward', find: /let inX0 = .*;/, replace: 'let inX0 = true;' },
    { name: 'a window that is none counts', pass: 'backward', find: /let in(\w+) = .*;/, replace: 'let in$1 = true;', in: { x: [1, 2, 5, 5], kernel: [2, 2] } },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
    { name: 'windows in loops leave out the last row', pass: 'forward', find: 'ky < 9u', replace: 'ky < 8u', in: { x: [1, 2, 11, 12], kernel: [9, 11] } },
    { name: 'windows in loops are visited from the second one', pass: 'backward', find: /min\((reachx \/ 1u), 2u\)/, replace: 'min($1, 1u)', in: { x: [1, 2, 11, 11], kernel: [9, 9] } },
  ];
  test.each(bugs)('$name', async ({ twice = false, countIncludePad = false, in: c = clipped, ...bug }) => {
    const { x: shape, ...attributes } = c;
    const x = random(shape, 1);
    const subject: Subject = { op: 'average_pool', attributes: { ...attributes, countIncludePad }, x: [x] };
    await expectCaught(engine(), subject, averagePoolTwin(x.data, { ...c, countIncludePad }), bug, { twice, capabilities: { software: true } });
  });
});
