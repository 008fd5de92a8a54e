import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { dot, random, Sum } from './reference.ts';

const engine = useEngine();

type Four = [number, number, number, number];
type Two = [number, number];

interface Case {
  readonly x: Four;
  readonly weight: Four;
  readonly stride?: Two;
  readonly padding?: Four;
  readonly dilation?: Two;
  readonly groups?: number;
  readonly bias?: false;
  readonly activation?: 'relu' | 'clip';
}

/**
 * y[n, m, oy, ox] = act(bias[m] + sum of w[m, c, ky, kx] x[n, group C + c, oy stride - top + ky dilation, ...])
 * and its gradient, by scattering w dy over the same loops.
 */
function conv2dTwin(x: Tensor, weight: Tensor, bias: Tensor | undefined, c: Case, rule: ReluRule): Twin {
  const { stride = [1, 1], padding = [0, 0, 0, 0], dilation = [1, 1], groups = 1, activation } = c;
  const [N, channels, H, W] = x.shape as Four;
  const [M, C, KH, KW] = weight.shape as Four;
  const OH = Math.floor((H + padding[0] + padding[2] - (KH - 1) * dilation[0] - 1) / stride[0]) + 1;
  const OW = Math.floor((W + padding[1] + padding[3] - (KW - 1) * dilation[1] - 1) / stride[1]) + 1;
  const taps = (visit: (output: number, input: number, w: number) => void): void => {
    for (let n = 0; n < N; n++)
      for (let m = 0; m < M; m++)
        for (let oy = 0; oy < OH; oy++)
          for (let ox = 0; ox < OW; ox++)
            for (let k = 0; k < C; k++)
              for (let ky = 0; ky < KH; ky++)
                for (let kx = 0; kx < KW; kx++) {
                  const iy = oy * stride[0] - padding[0] + ky * dilation[0];
                  const ix = ox * stride[1] - padding[1] + kx * dilation[1];
                  if (iy < 0 || ix < 0 || iy >= H || ix >= W) continue;
                  const channel = Math.floor(m / (M / groups)) * C + k;
                  visit(((n * M + m) * OH + oy) * OW + ox, ((n * channels + channel) * H + iy) * W + ix, ((m * C + k) * KH + ky) * KW + kx);
                }
  };
  const linear = new Sum([N, M, OH, OW]);
  if (bias) linear.values.forEach((_, i) => linear.add(i, bias.data[Math.floor(i / (OH * OW)) % M]!));
  taps((output, input, w) => linear.add(output, weight.data[w]! * x.data[input]!));
  const y = linear.map((v) => (activation === 'relu' ? Math.max(v, 0) : activation === 'clip' ? Math.min(Math.max(v, -0.25), 0.5) : v));
  const active = (v: number): boolean => (activation === 'relu' ? v > 0 : v > -0.25 && v < 0.5);
  const gate = (g: number, v: number): number =>
    !activation || ((rule === 'deconvnet' || active(v)) && (rule === 'gradient' || g > 0)) ? g : 0;
  return {
    y,
    dx(dy) {
      const dx = new Sum(x.shape);
      taps((output, input, w) => dx.add(input, weight.data[w]! * gate(dy[output]!, linear.values[output]!)));
      return [dx];
    },
  };
}

function subjectOf(c: Case, rule: ReluRule = 'gradient', seed = 1): { subject: Subject; twin: Twin; offset: (dy: Tensor) => number } {
  const { x: shape, weight: weightShape, bias: withBias = true, activation, ...rest } = c;
  const x = random(shape, seed);
  const weight = random(weightShape, seed + 1);
  const bias = withBias ? random([weightShape[0]], seed + 2) : undefined;
  const attributes = { ...rest, ...(activation && { activation, low: -0.25, high: 0.5 }) };
  const subject: Subject = { op: 'conv2d', attributes, weights: { weight, ...(bias && { bias }) }, x: [x] };
  const offset = (dy: Tensor): number => {
    const plane = dy.shape[2]! * dy.shape[3]!;
    return bias ? dot(dy.data, dy.data.map((_, i) => bias.data[Math.floor(i / plane) % weightShape[0]]!)).value : 0;
  };
  return { subject, twin: conv2dTwin(x, weight, bias, c, rule), offset };
}

