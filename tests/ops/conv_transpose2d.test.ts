/** Transposed convolution against its float64 twin, on every kernel of the family, and bugs planted in what it alone uses of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type RunOptions, type Subject, type Twin } from './harness.ts';
import { dot, passesRule, random, RELU_RULES, Sum, type Tolerance } from './reference.ts';

const engine = useEngine();

type Four = readonly [number, number, number, number];
type Two = readonly [number, number];

interface Case {
  readonly x: Four;
  /** [C, M / groups, KH, KW]. */
  readonly weight: Four;
  readonly stride?: Two;
  readonly padding?: Four;
  readonly dilation?: Two;
  readonly groups?: number;
  readonly output_padding?: Two;
  readonly bias?: false;
  readonly activation?: 'relu' | 'clip';
}

/**
 * y[n, m, i stride - top + ky dilation, ...] gathers w[c, m, ky, kx] x[n, c, i, j] over the channels c of m's group, from
 * bias[m] on; and its gradient, over the same loops.
 */
function convTransposeTwin(x: Tensor, weight: Tensor, bias: Tensor | undefined, c: Case, rule: ReluRule): Twin {
  const { stride = [1, 1], padding = [0, 0, 0, 0], dilation = [1, 1], groups = 1, output_padding = [0, 0], activation } = c;
  const [N, C, H, W] = x.shape as Four;
  const [, perGroup, KH, KW] = weight.shape as Four;
  const M = perGroup * groups;
  const OH = (H - 1) * stride[0] - padding[0] - padding[2] + dilation[0] * (KH - 1) + output_padding[0] + 1;
  const OW = (W - 1) * stride[1] - padding[1] - padding[3] + dilation[1] * (KW - 1) + output_padding[1] + 1;
  const taps = (visit: (output: number, input: number, w: number) => void): void => {
    for (let n = 0; n < N; n++)
      for (let k = 0; k < C; k++)
        for (let i = 0; i < H; i++)
          for (let j = 0; j < W; j++)
            for (let m = 0; m < perGroup; m++)
              for (let ky = 0; ky < KH; ky++)
                for (let kx = 0; kx < KW; kx++) {
                  const oy = i * stride[0] - padding[0] + ky * dilation[0];
                  const ox = j * stride[1] - padding[1] + kx * dilation[1];
                  if (oy < 0 || ox < 0 || oy >= OH || ox >= OW) continue;
                  const channel = Math.floor(k / (C / groups)) * perGroup + m;
                  visit(((n * M + channel) * OH + oy) * OW + ox, ((n * C + k) * H + i) * W + j, ((k * perGroup + m) * KH + ky) * KW + kx);
                }
  };
  const linear = new Sum([N, M, OH, OW]);
  if (bias) linear.values.forEach((_, i) => linear.add(i, bias.data[Math.floor(i / (OH * OW)) % M]!));
  taps((output, input, w) => linear.add(output, weight.data[w]! * x.data[input]!));
  const y = linear.map((v) => (activation === 'relu' ? Math.max(v, 0) : activation === 'clip' ? Math.min(Math.max(v, -0.25), 0.5) : v));
  const active = (v: number): boolean => (activation === 'relu' ? v > 0 : v > -0.25 && v < 0.5);
  const gate = (g: number, v: number): number => (!activation || passesRule(rule, active(v), g) ? g : 0);
  return {
    y,
    dx(dy) {
      const dx = new Sum(x.shape);
      taps((output, input, w) => dx.add(input, weight.data[w]! * gate(dy[output]!, linear.values[output]!)));
      return [dx];
    },
  };
}

function subjectOf(c: Case, rule: ReluRule = 'gradient'): { subject: Subject; twin: Twin; offset: (dy: Tensor) => number } {
  const { x: shape, weight: weightShape, bias: withBias = true, activation, ...rest } = c;
  const x = random(shape, 1);
  const weight = random(weightShape, 2);
  const outputs = weightShape[1] * (c.groups ?? 1);
  const bias = withBias ? random([outputs], 3) : undefined;
  const attributes = { ...rest, ...(activation && { activation, low: -0.25, high: 0.5 }) };
  const subject: Subject = { op: 'conv_transpose2d', attributes, weights: { weight, ...(bias && { bias }) }, x: [x] };
  const offset = (dy: Tensor): number => {
    const plane = dy.shape[2]! * dy.shape[3]!;
    return bias ? dot(dy.data, dy.data.map((_, i) => bias.data[Math.floor(i / plane) % outputs]!)).value : 0;
  };
  return { subject, twin: convTransposeTwin(x, weight, bias, c, rule), offset };
}

