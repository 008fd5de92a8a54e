/** The gradients of a convolution's weights and bias: float64 twin, adjoint identity, TensorFlow.js, and bugs planted in the kernels. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { useEngine } from '../gpu.ts';
import { CONV2D_CASES, products, type Conv2dCase } from './conv2d_cases.ts';
import type { PlantedBug } from './harness.ts';
import { differs, expectBugSeen, learn, type Lesson } from './learn_harness.ts';
import { count, dot, random, Sum } from './reference.ts';

const engine = useEngine();
const SOFTWARE = { software: true };
const GPU = { software: false };

type Four = readonly [number, number, number, number];

function sizeOf({ x, weight, stride = [1, 1], padding = [0, 0, 0, 0], dilation = [1, 1] }: Conv2dCase): [number, number] {
  const size = (axis: 0 | 1): number => Math.floor((x[2 + axis]! + padding[axis] + padding[axis + 2]! - (weight[2 + axis]! - 1) * dilation[axis] - 1) / stride[axis]) + 1;
  return [size(0), size(1)];
}

/** dw[m, c, ky, kx] = sum of g x and db[m] = sum of g, where g is dy behind the activation. */
function twin(c: Conv2dCase, x: ArrayLike<number>, y: ArrayLike<number>, dy: ArrayLike<number>): Record<string, Sum> {
  const [OH, OW] = sizeOf(c);
  const isActive = (v: number): boolean => (c.activation === 'relu' ? v > 0 : c.activation === 'clip' ? v > -0.25 && v < 0.5 : true);
  const g = Float64Array.from(dy, (value, i) => (isActive(y[i]!) ? value : 0));
  const [weight, bias] = [new Sum(c.weight), new Sum([c.weight[0]])];
  products(c, [OH, OW], (output, input, w) => weight.add(w, g[output]! * x[input]!));
  g.forEach((value, i) => bias.add(Math.floor(i / (OH * OW)) % c.weight[0], value));
  return { weight, ...(c.bias !== false && { bias }) };
}

function lessonOf(c: Conv2dCase): { lesson: Lesson; expected: Record<string, Sum> } {
  const { x: shape, weight, bias = true, activation, ...rest } = c;
  const x = random(shape, 1);
  const yShape: Four = [shape[0], weight[0], ...sizeOf(c)];
  const y = random(yShape, 2);
  // What an activation leaves: some of it exactly at its bounds.
  if (activation) y.data.forEach((v, i) => (y.data[i] = activation === 'relu' ? Math.max(v, 0) : Math.min(Math.max(v, -0.25), 0.5)));
  const dy = random(yShape, 3);
  const attributes = { ...rest, ...(activation && { activation, low: -0.25, high: 0.5 }) };
  const weights = { weight: random(weight, 4), ...(bias && { bias: random([weight[0]], 5) }) };
  return { lesson: { op: 'conv2d', attributes, weights, x: [x], y, dy }, expected: twin(c, x.data, y.data, dy.data) };
}

const CASES: Readonly<Record<string, Conv2dCase>> = {
  ...CONV2D_CASES,
  'five images, a long row': { x: [5, 2, 3, 29], weight: [9, 2, 3, 3], padding: [1, 1, 1, 1] },
  'seventeen images of a pixel': { x: [17, 5, 3, 3], weight: [6, 5, 3, 3] },
  'nine images in parts of several': { x: [9, 3, 5, 7], weight: [6, 3, 3, 3], padding: [1, 1, 1, 1] },
  'two columns of many images': { x: [33, 3, 4, 2], weight: [5, 3, 3, 1], padding: [1, 0, 1, 0] },
  'a kernel of twenty columns, stride 2': { x: [2, 2, 4, 31], weight: [4, 2, 1, 20], stride: [1, 2], padding: [0, 4, 0, 5] },
  '1x1 kernel cropped': { x: [2, 5, 7, 6], weight: [8, 5, 1, 1], padding: [-1, -2, 0, -1] },
  'wide groups, cropped and strided': { x: [2, 8, 9, 11], weight: [20, 4, 3, 3], stride: [2, 1], padding: [-1, 2, 1, -2], groups: 2 },
};

/** Cases whose kernels on a software adapter differ from those of another one in no more than their size. */
const ALIKE = [
  'no bias', 'many workgroups', 'several workgroups', '1x1 kernel, a small image', 'last rows and columns under no window', 'stride 4 over a 1x1 kernel',
  'row kernel 1x7', 'column kernel 7x1', 'one row of pixels', 'two groups, 5x5', 'depthwise with a multiplier', 'kernel larger than the image',
  'padding larger than the kernel', 'dilations that differ', '6x6, wider than what is unrolled', 'dilation 2', 'two tiles of outputs, the last one ragged',
];

const ALIKE_ON_GPUS = ['no bias', 'many workgroups', 'several workgroups', 'one output', 'kernel larger than the image', '11x11 with stride 4'];