const CASES: Readonly<Record<string, Case>> = {
  'one pixel, one weight': { x: [1, 1, 1, 1], weight: [1, 1, 1, 1] },
  '1x1 kernel, N = 3': { x: [3, 5, 7, 5], weight: [6, 5, 1, 1] },
  '3x3, prime sizes': { x: [2, 3, 11, 7], weight: [13, 3, 3, 3], padding: [1, 1, 1, 1] },
  'asymmetric padding': { x: [1, 2, 6, 5], weight: [3, 2, 3, 2], padding: [0, 1, 2, 3] },
  'no bias': { x: [1, 2, 5, 4], weight: [5, 2, 2, 3], bias: false },
  'two tiles of outputs, the last one ragged': { x: [1, 3, 20, 19], weight: [33, 3, 3, 3], padding: [1, 1, 1, 1] },
  'many workgroups': { x: [1, 1, 53, 47], weight: [8, 1, 3, 3], padding: [1, 1, 1, 1] },
  'several workgroups': { x: [1, 2, 29, 25], weight: [16, 2, 2, 2] },
  '1x1 kernel, a small image': { x: [1, 8, 9, 13], weight: [16, 8, 1, 1] },
  'one output': { x: [1, 7, 9, 9], weight: [1, 7, 3, 3], padding: [1, 1, 1, 1] },
  'last rows and columns under no window': { x: [2, 3, 8, 6], weight: [4, 3, 3, 3], stride: [2, 2] },
  'stride 3 over a 2x2 kernel: pixels between the windows': { x: [1, 2, 11, 8], weight: [3, 2, 2, 2], stride: [3, 3] },
  'stride 4 over a 1x1 kernel': { x: [1, 3, 10, 9], weight: [5, 3, 1, 1], stride: [4, 4] },
  'strides that differ': { x: [1, 3, 7, 13], weight: [4, 3, 2, 4], stride: [1, 3], padding: [1, 0, 0, 2] },
  'stride 4, asymmetric padding': { x: [1, 2, 13, 11], weight: [3, 2, 4, 3], stride: [4, 4], padding: [3, 1, 0, 2] },
  '11x11 with stride 4': { x: [1, 3, 27, 23], weight: [5, 3, 11, 11], stride: [4, 4] },
  '7x7 with stride 2': { x: [1, 3, 17, 15], weight: [8, 3, 7, 7], stride: [2, 2], padding: [3, 3, 3, 3] },
  '6x6, wider than what is unrolled': { x: [1, 2, 9, 8], weight: [3, 2, 6, 6], padding: [2, 3, 3, 2] },
  'row kernel 1x7': { x: [1, 3, 5, 9], weight: [4, 3, 1, 7], padding: [0, 3, 0, 3] },
  'column kernel 7x1': { x: [1, 3, 9, 5], weight: [4, 3, 7, 1], padding: [3, 0, 3, 0] },
  'one row of pixels': { x: [1, 4, 1, 13], weight: [4, 4, 1, 3], padding: [0, 1, 0, 1] },
  'one column of pixels, stride 2': { x: [1, 2, 13, 1], weight: [3, 2, 3, 1], stride: [2, 1] },
  'two groups, 5x5': { x: [2, 4, 9, 8], weight: [6, 2, 5, 5], padding: [2, 2, 2, 2], groups: 2 },
  'three groups, stride 2, 5 outputs each': { x: [1, 6, 9, 7], weight: [15, 2, 3, 3], stride: [2, 2], padding: [1, 1, 1, 1], groups: 3 },
  depthwise: { x: [2, 5, 9, 7], weight: [5, 1, 3, 3], padding: [1, 1, 1, 1], groups: 5 },
  'depthwise with a multiplier': { x: [2, 3, 6, 7], weight: [6, 1, 3, 3], padding: [1, 1, 1, 1], groups: 3 },
  'depthwise with stride 2': { x: [1, 5, 8, 7], weight: [5, 1, 3, 3], stride: [2, 2], padding: [0, 0, 1, 1], groups: 5 },
  'kernel larger than the image': { x: [1, 2, 3, 2], weight: [3, 2, 5, 5], padding: [2, 2, 2, 2] },
  'padding larger than the kernel': { x: [1, 2, 4, 3], weight: [3, 2, 2, 2], padding: [3, 4, 5, 3] },
  'padding larger than the kernel, stride 2': { x: [1, 2, 5, 4], weight: [3, 2, 3, 3], stride: [2, 2], padding: [5, 4, 4, 7] },
  'dilation 2': { x: [1, 3, 9, 8], weight: [4, 3, 3, 3], padding: [2, 2, 2, 2], dilation: [2, 2] },
  'dilations that differ': { x: [1, 2, 11, 9], weight: [3, 2, 3, 2], padding: [1, 0, 2, 1], dilation: [3, 2] },
  'dilated and strided': { x: [1, 3, 11, 10], weight: [4, 3, 3, 3], stride: [2, 3], padding: [2, 1, 1, 2], dilation: [2, 2] },
  'dilated along y, strided along x': { x: [1, 2, 9, 11], weight: [5, 2, 3, 3], stride: [1, 2], dilation: [2, 1] },
  'groups, dilated and strided': { x: [1, 4, 10, 9], weight: [4, 2, 3, 2], stride: [2, 2], padding: [1, 1, 1, 1], dilation: [2, 3], groups: 2 },
};

