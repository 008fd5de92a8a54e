import { describe, test } from 'vitest';
import type { ReluRule } from '../../src/ops/op.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, type PlantedBug, type Twin } from './harness.ts';
import { filled, passesRule, random, RELU_RULES, Sum } from './reference.ts';

const engine = useEngine();

interface Interval {
  readonly min?: number;
  readonly max?: number;
}

/** y = min(max(x, low), high); dx = g where low < x < high, with the rules of ReLU. */
function clipTwin(x: ArrayLike<number>, shape: readonly number[], { min = -Infinity, max = Infinity }: Interval, rule: ReluRule = 'gradient'): Twin {
  const [low, high] = [Math.fround(min), Math.fround(max)];
  const passes = (g: number, v: number): boolean => passesRule(rule, v > low && v < high, g);
  return {
    y: Sum.of(shape, (i) => Math.min(Math.max(x[i]!, low), high)),
    dx: (dy) => [Sum.of(shape, (i) => (passes(dy[i]!, x[i]!) ? dy[i]! : 0))],
  };
}

const exact = { exact: true, exactGradient: true };
const INTERVALS: Readonly<Record<string, Interval>> = {
  'ReLU6, 0 to 6': { min: 0, max: 6 },
  'an interval that f32 rounds': { min: -0.1, max: 0.3 },
  'from below only': { min: -0.5 },
  'from above only': { max: 0.25 },
  'no bound at all': {},
  'bounds that meet': { min: 0.5, max: 0.5 },
};

describe.each(RELU_RULES)('clip, rule %s', (rule) => {
  const sizes = [[3, 5, 7], [3, 4, 7]];
  test.each(Object.entries(INTERVALS).flatMap(([name, interval]) => sizes.map((shape) => ({ name, interval, shape }))))('$name of $shape', async ({ interval, shape }) => {
    const x = random(shape, 1, -2, 8);
    await prove(engine(), { op: 'clip', attributes: { ...interval }, x: [x] }, clipTwin(x.data, x.shape, interval, rule), { rule, ...exact });
  });
});

test('the bounds themselves take no gradient', async () => {
  const x = filled([2, 9], (i) => [0, -0, 6, 5.9999995, 6.0000005, 1e-30, -1e-30, 3e38, -3e38][i % 9]!);
  const interval = { min: 0, max: 6 };
  await prove(engine(), { op: 'clip', attributes: interval, x: [x] }, clipTwin(x.data, x.shape, interval), exact);
});

test.each([13, 20])('gradients of two branches, %i elements', async (size) => {
  const x = random([size], 1, -2, 8);
  await prove(engine(), { op: 'clip', attributes: { min: 0, max: 6 }, x: [x] }, clipTwin(x.data, x.shape, { min: 0, max: 6 }), { twice: true, ...exact });
});

test('central differences of the twin', () => {
  const x = filled([4, 6], (i) => i * 0.37 - 1.05);
  expectCentralDifferences((values) => clipTwin(values, x.shape, { min: 0, max: 6 }), x);
});

describe('a planted bug in clip is noticed', () => {
  const x = filled([3, 5], (i) => i - 3);
  const interval = { min: 0, max: 6 };
  const bugs: readonly (PlantedBug & { readonly rule?: ReluRule; readonly twice?: boolean })[] = [
    { name: 'the upper bound is gone', pass: 'forward', find: /min\((max\(.*?\)\)), .*\);/, replace: '$1;' },
    { name: 'the gradient passes at the lower bound', pass: 'backward', find: /(v\d) > \(/, replace: '$1 >= (' },
    { name: 'the gradient passes at the upper bound', pass: 'backward', find: /(v\d) < \(/, replace: '$1 <= (' },
    { name: 'guided forgets the gradient', pass: 'backward', find: /&& g\d > 0/, replace: '', rule: 'guided' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ rule = 'gradient', twice = false, ...bug }) => {
    await expectCaught(engine(), { op: 'clip', attributes: interval, x: [x] }, clipTwin(x.data, x.shape, interval, rule), bug, { rule, twice, ...exact });
  });
});