describe('the gradients of conv2d against plain loops', () => {
  test.each(Object.entries(CASES).filter(([name]) => !ALIKE.includes(name)))('%s', async (_, c) => {
    const { lesson, expected } = lessonOf(c);
    expect(differs(await learn(engine(), lesson, { capabilities: SOFTWARE }), expected)).toEqual([]);
  });

  test.each(Object.entries(CASES).filter(([name]) => !ALIKE_ON_GPUS.includes(name)))('%s, as on a GPU', async (_, c) => {
    const { lesson, expected } = lessonOf(c);
    expect(differs(await learn(engine(), lesson, { capabilities: GPU }), expected)).toEqual([]);
  });

  test.each(['3x3, prime sizes', 'seventeen images of a pixel', 'depthwise'])('%s, without subgroups', async (name) => {
    const { lesson, expected } = lessonOf(CASES[name]!);
    expect(differs(await learn(engine(), lesson, { capabilities: { software: true, subgroups: false } }), expected)).toEqual([]);
  });

  test.each(['relu', 'clip'] as const)('with %s in it', async (activation) => {
    const { lesson, expected } = lessonOf({ x: [2, 3, 7, 5], weight: [6, 3, 3, 3], padding: [1, 1, 1, 1], activation });
    for (const capabilities of [SOFTWARE, GPU]) expect(differs(await learn(engine(), lesson, { capabilities }), expected)).toEqual([]);
  });
});

/** Sums long enough to be made in parts. */
const LONG: Conv2dCase = { x: [4, 1, 61, 47], weight: [8, 1, 3, 3], padding: [1, 1, 1, 1] };

test('long sums in parts, of one sign, and the same bits at every run', async () => {
  const { lesson } = lessonOf(LONG);
  const positive = { ...lesson, x: [random(LONG.x, 1, 0, 1)], dy: random(lesson.dy.shape, 2, 0, 1) };
  const expected = twin(LONG, positive.x[0]!.data, positive.y.data, positive.dy.data);
  for (const capabilities of [SOFTWARE, GPU]) {
    const first = await learn(engine(), positive, { capabilities });
    expect(differs(first, expected)).toEqual([]);
    const again = await learn(engine(), positive, { capabilities });
    for (const name of ['weight', 'bias']) expect(new Uint32Array(again[name]!.data.buffer)).toEqual(new Uint32Array(first[name]!.data.buffer));
  }
});

test.each(['stride 4, asymmetric padding', 'groups, dilated and strided', 'depthwise with stride 2', '3x3, prime sizes'])(
  '<dw, v> = <dy, conv(x; v)>: %s',
  async (name) => {
    const c = CASES[name]!;
    const { lesson } = lessonOf(c);
    const v = random(c.weight, 9).data;
    let [right, magnitude] = [0, 0];
    products(c, sizeOf(c), (output, input, w) => {
      const product = lesson.dy.data[output]! * v[w]! * lesson.x[0]!.data[input]!;
      right += product;
      magnitude += Math.abs(product);
    });
    for (const capabilities of [SOFTWARE, GPU]) {
      const { weight } = await learn(engine(), lesson, { capabilities });
      const left = dot(weight!.data, v).value;
      expect(Math.abs(left - right)).toBeLessThanOrEqual(8 * Math.sqrt(count(lesson.dy.shape)) * 2 ** -24 * magnitude + 1e-7);
    }
  },
);

test('the twin against central differences of half the squares of y', () => {
  const c: Conv2dCase = { x: [2, 4, 6, 5], weight: [4, 2, 3, 2], stride: [2, 1], padding: [1, 0, -1, 2], groups: 2 };
  const x = random(c.x, 1).data;
  const weight = Float64Array.from(random(c.weight, 2).data);
  const [OH, OW] = sizeOf(c);
  const forward = (w: Float64Array): Float64Array => {
    const y = new Float64Array(c.x[0] * c.weight[0] * OH * OW);
    products(c, [OH, OW], (output, input, at) => (y[output]! += w[at]! * x[input]!));
    return y;
  };
  const loss = (w: Float64Array): number => forward(w).reduce((sum, value) => sum + value ** 2 / 2, 0);
  const y = forward(weight);
  const gradient = twin(c, x, y, y).weight!;
  const h = 1e-5;
  weight.forEach((_, i) => {
    const at = (step: number): number => loss(weight.map((value, j) => (i === j ? value + step : value)));
    expect(Math.abs((at(h) - at(-h)) / (2 * h) - gradient.values[i]!)).toBeLessThan(1e-6);
  });
});

