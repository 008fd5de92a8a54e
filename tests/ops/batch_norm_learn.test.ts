import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { useEngine } from '../gpu.ts';
import { expectCentralDifferences, type Twin } from './harness.ts';
import { learn, type Learner, type LearningOptions } from './learning_run.ts';
import { count, dot, filled, mismatches, random, Sum } from './reference.ts';

const engine = useEngine();
const EPSILON = 1e-5;

interface BatchTwin extends Twin {
  readonly mean: Sum;
  readonly variance: Sum;
  dscale(dy: ArrayLike<number>): Sum;
  dshift(dy: ArrayLike<number>): Sum;
}

/** y = scale (x - mean) / sqrt(variance + epsilon) + shift by the moments of the batch, and the running moments after it. */
function batchTwin(x: ArrayLike<number>, shape: readonly number[], weights: Readonly<Record<string, { readonly data: ArrayLike<number> }>>): BatchTwin {
  const C = shape[1]!;
  const plane = count(shape.slice(2));
  const n = count(shape) / C;
  const of = (role: string, c: number): number => weights[role]!.data[c]!;
  const channelOf = (i: number): number => Math.floor(i / plane) % C;
  /** Sum over each channel; with the terms of one such sum. */
  const perChannel = (term: (i: number, c: number) => number): Sum => {
    const sum = new Sum([C]);
    for (let i = 0; i < n * C; i++) sum.add(channelOf(i), term(i, channelOf(i)));
    return sum;
  };
  const scaled = (sum: Sum, factor: number): Sum => {
    const result = sum.map((value) => value * factor);
    result.magnitudes.forEach((_, i) => (result.magnitudes[i]! *= factor));
    return result;
  };
  const center = scaled(perChannel((i) => x[i]!), 1 / n);
  const squares = perChannel((i, c) => (x[i]! - center.values[c]!) ** 2);
  const inverse = squares.values.map((value) => 1 / Math.sqrt(value / n + EPSILON));
  const h = (i: number, c: number): number => (x[i]! - center.values[c]!) * inverse[c]!;
  /** What an error of the moments does to h. */
  const width = (i: number, c: number): number => (Math.abs(x[i]!) + center.magnitudes[c]!) * inverse[c]! + Math.abs(h(i, c));
  const running = (old: string, now: Sum): Sum => {
    const sum = scaled(now, 0.1);
    for (let c = 0; c < C; c++) sum.add(c, 0.9 * of(old, c));
    return sum;
  };
  const y = new Sum(shape);
  for (let i = 0; i < n * C; i++) {
    const c = channelOf(i);
    y.add(i, of('scale', c) * h(i, c));
    y.add(i, of('shift', c));
    y.magnitudes[i] = Math.abs(of('scale', c)) * width(i, c) + Math.abs(of('shift', c));
  }
  y.terms.fill(n);
  const dscale = (dy: ArrayLike<number>): Sum => {
    const sum = perChannel((i, c) => dy[i]! * h(i, c));
    perChannel((i, c) => dy[i]! * width(i, c)).magnitudes.forEach((value, c) => (sum.magnitudes[c] = value));
    return sum;
  };
  const dshift = (dy: ArrayLike<number>): Sum => perChannel((i) => dy[i]!);
  return {
    y,
    mean: running('mean', center),
    variance: running('variance', scaled(squares, 1 / (n - 1))),
    dscale,
    dshift,
    dx(dy) {
      const [products, sums] = [dscale(dy), dshift(dy)];
      const dx = new Sum(shape);
      for (let i = 0; i < n * C; i++) {
        const c = channelOf(i);
        const slope = of('scale', c) * inverse[c]!;
        dx.add(i, slope * (dy[i]! - sums.values[c]! / n - (h(i, c) * products.values[c]!) / n));
        dx.magnitudes[i] = Math.abs(slope) * (Math.abs(dy[i]!) + sums.magnitudes[c]! / n + (width(i, c) * Math.abs(products.values[c]!) + Math.abs(h(i, c)) * products.magnitudes[c]!) / n);
      }
      dx.terms.fill(n);
      return [dx];
    },
  };
}

function learnerOf(shape: readonly number[], x: Tensor = random(shape, 1)): Learner {
  const channels = [shape[1]!];
  const weights = { scale: random(channels, 2, -2, 2), shift: random(channels, 3), mean: random(channels, 4), variance: random(channels, 5, 0.1, 2) };
  return { op: 'batch_norm', attributes: { epsilon: EPSILON }, weights, x };
}