/** Cases that differ in how the gradient is stored, by which an earlier branch may have left its share. */
const BRANCHES = ['3x3, prime sizes', 'strides that differ', 'depthwise with stride 2', 'dilated and strided', '1x1 kernel, N = 3'];

describe('conv2d against plain loops, and the adjoint identity', () => {
  test.each(Object.entries(CASES))('%s', async (_, c) => {
    const { subject, twin, offset } = subjectOf(c);
    const outcome = await prove(engine(), subject, twin);
    expectAdjoint(subject, outcome, twin, offset(outcome.dy));
  });

  test.each(['3x3, prime sizes', 'stride 4, asymmetric padding', 'two tiles of outputs, the last one ragged', '1x1 kernel, N = 3'])(
    '%s, without subgroups',
    async (name) => {
      const { subject, twin } = subjectOf(CASES[name]!);
      await prove(engine(), subject, twin, { capabilities: { subgroups: false } });
    },
  );

  test.each(BRANCHES)('%s, gradients of two branches', async (name) => {
    const { subject, twin } = subjectOf(CASES[name]!);
    await prove(engine(), subject, twin, { twice: true });
  });
});

const rules = ['gradient', 'deconvnet', 'guided'] as const;
describe.each(['relu', 'clip'] as const)('conv2d with %s in it', (activation) => {
  test.each(rules)('rule %s', async (rule) => {
    const { subject, twin } = subjectOf({ x: [2, 3, 7, 5], weight: [6, 3, 3, 3], padding: [1, 1, 1, 1], activation }, rule);
    await prove(engine(), subject, twin, { rule });
  });

  test('strided and grouped', async () => {
    const { subject, twin } = subjectOf({ x: [1, 4, 9, 8], weight: [6, 2, 3, 3], stride: [2, 2], padding: [0, 1, 1, 0], groups: 2, activation });
    await prove(engine(), subject, twin);
  });

  test('dilated and strided', async () => {
    const { subject, twin } = subjectOf({ x: [1, 2, 9, 8], weight: [3, 2, 3, 3], stride: [2, 2], dilation: [2, 2], activation });
    await prove(engine(), subject, twin);
  });
});

