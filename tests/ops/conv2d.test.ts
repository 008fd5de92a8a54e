/** Convolution against its float64 twin (conv2d_cases.ts), by the kernels that the cost model takes; and bugs planted in them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { useEngine } from '../gpu.ts';
import { CONV2D_CASES, subjectOf, type Conv2dCase } from './conv2d_cases.ts';
import { expectAdjoint, expectCaught, prove, type PlantedBug } from './harness.ts';
import { RELU_RULES } from './reference.ts';

const engine = useEngine();

/** Cases that differ in how the gradient is stored, by which an earlier branch may have left its share. */
const BRANCHES = ['3x3, prime sizes', 'strides that differ', 'depthwise with stride 2', 'dilated and strided', '1x1 kernel, N = 3'];

describe('conv2d against plain loops, and the adjoint identity', () => {
  test.each(Object.entries(CONV2D_CASES))('%s', async (_, c) => {
    const { subject, twin, offset } = subjectOf(c);
    const outcome = await prove(engine(), subject, twin);
    expectAdjoint(subject, outcome, twin, offset(outcome.dy));
  });

  test.each(['3x3, prime sizes', 'stride 4, asymmetric padding', 'two tiles of outputs, the last one ragged', '1x1 kernel, N = 3'])(
    '%s, without subgroups',
    async (name) => {
      const { subject, twin } = subjectOf(CONV2D_CASES[name]!);
      await prove(engine(), subject, twin, { capabilities: { subgroups: false } });
    },
  );

  test.each(BRANCHES)('%s, gradients of two branches', async (name) => {
    const { subject, twin } = subjectOf(CONV2D_CASES[name]!);
    await prove(engine(), subject, twin, { twice: true });
  });
});

describe.each(['relu', 'clip'] as const)('conv2d with %s in it', (activation) => {
  test.each(RELU_RULES)('rule %s', async (rule) => {
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
  const plain: Conv2dCase = { x: [2, 3, 7, 5], weight: [6, 3, 3, 3], padding: [1, 2, 1, 1] };
  const bugs: readonly (PlantedBug & { readonly in?: Conv2dCase; readonly twice?: boolean })[] = [
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
    // The bugs are in one text of the direct kernel: a GPU would take another one.
    const direct = { twice, capabilities: { software: true, subgroups: true, kernels: { forced: 'direct' } } };
    await prove(engine(), subject, twin, direct);
    await expectCaught(engine(), subject, twin, bug, direct);
  });
});

test('a mutation that changes nothing does not count as a planted bug', async () => {
  const { subject, twin } = subjectOf({ x: [1, 1, 2, 2], weight: [1, 1, 1, 1] });
  await expect(expectCaught(engine(), subject, twin, { name: 'none', find: 'no such text', replace: '' })).rejects.toThrow('changed no kernel');
  const harmless = { name: 'harmless', find: 'let n = id.z;', replace: 'let n = id.z + 0u;' };
  await expect(expectCaught(engine(), subject, twin, harmless, { capabilities: { kernels: { forced: 'direct' } } })).rejects.toThrow('was not noticed');
});