const CASES: Readonly<Record<string, Case>> = {
  'one pixel, one weight': { x: [1, 1, 1, 1], weight: [1, 1, 1, 1] },
  'one pixel, as a generator begins': { x: [2, 5, 1, 1], weight: [5, 6, 4, 3] },
  '3x3, prime sizes': { x: [2, 3, 7, 5], weight: [3, 7, 3, 3], padding: [1, 1, 1, 1] },
  'asymmetric padding, no bias': { x: [1, 2, 6, 5], weight: [2, 3, 3, 2], padding: [0, 1, 2, 3], bias: false },
  '2x2 by 2': { x: [2, 5, 5, 3], weight: [5, 3, 2, 2], stride: [2, 2] },
  '4x4 by 2, padded': { x: [1, 3, 5, 7], weight: [3, 3, 4, 4], stride: [2, 2], padding: [1, 1, 1, 1] },
  '3x3 by 2, output padding': { x: [1, 3, 5, 4], weight: [3, 5, 3, 3], stride: [2, 2], padding: [1, 1, 1, 1], output_padding: [1, 1] },
  'strides that differ, asymmetric': { x: [1, 3, 4, 5], weight: [3, 4, 2, 4], stride: [1, 3], padding: [1, 0, 0, 2], output_padding: [0, 2] },
  'rows that no window reaches': { x: [1, 2, 3, 4], weight: [2, 3, 2, 1], stride: [4, 3], output_padding: [5, 2] },
  'a stride far past the kernel': { x: [1, 2, 3, 2], weight: [2, 3, 1, 1], stride: [5, 6], padding: [1, 0, 0, 2], output_padding: [4, 3] },
  'stride 8, 16x16, one filter a channel': { x: [1, 2, 3, 2], weight: [2, 1, 16, 16], stride: [8, 8], padding: [4, 4, 4, 4], groups: 2, bias: false },
  'two groups, 5x5': { x: [2, 4, 6, 5], weight: [4, 3, 5, 5], padding: [2, 2, 2, 2], groups: 2 },
  'three groups, stride 2': { x: [1, 6, 5, 4], weight: [6, 5, 3, 3], stride: [2, 2], padding: [1, 1, 1, 1], groups: 3 },
  depthwise: { x: [2, 5, 9, 7], weight: [5, 1, 3, 3], padding: [1, 1, 1, 1], groups: 5 },
  'depthwise with stride 2': { x: [2, 5, 6, 4], weight: [5, 1, 4, 4], stride: [2, 2], padding: [1, 0, 1, 2], output_padding: [1, 0], groups: 5 },
  'depthwise, cropped by less than nothing': { x: [1, 3, 4, 5], weight: [3, 1, 3, 3], stride: [2, 1], padding: [-3, -1, -1, 0], groups: 3 },
  'negative padding: a margin of bias': { x: [1, 2, 3, 4], weight: [2, 3, 3, 3], stride: [2, 3], padding: [-4, -2, 0, -1] },
  'padding past the kernel': { x: [1, 2, 7, 8], weight: [2, 3, 2, 2], padding: [3, 2, 1, 3] },
  'padding past the kernel, stride 2': { x: [1, 2, 7, 8], weight: [2, 3, 3, 3], stride: [2, 2], padding: [5, 4, 4, 7] },
  'dilation 2': { x: [1, 3, 5, 4], weight: [3, 4, 3, 3], padding: [2, 2, 2, 2], dilation: [2, 2] },
  'dilated and strided': { x: [1, 3, 5, 4], weight: [3, 4, 3, 3], stride: [2, 3], padding: [2, 1, 1, 2], dilation: [2, 2], output_padding: [1, 2] },
  'groups, dilated along y, strided along x': { x: [1, 4, 5, 4], weight: [4, 3, 3, 2], stride: [1, 2], dilation: [3, 1], groups: 2 },
};