async function differences(learner: Learner, options: LearningOptions = {}): Promise<string[]> {
  const found = await learn(engine(), learner, options);
  const { data, shape } = learner.x;
  const twin = batchTwin(data, shape, learner.weights!);
  const dx = twin.dx(found.dy.data)[0]!;
  if (options.gradient === 'added') found.before.data.forEach((value, i) => dx.add(i, value));
  return [
    ...mismatches('y', found.y, twin.y),
    ...(found.dx ? mismatches('dx', found.dx, dx) : []),
    ...mismatches('d scale', found.dw['scale']!, twin.dscale(found.dy.data)),
    ...mismatches('d shift', found.dw['shift']!, twin.dshift(found.dy.data)),
    ...mismatches('mean', found.weights['mean']!, twin.mean),
    ...mismatches('variance', found.weights['variance']!, twin.variance),
    ...['scale', 'shift'].flatMap((name) => mismatches(name, found.weights[name]!, Sum.of([shape[1]!], (c) => learner.weights![name]!.data[c]!), { exact: true })),
  ];
}

describe('batch norm by the moments of the batch against plain loops', () => {
  test.each([[2, 1], [1, 3, 2, 1], [4, 7], [2, 3, 11], [3, 2, 4, 5], [2, 67, 3, 3]].map((shape) => ({ shape })))('$shape', async ({ shape }) => {
    expect(await differences(learnerOf(shape))).toEqual([]);
  });

  test.each([[3, 5, 7, 7], [2, 3, 12, 12], [4, 7]].map((shape) => ({ shape })))('$shape, planes shared by a workgroup', async ({ shape }) => {
    expect(await differences(learnerOf(shape), { capabilities: { software: false } })).toEqual([]);
  });

  test('gradient of a branch, and one that nobody wants', async () => {
    expect(await differences(learnerOf([3, 5, 2, 3]), { gradient: 'added' })).toEqual([]);
    expect(await differences(learnerOf([3, 5, 2, 2]), { gradient: 'added' })).toEqual([]);
    expect(await differences(learnerOf([3, 5, 2, 3]), { gradient: 'unwanted' })).toEqual([]);
  });

  test.each([false, true])('a mean a thousand times the deviation, on a software adapter: %s', async (software) => {
    const shape = [4, 3, 8, 9];
    const learner = learnerOf(shape, filled(shape, (i) => 1000 + ((i * 7919) % 13) / 13));
    expect(await differences(learner, { capabilities: { software } })).toEqual([]);
    const { weights } = await learn(engine(), learner, { capabilities: { software } });
    const { variance } = batchTwin(learner.x.data, shape, learner.weights!);
    weights['variance']!.data.forEach((value, c) => expect(Math.abs(value / variance.values[c]! - 1)).toBeLessThan(1e-5));
  });

  test('channels without variance', async () => {
    const learner = learnerOf([3, 2, 2, 3], filled([3, 2, 2, 3], (i) => (Math.floor(i / 6) % 2 ? 0.25 : 0)));
    const { y, dx } = await learn(engine(), learner);
    y.data.forEach((value, i) => expect(value).toBeCloseTo(learner.weights!['shift']!.data[Math.floor(i / 6) % 2]!, 5));
    expect(dx!.data.every(Number.isFinite)).toBe(true);
  });
});

test.each([
  ['NaN', NaN],
  ['infinity', Infinity],
  ['what overflows', 3e38],
])('%s does not reach the running moments of its channel, and others go on', async (_, bad) => {
  const shape = [3, 4, 2, 3];
  const learner = learnerOf(shape, filled(shape, (i) => (i === 6 ? bad : Math.sin(i))));
  const { weights } = await learn(engine(), learner);
  const { mean, variance } = batchTwin(learner.x.data, shape, learner.weights!);
  for (const [name, now] of [['mean', mean], ['variance', variance]] as const) {
    const old = learner.weights![name]!.data;
    expect(weights[name]!.data[1]).toBe(old[1]);
    for (const c of [0, 2, 3]) expect(weights[name]!.data[c]).toBeCloseTo(now.values[c]!, 6);
  }
});

