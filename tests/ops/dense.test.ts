import { describe, expect, test } from 'vitest';
import type { Attributes, Tensor } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, dot, passesRule, random, RELU_RULES, Sum } from './reference.ts';

const engine = useEngine();

interface Case {
  readonly x: readonly number[];
  readonly outputs: number;
  readonly bias?: boolean;
  readonly activation?: 'relu' | 'clip';
}

/** y[n, m] = act(bias[m] + sum of W[m, k] x[n, k]), x flattened after its first axis. */
function denseTwin(x: Tensor, weight: Tensor, bias: Tensor | undefined, activation?: Case['activation'], rule: ReluRule = 'gradient'): Twin {
  const N = x.shape[0]!;
  const [M, K] = weight.shape as [number, number];
  const linear = new Sum([N, M]);
  for (let n = 0; n < N; n++)
    for (let m = 0; m < M; m++) {
      if (bias) linear.add(n * M + m, bias.data[m]!);
      for (let k = 0; k < K; k++) linear.add(n * M + m, weight.data[m * K + k]! * x.data[n * K + k]!);
    }
  const active = (v: number): boolean => (activation === 'relu' ? v > 0 : v > -0.25 && v < 0.5);
  const gate = (g: number, v: number): number => (!activation || passesRule(rule, active(v), g) ? g : 0);
  return {
    y: linear.map((v) => (activation === 'relu' ? Math.max(v, 0) : activation === 'clip' ? Math.min(Math.max(v, -0.25), 0.5) : v)),
    dx(dy) {
      const dx = new Sum(x.shape);
      for (let n = 0; n < N; n++)
        for (let m = 0; m < M; m++) {
          const g = gate(dy[n * M + m]!, linear.values[n * M + m]!);
          for (let k = 0; k < K; k++) dx.add(n * K + k, weight.data[m * K + k]! * g);
        }
      return [dx];
    },
  };
}

function subjectOf(c: Case, rule?: ReluRule): { subject: Subject; twin: Twin; bias: Tensor | undefined } {
  const { x: shape, outputs, bias: withBias = true, activation } = c;
  const x = random(shape, 1);
  const weight = random([outputs, count(shape.slice(1))], 2);
  const bias = withBias ? random([outputs], 3) : undefined;
  const attributes: Attributes = activation ? { activation, low: -0.25, high: 0.5 } : {};
  return { subject: { op: 'dense', attributes, weights: { weight, ...(bias && { bias }) }, x: [x] }, twin: denseTwin(x, weight, bias, activation, rule), bias };
}

const CASES: Readonly<Record<string, Case>> = {
  'one by one': { x: [1, 1], outputs: 1 },
  'primes, N = 3': { x: [3, 13], outputs: 7 },
  'whole quads': { x: [2, 16], outputs: 8 },
  'K of 4k + 1, M of 4k + 3': { x: [1, 37], outputs: 11 },
  'K of 4k + 2, M of 4k + 2': { x: [2, 22], outputs: 6 },
  'an image in': { x: [2, 3, 5, 4], outputs: 5 },
  'no bias': { x: [3, 9], outputs: 5, bias: false },
  'more than one workgroup': { x: [2, 259], outputs: 301 },
  'weights packed in parts': { x: [1, 9001], outputs: 67 },
  'nine images': { x: [9, 11], outputs: 13 },
  'nine images of whole quads': { x: [9, 24], outputs: 13 },
};

describe('dense against plain loops, and the adjoint identity', () => {
  test.each(Object.entries(CASES))('%s', async (_, c) => {
    const { subject, twin, bias } = subjectOf(c);
    const outcome = await prove(engine(), subject, twin);
    const offset = bias ? dot(outcome.dy.data, outcome.dy.data.map((_, i) => bias.data[i % c.outputs]!)).value : 0;
    expectAdjoint(subject, outcome, twin, offset);
  });

  test.each(Object.entries(CASES).filter(([name]) => name !== 'weights packed in parts'))('%s, with sums split over a workgroup', async (_, c) => {
    const { subject, twin } = subjectOf(c);
    await prove(engine(), subject, twin, { capabilities: { software: false } });
  });

  test('sums split over a workgroup, in chunks, with ReLU, of two branches', async () => {
    const { subject, twin } = subjectOf({ ...CASES['nine images of whole quads']!, activation: 'relu' });
    await prove(engine(), subject, twin, { capabilities: { software: false, maxBinding: 16 * 13 * 4 }, twice: true });
  });

  test.each([
    ['forward', 'the last part of a sum is missing', 'part < 64u', 'part < 63u'],
    ['forward', 'rows and images are swapped', 'local / 8u', 'local % 4u'],
    ['forward', 'parts overlap', '* 33u + local', '* 32u + local'],
    ['backward', 'the last part of a sum is missing', 'part < 64u', 'part < 63u'],
    ['backward', 'every image goes to the first', 'dx[to + local *', 'dx[to + 0u *'],
    ['backward', 'every image gets the sum of the first', 'parts[local * 64u + part]', 'parts[part]'],
  ] as const)('split sums, a bug planted %s: %s', async (pass, name, find, replace) => {
    const { subject, twin } = subjectOf(pass === 'forward' ? { x: [9, 256], outputs: 6 } : { x: [9, 7], outputs: 66 });
    const options = { capabilities: { software: false } };
    await expectCaught(engine(), subject, twin, { name, pass, find, replace }, options);
  });

  test('gradients of two branches', async () => {
    const { subject, twin } = subjectOf(CASES['primes, N = 3']!);
    await prove(engine(), subject, twin, { twice: true });
  });
});