describe('conv_transpose2d against plain loops, and the adjoint identity', () => {
  test.each(Object.entries(CASES))('%s', async (_, c) => {
    const { subject, twin, offset } = subjectOf(c);
    const outcome = await prove(engine(), subject, twin);
    expectAdjoint(subject, outcome, twin, offset(outcome.dy));
  });

  test.each(['3x3, prime sizes', '4x4 by 2, padded', 'depthwise with stride 2', 'dilated and strided'])('%s, gradients of two branches', async (name) => {
    const { subject, twin } = subjectOf(CASES[name]!);
    await prove(engine(), subject, twin, { twice: true });
  });
});

describe.each(['relu', 'clip'] as const)('conv_transpose2d with %s in it', (activation) => {
  const c: Case = { x: [2, 4, 4, 3], weight: [4, 3, 3, 3], stride: [2, 2], padding: [1, 1, 0, 1], groups: 2, activation };
  test.each(RELU_RULES)('rule %s', async (rule) => {
    const { subject, twin } = subjectOf(c, rule);
    await prove(engine(), subject, twin, { rule });
  });
});

/** Proves a case on the kernel that is asked for, and returns the names of the kernels that ran. */
async function proveForced(forced: string, c: Case, options: RunOptions & Tolerance = {}): Promise<string[]> {
  const { subject, twin } = subjectOf(c);
  const seen = new Set<string>();
  const mutate = (code: string, kernel: string): string => {
    seen.add(kernel);
    return code;
  };
  await prove(engine(), subject, twin, { ...options, capabilities: { kernels: { forced } }, mutate });
  return [...seen].sort();
}

describe('every kernel of the family, bias and activation in the store', () => {
  const strided: Case = { ...CASES['4x4 by 2, padded']!, activation: 'relu' };
  const long: Case = { x: [1, 144, 3, 2], weight: [144, 32, 3, 3], stride: [2, 2], padding: [0, 1, 1, 0], groups: 2, activation: 'relu' };

  test('direct', async () => {
    expect(await proveForced('direct', strided)).toContain('conv2d');
    expect(await proveForced('direct', CASES['depthwise with stride 2']!)).toContain('conv2d');
  });

  test('tiles in workgroup memory', async () => {
    expect(await proveForced('shared 64x16', strided)).toEqual(['conv2d_shared']);
    expect(await proveForced('shared 64x16', long)).toEqual(['conv2d_shared', 'conv2d_sum']);
  });

  test.each([['winograd 2x2', CASES['3x3, prime sizes']!], ['winograd 4x4', CASES['3x3, prime sizes']!], ['winograd 3x3', strided]] as const)('%s', async (forced, c) => {
    // Terms of a transformed tile may be larger than those of a sum at its border.
    expect(await proveForced(forced, c, { slack: 4 })).toContain('winograd');
  });

  test('one filter a channel', async () => {
    expect(await proveForced('depthwise', { ...CASES['depthwise with stride 2']!, activation: 'clip' })).toEqual(['depthwise']);
  });
});

test('conv_transpose2d of any shape', async () => {
  const few = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
  const two = (max: number, min = 1): fc.Arbitrary<[number, number]> => fc.tuple(few(max, min), few(max, min));
  const shapes = fc.record({ batch: few(2), groups: few(3), channels: few(3), outputs: few(4), size: two(7), kernel: two(5), stride: two(4), dilation: two(3), output_padding: two(3, 0) });
  const padding = fc.tuple(few(4, -2), few(4, -2), few(4, -2), few(4, -2));
  await fc.assert(
    fc.asyncProperty(shapes, padding, async ({ batch, groups, channels, outputs, size: [H, W], kernel, ...window }, pads) => {
      const c: Case = { x: [batch, groups * channels, H, W], weight: [groups * channels, outputs, ...kernel], groups, padding: pads, ...window };
      const left = (axis: 0 | 1): number =>
        ((axis === 0 ? H : W) - 1) * window.stride[axis] + window.dilation[axis] * (kernel[axis] - 1) + window.output_padding[axis] + 1 - pads[axis] - pads[axis + 2]!;
      fc.pre(left(0) > 0 && left(1) > 0);
      const { subject, twin } = subjectOf(c);
      await prove(engine(), subject, twin);
    }),
    { numRuns: 6, seed: 20, endOnFailure: true },
  );
});

