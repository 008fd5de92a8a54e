import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type RunOptions, type Subject, type Twin } from './harness.ts';
import { count, filled, numbers, random, Sum } from './reference.ts';
import { POOL_CASES, poolWindows, SMALL_CASES, type PoolCase } from './windows.ts';

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
const check = async (c: PoolCase, x: Tensor, options: RunOptions = {}): Promise<void> => {
  await prove(engine(), subjectOf(c, x), maxPoolTwin(x.data, c), { exact: true, ...options });
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

describe.each([
  ['tiles for a processor', true],
  ['one output an invocation, for a GPU', false],
])('max_pool against plain loops, %s', (_, software) => {
  const capabilities = { software };

  test.each(Object.entries(POOL_CASES))('%s', (_name, c) => check(c, random(c.x, 1), { capabilities }));

  test('gradients of two branches', () => {
    const c = POOL_CASES['3x3 by 2, ceil']!;
    return check(c, random(c.x, 2), { capabilities, twice: true });
  });
});

describe('max_pool against plain loops', () => {
  test.each(SMALL_CASES)('$x, kernel $kernel by $stride', (c) => check(c, filled(c.x, (i) => (i * 7) % 4)));

  test('gradients of two branches over windows too large to unroll', () => {
    const c = POOL_CASES['windows too large to unroll']!;
    return check(c, random(c.x, 2), { twice: true });
  });

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

test('more workgroups than one axis of the grid holds', async () => {
  const c: PoolCase = { x: [1, 1025, 64, 64], kernel: [1, 1] };
  await check(c, random(c.x, 1), { capabilities: { software: false } });
});

test('a window that does not fit is refused', async () => {
  const x = random([1, 1, 2, 2], 1);
  await expect(run(engine(), { op: 'max_pool', attributes: { kernel: [3, 3] }, x: [x] })).rejects.toThrow('does not fit');
});

describe('a planted bug in max_pool is noticed', () => {
  const padded: PoolCase = { x: [2, 2, 7, 6], kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] };
  const bugs: readonly (PlantedBug & { readonly twice?: boolean; readonly in?: PoolCase })[] = [
    { name: 'the last maximum wins', pass: 'forward', find: /(v\d+_\d+) > best/, replace: '$1 >= best' },
    {
      name: 'the border counts as zero',
      pass: 'forward',
      find: /select\(\(-3[^,]+, (.*\);\n.*\n.*let found\w+ = ).*;/,
      replace: 'select(0.0, $1true;',
    },
    { name: 'the border is read', pass: 'forward', find: /let inX0 = .*;/, replace: 'let inX0 = true;' },
    { name: 'the padding is off by one', pass: 'forward', find: /let x0 = (.*) - 1u;/, replace: 'let x0 = $1 - 0u;' },
    { name: 'the last tap is left out', pass: 'forward', find: /select\((best\w+_7), .*\);/, replace: '$1;' },
    { name: 'the gradient visits too few windows', pass: 'backward', find: /let d0_(\w+) = .*;/, replace: 'let d0_$1 = 0.0;' },
    { name: 'every window that covers the pixel counts', pass: 'backward', find: /tap\w+ == \d+u/, replace: 'true' },
    { name: 'a window takes the winner of its neighbour', pass: 'backward', find: '& 65280u', replace: '& 255u' },
    { name: 'a window that is none counts', pass: 'backward', find: /let in(\w+) = .*;/, replace: 'let in$1 = true;', in: { x: [1, 2, 5, 5], kernel: [2, 2], stride: [1, 1] } },
    { name: 'the end of the last block is written', pass: 'backward', find: /if \((row|column)0 .*\) \{/, replace: 'if (true) {', in: { x: [1, 1, 5, 5], kernel: [2, 2], stride: [2, 2] } },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
    { name: 'of windows in loops the last maximum wins', find: 'value > best', replace: 'value >= best', in: { x: [1, 2, 11, 9], kernel: [9, 9] } },
    { name: 'windows in loops are visited from the second one', find: /min\((reachx \/ 1u), 2u\)/, replace: 'min($1, 1u)', in: { x: [1, 2, 11, 11], kernel: [9, 9] } },
  ];
  test.each(bugs)('$name', async ({ twice = false, in: c = padded, ...bug }) => {
    const x = filled(c.x, (i) => -1 - ((i * 7) % 5));
    await expectCaught(engine(), subjectOf(c, x), maxPoolTwin(x.data, c), bug, { exact: true, twice, capabilities: { software: true } });
  });
});