test('equal runs give equal bits', async () => {
  const learner = learnerOf([5, 9, 6, 7]);
  for (const software of [true, false]) {
    const [a, b] = [await learn(engine(), learner, { capabilities: { software } }), await learn(engine(), learner, { capabilities: { software } })];
    expect(a).toEqual(b);
  }
});

test('central differences of the twin, in x, scale and shift', () => {
  const { x, weights } = learnerOf([3, 2, 2, 3]);
  expectCentralDifferences((values) => batchTwin(values, x.shape, weights!), x);
  const dy = random(x.shape, 8).data;
  for (const name of ['scale', 'shift'] as const) {
    const direction = random([2], 9).data;
    const at = (h: number): number => {
      const moved = Float64Array.from(weights![name]!.data, (value, c) => value + h * direction[c]!);
      return dot(batchTwin(x.data, x.shape, { ...weights, [name]: { data: moved } }).y.values, dy).value;
    };
    const product = dot(batchTwin(x.data, x.shape, weights!)[`d${name}`](dy).values, direction).value;
    expect((at(1e-5) - at(-1e-5)) / 2e-5).toBeCloseTo(product, 7);
  }
});

test('a network that only runs has no part in its moments', () => {
  const { x, weights } = learnerOf([2, 3, 4, 4]);
  const node = { name: 'norm', output: 'norm', op: 'batch_norm', inputs: ['x'], attributes: {}, weights: weights! };
  const network = { name: 'net', inputs: [{ name: 'x', shape: x.shape }], nodes: [node], outputs: ['norm'] };
  const plan = compile(network, { layers: ['norm'], backward: { from: 'norm', rule: 'gradient' }, capabilities: engine().capabilities });
  expect([...plan.passes.values()].flat().map(({ kernel, tensors }) => [kernel, Object.keys(tensors)])).toEqual([
    ['batch_norm', ['x', 'a', 'b', 'y']],
    ['batch_norm', ['a', 'dy', 'dx']],
  ]);
});

test('one element a channel is refused', async () => {
  await expect(learn(engine(), learnerOf([1, 3, 1, 1]))).rejects.toMatchObject({ code: 'usage', address: { layer: 'layer' } });
});

describe('a planted bug is noticed', () => {
  test.each<[string, RegExp, string, LearningOptions?]>([
    ['planes are not centred on the mean of all', /squares \+= part\.y \+ .*? \* d \* d/, 'squares += part.y'],
    ['squares are not centred', /let d = x\[at\] - mean/, 'let d = x[at]'],
    ['the running variance is biased', /squares \* \(0\.034\S+ - variance/, 'squares * (0.033333335f) - variance'],
    ['the running mean is kept', /mean\[i\] = nextMean/, 'mean[i] = mean[i]'],
    ['the mean is left out of y', /shift\[i\] - slope \* center/, 'shift[i]'],
    ['epsilon is left out', / \+ \(0\.0000099\S+\)\)/, ')'],
    ['only the gradient of the elements themselves', /-bend, bend \* center - slope \* sums\.x \* \S+,/, '0.0, 0.0,'],
    ['the way through the mean is forgotten', / - slope \* sums\.x \* \S+,/, ','],
    ['the way through the variance is forgotten', /-bend, bend \* center/, '0.0, 0.0'],
    ['the gradient of the scale is not normalized', /dscale\[i\] = scaled/, 'dscale[i] = sums.y'],
    ['channels run on with the batch', /let c = plane % 3u/g, 'let c = plane % 6u'],
    ['the gradient of a branch is forgotten', /= dx\[.*?\] \+/g, '=', { gradient: 'added' }],
    ['a part of the workgroup is forgotten', /part < 64u/g, 'part < 8u', { capabilities: { software: false } }],
  ])('%s', async (name, find, replace, options = {}) => {
    let changed = 0;
    const mutate = (code: string): string => {
      const mutated = code.replace(find, replace);
      if (mutated !== code) changed++;
      return mutated;
    };
    const shape = options.capabilities ? [2, 3, 6, 6] : [2, 3, 3, 5];
    // Variances that count beside the running ones, or so small that epsilon counts.
    const x = random(shape, 1, ...(name.startsWith('epsilon') ? [0.1, 0.12] : [-1, 2]));
    const found = await differences(learnerOf(shape, x), { ...options, mutate });
    expect(changed).toBeGreaterThan(0);
    expect(found).not.toEqual([]);
  });
});
