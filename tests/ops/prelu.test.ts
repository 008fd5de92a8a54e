import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Twin } from './harness.ts';
import { filled, random, Sum } from './reference.ts';

const engine = useEngine();

/** y = x where x > 0, else slope x; `at` tells which slope belongs to an element of x. */
function preluTwin(x: ArrayLike<number>, shape: readonly number[], slope: Tensor, at: (i: number) => number): Twin {
  const factor = (i: number): number => (x[i]! > 0 ? 1 : slope.data[at(i)]!);
  return {
    y: Sum.of(shape, (i) => factor(i) * x[i]!),
    dx: (dy) => [Sum.of(shape, (i) => factor(i) * dy[i]!)],
  };
}

const exact = { exact: true, exactGradient: true };
const plane = (size: number, channels: number) => (i: number) => Math.floor(i / size) % channels;

const CASES: readonly { readonly x: readonly number[]; readonly slope: readonly number[]; readonly at: (i: number) => number }[] = [
  { x: [2, 3, 5, 7], slope: [3, 1, 1], at: plane(35, 3) },
  { x: [2, 3, 4, 5], slope: [3, 1, 1], at: plane(20, 3) },
  { x: [2, 3, 4, 5], slope: [1, 3, 1, 1], at: plane(20, 3) },
  { x: [2, 3, 5, 7], slope: [1], at: () => 0 },
  { x: [2, 3, 5, 8], slope: [], at: () => 0 },
  { x: [3, 8], slope: [8], at: plane(1, 8) },
  { x: [2, 3, 5, 7], slope: [3, 5, 7], at: (i) => i % 105 },
  { x: [1], slope: [1], at: () => 0 },
];

describe('prelu against plain loops', () => {
  test.each(CASES)('$x, slope $slope', async ({ x: shape, slope: slopes, at }) => {
    const [x, slope] = [random(shape, 1), random(slopes, 2, -0.5, 1.5)];
    await prove(engine(), { op: 'prelu', weights: { slope }, x: [x] }, preluTwin(x.data, shape, slope, at), exact);
  });

  test('zeros take the slope, whatever the rule of ReLU', async () => {
    const [x, slope] = [filled([2, 6], (i) => (i % 3) - 1), filled([6], (i) => 2 + i)];
    for (const rule of ['gradient', 'deconvnet', 'guided'] as const) {
      await prove(engine(), { op: 'prelu', weights: { slope }, x: [x] }, preluTwin(x.data, x.shape, slope, plane(1, 6)), { rule, ...exact });
    }
  });

  test('gradients of two branches', async () => {
    const [x, slope] = [random([2, 3, 5, 4], 1), random([3, 1, 1], 2)];
    await prove(engine(), { op: 'prelu', weights: { slope }, x: [x] }, preluTwin(x.data, x.shape, slope, plane(20, 3)), { twice: true });
  });
});

test('central differences of the twin', () => {
  const x = filled([2, 3, 4], (i) => (i % 2 ? 1 : -1) * (0.1 + i / 50));
  const slope = random([3, 1], 2);
  expectCentralDifferences((values) => preluTwin(values, x.shape, slope, plane(4, 3)), x);
});

test.each([
  ['a slope that does not fit', { slope: random([4, 1], 1) }, 'do not broadcast'],
  ['a slope larger than x', { slope: random([2, 2, 3], 1) }, 'does not broadcast to'],
  ['no slope', {}, "'slope' is missing"],
] as const)('%s: refused', async (_, weights, message) => {
  await expect(run(engine(), { op: 'prelu', weights, x: [random([2, 3], 1)] })).rejects.toThrow(message);
});

describe('a planted bug in prelu is noticed', () => {
  const [x, slope] = [random([2, 3, 5, 4], 1), random([3, 1, 1], 2)];
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the slope is forgotten', pass: 'forward', find: 'q * p', replace: 'p' },
    { name: 'the slopes of other channels', find: '% 3u', replace: '% 2u' },
    { name: 'what lies below 0 is cut off', pass: 'backward', find: 'q * g', replace: 'T(0)' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    await expectCaught(engine(), { op: 'prelu', weights: { slope }, x: [x] }, preluTwin(x.data, x.shape, slope, plane(20, 3)), bug, { twice });
  });
});