describe('against the gradient that TensorFlow.js computes on a processor', () => {
  const SHARED: Readonly<Record<string, Conv2dCase>> = {
    '3x3': { x: [3, 5, 9, 7], weight: [6, 5, 3, 3], padding: [1, 1, 1, 1] },
    '7x7 with stride 2, unequal padding': { x: [2, 3, 19, 16], weight: [8, 3, 7, 7], stride: [2, 2], padding: [3, 2, 2, 3] },
    '1x1': { x: [5, 7, 5, 3], weight: [4, 7, 1, 1] },
    'stride 3 and 2': { x: [2, 4, 11, 8], weight: [9, 4, 4, 2], stride: [3, 2] },
  };
  test.each(Object.entries(SHARED))('%s', async (_, c) => {
    const { lesson } = lessonOf({ ...c, bias: false });
    const { stride = [1, 1], padding: [top, left, bottom, right] = [0, 0, 0, 0] } = c;
    await tf.setBackend('cpu');
    const wanted = tf.tidy(() => {
      const x = tf.tensor4d(lesson.x[0]!.data, [...c.x]).transpose<tf.Tensor4D>([0, 2, 3, 1]).pad<tf.Tensor4D>([[0, 0], [top, bottom], [left, right], [0, 0]]);
      const dy = tf.tensor4d(lesson.dy.data, lesson.dy.shape as [number, number, number, number]).transpose<tf.Tensor4D>([0, 2, 3, 1]);
      const filter = tf.zeros<tf.Rank.R4>([c.weight[2], c.weight[3], c.weight[1], c.weight[0]]);
      const gradient = tf.grad((w: tf.Tensor) => tf.conv2d(x, w as tf.Tensor4D, [...stride], 'valid'))(filter, dy);
      return gradient.transpose([3, 2, 0, 1]).dataSync();
    });
    const scale = Math.max(...wanted.map(Math.abs));
    for (const capabilities of [SOFTWARE, GPU]) {
      const { weight } = await learn(engine(), lesson, { capabilities });
      expect(Math.max(...weight!.data.map((value, i) => Math.abs(value - wanted[i]!))) / scale).toBeLessThan(1e-4);
    }
  });
});

describe('a bug planted in the gradients of conv2d is noticed', () => {
  const plain: Conv2dCase = { x: [2, 3, 7, 11], weight: [6, 3, 3, 3], padding: [1, 1, 1, 1] };
  const grouped: Conv2dCase = { ...plain, x: [2, 6, 7, 11], weight: [12, 3, 3, 3], groups: 2 };
  const bugs: readonly (PlantedBug & { readonly in?: Conv2dCase })[] = [
    { name: 'terms past the end of a row count', kernel: 'conv2d_learn', find: /select\(0\.0, (dy\[[^\]]+\]), in\d+\)/, replace: '$1' },
    { name: 'the next line is the same', kernel: 'conv2d_learn', find: 'select(0u, xNextLine, isLineDone)', replace: 'select(0u, xNextLine - width, isLineDone)' },
    { name: 'the next image is not reached', kernel: 'conv2d_learn', find: 'select(0u, dyNextBlock, isBlockDone)', replace: '0u', in: { ...plain, x: [9, 3, 5, 7] } },
    { name: 'rows are taken from the wrong lane', kernel: 'conv2d_learn', find: '(lane ^ 1u)', replace: '(lane ^ 2u)' },
    { name: 'outputs past the last are stored', kernel: 'conv2d_learn', find: /(firstRow [^<]*) < outputs/, replace: '$1 < outputs + 2u' },
    { name: 'every group reads the first of x', kernel: 'conv2d_learn', find: '(group * channels + channel)', replace: 'channel', in: grouped },
    { name: 'every group reads the first of dy', kernel: 'conv2d_learn', find: '(group * outputs + min', replace: '(min', in: grouped },
    { name: 'the padding is off by one', kernel: 'border', find: '- sizes[4]', replace: '- sizes[4] + 1u' },
    { name: 'a part is left out', kernel: 'conv2d_sum', find: 's < sizes[PARTS]', replace: 's + 1u < sizes[PARTS]', in: LONG },
    { name: 'the last positions are left out of the bias', kernel: 'bias_learn', find: /image \+= dy\[at \+ \d+u\];/, replace: '' },
  ];
  test.each(bugs)('$name', async ({ in: c = plain, ...bug }) => {
    const { lesson, expected } = lessonOf(c);
    await expectBugSeen(engine(), lesson, expected, bug, { software: true, subgroups: true });
  });

  test.each<PlantedBug>([
    { name: 'terms past the last count', kernel: 'conv2d_learn_shared', find: /isTerm && /, replace: '' },
    { name: 'the border is read', kernel: 'conv2d_learn_shared', find: / && ix\d_\d < width/, replace: '' },
    { name: 'terms of a turn overlap', kernel: 'conv2d_learn_shared', find: '[mine * 17u', replace: '[mine * 16u' },
    { name: 'an invocation is missing in the sum of the bias', kernel: 'bias_learn', find: 's < 64u', replace: 's < 63u' },
  ])('as on a GPU: $name', async (bug) => {
    const { lesson, expected } = lessonOf(plain);
    await expectBugSeen(engine(), lesson, expected, bug, GPU);
  });
});