const weight = (shape: Four): Tensor => random(shape, 2);
test.each<[string, Subject, string]>([
  ['three axes', { op: 'conv_transpose2d', weights: { weight: weight([1, 1, 2, 2]) }, x: [random([1, 2, 2], 1)] }, 'takes [N, C, H, W]'],
  ['a weight of three axes', { op: 'conv_transpose2d', weights: { weight: random([1, 2, 2], 1) }, x: [random([1, 1, 2, 2], 1)] }, 'must be [C, M/groups, KH, KW]'],
  ['channels that differ', { op: 'conv_transpose2d', weights: { weight: weight([3, 2, 2, 2]) }, x: [random([1, 2, 2, 2], 1)] }, 'does not fit an input of 2 channels'],
  ['groups that do not divide', { op: 'conv_transpose2d', attributes: { groups: 2 }, weights: { weight: weight([3, 2, 2, 2]) }, x: [random([1, 3, 2, 2], 1)] }, 'does not fit'],
  ['a bias of another length', { op: 'conv_transpose2d', attributes: { groups: 2 }, weights: { weight: weight([2, 3, 2, 2]), bias: random([3], 1) }, x: [random([1, 2, 2, 2], 1)] }, 'bias must be [6]'],
  ['a stride of 0', { op: 'conv_transpose2d', attributes: { stride: [0, 1] }, weights: { weight: weight([1, 1, 2, 2]) }, x: [random([1, 1, 2, 2], 1)] }, 'at least 1'],
  ['negative output padding', { op: 'conv_transpose2d', attributes: { output_padding: [0, -1] }, weights: { weight: weight([1, 1, 2, 2]) }, x: [random([1, 1, 2, 2], 1)] }, 'must not be negative'],
  ['padding that leaves nothing', { op: 'conv_transpose2d', attributes: { padding: [2, 0, 1, 0] }, weights: { weight: weight([1, 1, 2, 2]) }, x: [random([1, 1, 2, 2], 1)] }, 'leaves nothing'],
])('%s: refused', async (_, subject, message) => {
  await expect(run(engine(), subject)).rejects.toMatchObject({ code: 'model-invalid', message: expect.stringContaining(message) as string });
});

describe('a planted bug in conv_transpose2d is noticed', () => {
  // Few outputs make a small tile, which compiles fast.
  const strided: Case = { x: [1, 3, 5, 7], weight: [3, 2, 4, 4], stride: [2, 2], padding: [1, 1, 1, 1] };
  const deep = CASES['depthwise with stride 2']!;
  const bugs: readonly (PlantedBug & { readonly in?: Case; readonly twice?: boolean; readonly forced?: string })[] = [
    { name: 'the bias is dropped', kernel: 'conv2d', pass: 'forward', find: /= bias\[[^\]]+\];/, replace: '= 0.0;' },
    { name: 'phases are swapped', kernel: 'conv2d', pass: 'forward', find: /(m\d+) \/ 2u\) % 2u/, replace: '$1) % 2u' },
    { name: 'the crop at the top is forgotten', kernel: 'conv2d', pass: 'forward', find: '+ sizes[ORIGIN_Y]', replace: '+ 0u' },
    { name: 'the border is read', kernel: 'border', pass: 'forward', find: /inRow & \(u\d < inWidth\)/, replace: 'inRow' },
    { name: 'the gradient of a branch is forgotten', kernel: 'conv2d', pass: 'backward', find: /= y\[t\] \+/, replace: '=', twice: true },
    { name: 'the gate of the fused ReLU is open', kernel: 'border', pass: 'backward', find: /select\(0\.0, (x\d), by\d > 0\)/, replace: '$1', in: { ...strided, activation: 'relu' } },
    { name: 'channels share a bias', kernel: 'depthwise', pass: 'forward', find: 'bias[c]', replace: 'bias[0]', in: deep, forced: 'depthwise' },
  ];
  test.each(bugs)('$name', async ({ in: c = strided, twice = false, forced = 'direct', ...bug }) => {
    const { subject, twin } = subjectOf(c);
    await expectCaught(engine(), subject, twin, bug, { twice, capabilities: { software: true, subgroups: true, kernels: { forced } } });
  });
});