describe('dense with weights larger than one binding', () => {
  const small = { capabilities: { maxBinding: 16 * 7 * 2 } };

  test('is split into chunks', () => {
    const { subject } = subjectOf(CASES['primes, N = 3']!);
    const network = {
      name: 'split',
      inputs: [{ name: 'x', shape: [3, 13] }],
      nodes: [{ name: 'fc', output: 'y', op: 'dense', inputs: ['x'], attributes: {}, weights: subject.weights! }],
      outputs: ['y'],
    };
    const plan = compile(network, { layers: ['fc'], capabilities: { subgroups: false, software: true, ...small.capabilities } });
    expect(plan.passes.get('forward')!.map(({ label }) => label)).toEqual(['fc/dense.forward:chunk0', 'fc/dense.forward:chunk1']);
    const weights = plan.constants.map(({ tensor }) => plan.tensors[tensor]!).filter(({ label }) => label.includes('weight'));
    expect(Math.max(...weights.map(({ bytes }) => bytes))).toBeLessThanOrEqual(small.capabilities.maxBinding);
  });

  test.each([
    ['plain', {}],
    ['no bias', { bias: false }],
    ['relu', { activation: 'relu' }],
    ['clip', { activation: 'clip' }],
  ] as const)('%s', async (_, more) => {
    const { subject, twin } = subjectOf({ x: [3, 13], outputs: 7, ...more });
    await prove(engine(), subject, twin, small);
  });

  test('one quad a chunk, gradients of two branches', async () => {
    const { subject, twin } = subjectOf({ x: [2, 10], outputs: 7 });
    await prove(engine(), subject, twin, { capabilities: { maxBinding: 16 * 7 }, twice: true });
  });
});

describe.each(['relu', 'clip'] as const)('dense with %s in it', (activation) => {
  test.each(RELU_RULES)('rule %s', async (rule) => {
    const { subject, twin } = subjectOf({ x: [2, 9], outputs: 6, activation }, rule);
    await prove(engine(), subject, twin, { rule });
  });
});

test('operands that do not fit are refused by name', async () => {
  const x = random([1, 5], 1);
  const weight = random([3, 4], 2);
  await expect(run(engine(), { op: 'dense', weights: { weight }, x: [x] })).rejects.toMatchObject({ code: 'model-invalid', address: { layer: 'layer' } });
});

describe('a planted bug in dense is noticed', () => {
  const bugs: readonly (PlantedBug & { readonly in?: Partial<Case>; readonly twice?: boolean; readonly maxBinding?: number })[] = [
    { name: 'the bias is dropped', find: /bias\[m \+ \du\] \+ \(/, replace: '0.0 + (' },
    { name: 'the bounds check of the outputs is gone', pass: 'forward', find: /m \+ \du < 7u && /, replace: '' },
    { name: 'what lies behind the input is read', find: /select\(0\.0, (x\[[^\]]+\]), [^)]+\)/, replace: '$1' },
    { name: 'a batch of one is taken for granted', pass: 'backward', find: /min\(n \+ (\d)u, 2u\) \* 7u/, replace: '0u' },
    { name: 'the last chunk starts anew', find: /y\[t \+ \du\] \+ \(/, replace: '0.0 + (', maxBinding: 16 * 7 * 2 },
    { name: 'the gate of the fused ReLU is open', kernel: 'relu', find: /select\((0\.0|vec4f\(0\.0\)), (g\d), .*\);/, replace: '$2;', in: { activation: 'relu' } },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[to [^\]]+\] \+/, replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ in: more, twice = false, maxBinding, ...bug }) => {
    const { subject, twin } = subjectOf({ ...CASES['primes, N = 3']!, ...more });
    // A GPU would take another text.
    await expectCaught(engine(), subject, twin, bug, { twice, capabilities: { software: true, ...(maxBinding && { maxBinding }) } });
  });
});