test('conv2d of any shape from 1 to 17', async () => {
  const size = fc.integer({ min: 1, max: 17 });
  const few = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
  const shapes = fc.record({
    batch: few(2),
    groups: few(3),
    channels: few(3),
    outputs: few(5),
    size: fc.tuple(size, size),
    kernel: fc.tuple(few(5), few(5)),
    stride: fc.tuple(few(4), few(4)),
    dilation: fc.tuple(few(3), few(3)),
    padding: fc.tuple(few(4, 0), few(4, 0), few(4, 0), few(4, 0)),
  });
  await fc.assert(
    fc.asyncProperty(shapes, fc.boolean(), async ({ batch, groups, channels, outputs, size: [H, W], kernel, stride, dilation, padding }, twice) => {
      fc.pre(H + padding[0] + padding[2] > (kernel[0] - 1) * dilation[0] && W + padding[1] + padding[3] > (kernel[1] - 1) * dilation[1]);
      const { subject, twin } = subjectOf({
        x: [batch, groups * channels, H, W],
        weight: [groups * outputs, channels, ...kernel],
        stride,
        padding,
        dilation,
        groups,
      });
      await prove(engine(), subject, twin, { twice });
    }),
    { numRuns: 12, seed: 20, endOnFailure: true },
  );
});

describe('a planted bug in conv2d is noticed', () => {
  const plain: Case = { x: [2, 3, 7, 5], weight: [6, 3, 3, 3], padding: [1, 2, 1, 1] };
  const bugs: readonly (PlantedBug & { readonly in?: Case; readonly twice?: boolean })[] = [
    { name: 'the bias is dropped', kernel: 'conv2d', pass: 'forward', find: /= bias\[[^\]]+\];/, replace: '= 0.0;' },
    { name: 'the padding is off by one', kernel: 'border', pass: 'forward', find: '- sizes[4]', replace: '- sizes[4] + 1u' },
    { name: 'border pixels are read', kernel: 'border', find: /inRow & \(u\d < inWidth\)/, replace: 'inRow' },
    { name: 'the last column is cut', kernel: 'conv2d', find: 'ox < outWidth', replace: 'ox + 1u < outWidth' },
    { name: 'the bounds check of the channels is gone', kernel: 'conv2d', find: /(m\d+) < outputs/g, replace: '$1 < outputs + 2u' },
    {
      name: 'every group reads the first',
      kernel: 'conv2d',
      find: '(n * sizes[GROUPS] + group) * channels',
      replace: 'n * sizes[GROUPS] * channels',
      in: { x: [1, 4, 6, 5], weight: [6, 2, 3, 3], groups: 2 },
    },
    {
      name: 'a group writes over the one before',
      kernel: 'conv2d',
      find: '(n * sizes[GROUPS] + group) * outputs',
      replace: 'n * sizes[GROUPS] * outputs',
      in: { x: [1, 4, 6, 5], weight: [6, 2, 3, 3], groups: 2 },
    },
    {
      name: 'the phase of a strided gradient is swapped',
      kernel: 'conv2d',
      pass: 'backward',
      find: /(m\d+) \/ 2u\) % 2u/,
      replace: '$1) % 2u',
      in: { x: [1, 2, 7, 6], weight: [3, 2, 3, 3], stride: [2, 2] },
    },
    {
      name: 'the gradient of a branch is forgotten',
      kernel: 'conv2d',
      pass: 'backward',
      find: /= y\[t\] \+/,
      replace: '=',
      twice: true,
    },
    {
      name: 'the gate of the fused ReLU is open',
      kernel: 'border',
      pass: 'backward',
      find: /select\(0\.0, (x\d), by\d > 0\)/,
      replace: '$1',
      in: { ...plain, activation: 'relu' },
    },
  ];
  test.each(bugs)('$name', async ({ in: c = plain, twice = false, ...bug }) => {
    const { subject, twin } = subjectOf(c);
    await prove(engine(), subject, twin, { twice });
    await expectCaught(engine(), subject, twin, bug, { twice });
  });
});

test('a mutation that changes nothing does not count as a planted bug', async () => {
  const { subject, twin } = subjectOf({ x: [1, 1, 2, 2], weight: [1, 1, 1, 1] });
  await expect(expectCaught(engine(), subject, twin, { name: 'none', find: 'no such text', replace: '' })).rejects.toThrow('changed no kernel');
  const harmless = { name: 'harmless', find: 'let n = id.z;', replace: 'let n = id.z + 0u;' };
  await expect(expectCaught(engine(), subject, twin, harmless)).rejects.toThrow('was not noticed');
});
