import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, filled, numbers, random, Sum } from './reference.ts';
import { POOL_CASES, poolWindows, type PoolCase } from './windows.ts';

const engine = useEngine();

/** y = the largest tap inside the image; the first one that reaches it, in row-major order, receives all of dy. */
function maxPoolTwin(x: ArrayLike<number>, c: PoolCase): Twin {
  const { shape, visit } = poolWindows(c);
  const winner = new Int32Array(count(shape)).fill(-1);
  visit((output, input) => {
    if (input >= 0 && (winner[output]! < 0 || x[input]! > x[winner[output]!]!)) winner[output] = input;
  });
  return {
    y: Sum.of(shape, (i) => (winner[i]! < 0 ? -3.4028234663852886e38 : x[winner[i]!]!)),
    dx(dy) {
      const dx = new Sum(c.x);
      winner.forEach((input, output) => {
        if (input >= 0) dx.add(input, dy[output]!);
      });
      return [dx];
    },
  };
}

const subjectOf = ({ x: _, ...attributes }: PoolCase, x: Tensor): Subject => ({ op: 'max_pool', attributes, x: [x] });
const check = async (c: PoolCase, x: Tensor, twice = false): Promise<void> => {
  await prove(engine(), subjectOf(c, x), maxPoolTwin(x.data, c), { exact: true, twice });
};

/** Numbers of which no two are nearer than 0.01. */
function distinct(shape: PoolCase['x']): Tensor {
  const { integer } = numbers(5);
  const values = Array.from({ length: count(shape) }, (_, i) => i * 0.01 - 1);
  for (let i = values.length - 1; i > 0; i--) {
    const j = integer(0, i);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return filled(shape, (i) => values[i]!);
}

describe('max_pool against plain loops', () => {
  test.each(Object.entries(POOL_CASES))('%s', (_, c) => check(c, random(c.x, 1)));

  test.each([
    ['zeros', () => 0],
    ['a negative constant', () => -2.5],
    ['the two zeros', (i: number) => (i % 2 ? 0 : -0)],
    ['few integers', (i: number) => ((i * 7) % 5) - 2],
    ['negative numbers only', (i: number) => -1 - ((i * 13) % 17)],
    ['very large negative numbers', (i: number) => -3e38 - i * 1e35],
  ])('ties and signs: %s', async (_, value) => {
    const c: PoolCase = { x: [2, 2, 7, 6], kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] };
    await check(c, filled(c.x, value));
  });

  test('overlapping windows share a winner', async () => {
    const c: PoolCase = { x: [1, 1, 5, 5], kernel: [3, 3] };
    await check(c, filled(c.x, (i) => (i === 12 ? 1 : 0)));
  });

  test('a window that lies in the padding takes no gradient', async () => {
    const c: PoolCase = { x: [1, 1, 3, 3], kernel: [2, 2], stride: [2, 2], padding: [2, 2, 2, 2] };
    await check(c, filled(c.x, (i) => -i));
  });

  test('gradients of two branches', () => {
    const c = POOL_CASES['3x3 by 2, ceil']!;
    return check(c, random(c.x, 2), true);
  });
});

test.each(['3x3 by 2', 'dilated', 'ceil with asymmetric padding'])('central differences of the twin, %s', (name) => {
  const c = POOL_CASES[name]!;
  expectCentralDifferences((x) => maxPoolTwin(x, c), distinct(c.x));
});

test('max_pool of any shape from 1 to 17', async () => {
  const few = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
  const two = (max: number): fc.Arbitrary<[number, number]> => fc.tuple(few(max), few(max));
  const four = fc.tuple(few(2, 0), few(2, 0), few(2, 0), few(2, 0));
  const cases = fc.record({ size: two(17), kernel: two(5), stride: two(4), dilation: two(3), padding: four, ceil: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(cases, async ({ size, ...rest }) => {
      const c: PoolCase = { x: [1, 3, ...size], ...rest };
      const { shape } = poolWindows({ ...c, ceil: false });
      fc.pre(shape[2] > 0 && shape[3] > 0);
      await check(c, filled(c.x, (i) => ((i * 31) % 11) - 5));
    }),
    { numRuns: 12, seed: 7, endOnFailure: true },
  );
});

test('a window that does not fit is refused', async () => {
  const x = random([1, 1, 2, 2], 1);
  await expect(run(engine(), { op: 'max_pool', attributes: { kernel: [3, 3] }, x: [x] })).rejects.toThrow('does not fit');
});

describe('a planted bug in max_pool is noticed', () => {
  const c: PoolCase = { x: [2, 2, 7, 6], kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] };
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the last maximum wins', find: 'value > best', replace: 'value >= best' },
    { name: 'the border counts as zero', find: /var best = [^;]+;(\s+var at = 0u;)\s+var found = false;/, replace: 'var best = 0.0; $1 var found = true;' },
    { name: 'the padding is off by one', find: /- 1 \+ kx/, replace: '- 0 + kx' },
    { name: 'the last tap is left out', pass: 'forward', find: 'kx < 3', replace: 'kx < 2' },
    { name: 'the gradient visits too few windows', pass: 'backward', find: 'lastX - 1', replace: 'lastX - 0' },
    { name: 'every window that covers the pixel counts', pass: 'backward', find: 'winner[o] == here', replace: 'true' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    const x = filled(c.x, (i) => -1 - ((i * 7) % 5));
    await expectCaught(engine(), subjectOf(c, x), maxPoolTwin(x.data, c), bug, { exact: true, twice });
  });
});
