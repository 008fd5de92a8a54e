import { describe, test } from 'vitest';
import type { ReluRule } from '../../src/ops/op.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { filled, random, Sum } from './reference.ts';

const engine = useEngine();

/** y = max(x, 0); dx = g gated by x > 0 (gradient), g > 0 (deconvnet) or both (guided). */
function reluTwin(x: ArrayLike<number>, shape: readonly number[], rule: ReluRule = 'gradient'): Twin {
  const passes = (g: number, v: number): boolean => (rule === 'deconvnet' || v > 0) && (rule === 'gradient' || g > 0);
  return {
    y: Sum.of(shape, (i) => Math.max(x[i]!, 0)),
    dx: (dy) => [Sum.of(shape, (i) => (passes(dy[i]!, x[i]!) ? dy[i]! : 0))],
  };
}

const SHAPES = [[1], [3, 5], [2, 7, 11], [2, 3, 5, 7], [1, 64], [1, 65]];
const exact = { exact: true, exactGradient: true };

describe.each(['gradient', 'deconvnet', 'guided'] as const)('relu, rule %s', (rule) => {
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

test('more workgroups than one axis of the grid holds', async () => {
  const x = random([64 * 65535 + 67], 1);
  await prove(engine(), { op: 'relu', x: [x] }, reluTwin(x.data, x.shape), exact);
});

test('central differences of the twin', () => {
  const x = filled([5, 7], (i) => (i % 2 ? 1 : -1) * (0.1 + i / 50));
  expectCentralDifferences((values) => reluTwin(values, x.shape), x);
});

describe('a planted bug in relu is noticed', () => {
  const x = filled([3, 5], (i) => (i % 4) - 1.5 + (i % 4 === 2 ? -0.5 : 0));
  const subject: Subject = { op: 'relu', x: [x] };
  const bugs: readonly (PlantedBug & { readonly rule?: ReluRule; readonly twice?: boolean })[] = [
    { name: 'max became min', pass: 'forward', find: 'max(', replace: 'min(' },
    { name: 'the gradient passes at 0', pass: 'backward', find: 'v > 0', replace: 'v >= 0' },
    { name: 'deconvnet does not look at the gradient', pass: 'backward', find: 'g > 0', replace: 'true', rule: 'deconvnet' },
    { name: 'guided forgets the input', pass: 'backward', find: 'v > 0 && g > 0', replace: 'g > 0', rule: 'guided' },
    { name: 'the last element is left out', find: 'i >= 15u', replace: 'i >= 14u' },
    { name: 'one element too many is written', find: 'i >= 15u', replace: 'i >= 16u' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ rule = 'gradient', twice = false, ...bug }) => {
    await expectCaught(engine(), subject, reluTwin(x.data, x.shape, rule), bug, { rule, twice, ...exact });
  });
});
