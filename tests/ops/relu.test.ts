import { describe, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, type PlantedBug, type Twin } from './harness.ts';
import { filled, passesRule, random, RELU_RULES, Sum } from './reference.ts';

const engine = useEngine();

/** y = max(x, 0); dx = g gated by x > 0 (gradient), g > 0 (deconvnet) or both (guided). */
function reluTwin(x: ArrayLike<number>, shape: readonly number[], rule: ReluRule = 'gradient'): Twin {
  const passes = (g: number, v: number): boolean => passesRule(rule, v > 0, g);
  return {
    y: Sum.of(shape, (i) => Math.max(x[i]!, 0)),
    dx: (dy) => [Sum.of(shape, (i) => (passes(dy[i]!, x[i]!) ? dy[i]! : 0))],
  };
}

const SHAPES = [[1], [2], [4], [3, 5], [9], [12], [2, 7, 11], [2, 3, 5, 7], [1, 64], [1, 65], [3, 516], [7, 77]];
const exact = { exact: true, exactGradient: true };

describe.each(RELU_RULES)('relu, rule %s', (rule) => {
  test.each(SHAPES.map((shape) => ({ shape })))('$shape', async ({ shape }) => {
    const x = random(shape, 1);
    await prove(engine(), { op: 'relu', x: [x] }, reluTwin(x.data, shape, rule), { rule, ...exact });
  });

  test('zeros, large and tiny numbers', async () => {
    const values = [0, -0, 1e-30, -1e-30, 3e38, -3e38, 1, -1];
    const x = filled([1, 40], (i) => values[i % 8]!);
    await prove(engine(), { op: 'relu', x: [x] }, reluTwin(x.data, x.shape, rule), { rule, ...exact });
  });
});

test('gradients of two branches', async () => {
  const x = random([3, 7], 1);
  await prove(engine(), { op: 'relu', x: [x] }, reluTwin(x.data, x.shape), { twice: true, ...exact });
});

test('central differences of the twin', () => {
  const x = filled([5, 7], (i) => (i % 2 ? 1 : -1) * (0.1 + i / 50));
  expectCentralDifferences((values) => reluTwin(values, x.shape), x);
});

describe('a planted bug in relu is noticed', () => {
  const odd = filled([3, 5], (i) => (i % 4) - 1.5 + (i % 4 === 2 ? -0.5 : 0));
  const quads = filled([3, 12], (i) => (i % 4) - 1.5 + (i % 4 === 2 ? -0.5 : 0));
  const bugs: readonly (PlantedBug & { readonly rule?: ReluRule; readonly twice?: boolean; readonly in?: Tensor })[] = [
    { name: 'max became min', pass: 'forward', find: 'max(', replace: 'min(' },
    { name: 'the gradient passes at 0', pass: 'backward', find: /(v\d) > /, replace: '$1 >= ' },
    { name: 'the gradient passes at 0, by fours', pass: 'backward', find: /(v\d) > /, replace: '$1 >= ', in: quads },
    { name: 'deconvnet does not look at the gradient', pass: 'backward', find: /g\d > 0/, replace: 'true', rule: 'deconvnet' },
    { name: 'guided forgets the input', pass: 'backward', find: /v\d > 0 && /, replace: '', rule: 'guided' },
    { name: 'guided forgets the input, by fours', pass: 'backward', find: /\(v\d > vec4f\(0\)\) & /, replace: '', rule: 'guided', in: quads },
    { name: 'the last element is left out', find: 'i + 12u < 15u', replace: 'i + 12u < 14u' },
    { name: 'one element too many is written', pass: 'backward', find: 'i + 12u < 15u', replace: 'i + 12u < 16u' },
    { name: 'the last four are left out', find: 'i + 5u < 9u', replace: 'i + 5u < 8u', in: quads },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
    { name: 'the gradient of a branch is forgotten, by fours', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true, in: quads },
  ];
  test.each(bugs)('$name', async ({ rule = 'gradient', twice = false, in: x = odd, ...bug }) => {
    await expectCaught(engine(), { op: 'relu', x: [x] }, reluTwin(x.data, x.shape, rule), bug, { rule, twice, ...exact });
  });
});
