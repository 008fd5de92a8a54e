/** Fooling pictures of a linear network: what they reach, from where, and how they end. */
import { expect, test } from 'vitest';
import { fooling, type Fooling, type FoolingOptions } from '../../src/methods/fooling.ts';
import type { Network, Preprocess } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { filled, random } from '../ops/reference.ts';
import { network, node } from '../scheduler/networks.ts';

const engine = useEngine();

const SHAPE = [1, 3, 6, 8];
const [COUNT, PLANE, CLASSES] = [144, 48, 3];
const preprocess: Preprocess = { channels: 'BGR', range: 255, mean: [104, 117, 123], std: [60, 60, 60], fit: 'crop' };
const weight = random([CLASSES, COUNT], 3, -0.1, 0.1);
const bias = random([CLASSES], 4);
const linear: Network = { ...network({ x: SHAPE }, [node('scores', 'dense', ['x'], {}, { weight, bias })]), preprocess };

async function fooled(options: FoolingOptions, of = linear): Promise<{ result: Fooling; looks: number }> {
  let looks = 0;
  for await (const { result } of fooling(engine(), of, options)) {
    if (result) return { result, looks };
    looks++;
  }
  throw new Error('no result');
}

/** Probability of a class in double precision, of pixel levels. */
function probability(levels: ArrayLike<number>, index: number): number {
  const scores = Array.from({ length: CLASSES }, (_, k) => Array.from(levels).reduce((sum, level, i) => sum + ((level - preprocess.mean[Math.floor(i / PLANE)]) / 60) * weight.data[k * COUNT + i], bias.data[k]));
  const exps = scores.map((value) => Math.exp(value - Math.max(...scores)));
  return exps[index] / exps.reduce((a, b) => a + b, 0);
}

test.each(['mean', 'mean_plus_rand', 'randu'] as const)('from %s the network becomes certain, and an independent computation agrees', async (start) => {
  const { result, looks } = await fooled({ class: 1, start, seed: 2, iterations: 400 });
  expect(result.status).toBe('confident');
  expect(result.probability).toBeGreaterThanOrEqual(0.99);
  expect(result.before).toBeCloseTo(probability(result.start.data, 1), 4);
  expect(result.probability).toBeCloseTo(probability(result.levels.data, 1), 4);
  expect(result.stored).toBeCloseTo(probability(result.levels.data.map(Math.round), 1), 3);
  expect(looks).toBe(result.iterations);
  result.levels.data.forEach((level) => expect(level >= 0 && level <= 255).toBe(true));
  result.change.data.forEach((value, i) => expect(value).toBeCloseTo(result.levels.data[i] - result.start.data[i], 4));
  expect((await fooled({ class: 1, start, seed: 2, iterations: 400 })).result.levels.data).toEqual(result.levels.data);
});

test('a picture to start from, whole levels as they are', async () => {
  const levels = filled(SHAPE, (i) => (i * 37) % 256);
  const x = { shape: SHAPE, data: levels.data.map((level, i) => Math.fround((level - preprocess.mean[Math.floor(i / PLANE)]) / 60)) };
  const { result } = await fooled({ class: 2, start: x, iterations: 400 });
  result.start.data.forEach((level, i) => expect(level).toBeCloseTo(levels.data[i], 4));
  expect(result.status).toBe('confident');
  expect(result.size.max).toBeGreaterThan(0);
});

test('too few iterations, and a network that is silent', async () => {
  expect((await fooled({ class: 0, start: 'mean', iterations: 2, confidence: 0.999 })).result).toMatchObject({ status: 'not confident', iterations: 2 });
  const dead = [node('hidden', 'dense', ['x'], {}, { weight: random([4, COUNT], 5), bias: filled([4], () => -1e6) }), node('relu', 'relu', ['hidden.y']), node('scores', 'dense', ['relu.y'], {}, { weight: random([3, 4], 6), bias })];
  const { result } = await fooled({ class: 0, start: 'mean' }, { ...network({ x: SHAPE }, dead), preprocess });
  expect(result).toMatchObject({ status: 'no gradient', iterations: 1 });
  expect(result.size).toMatchObject({ max: 0, psnr: null });
});

test('on request it ends early, with what there is', async () => {
  const before = engine().memory();
  const stop = new AbortController();
  let last: Fooling | undefined;
  for await (const { step, result } of fooling(engine(), linear, { class: 0, early: 1e-6, late: 1e-6, signal: stop.signal })) {
    if (step === 5) stop.abort();
    last = result;
  }
  expect(last).toMatchObject({ status: 'interrupted' });
  expect(engine().memory()).toEqual(before);
  await expect(fooling(engine(), linear, { class: 0, signal: AbortSignal.abort() }).next()).rejects.toMatchObject({ code: 'aborted' });
});

test.each<[FoolingOptions, RegExp]>([
  [{ class: 3 }, /no class 3/],
  [{ class: 0, confidence: 1 }, /between 0 and 1/],
  [{ class: 0, start: random([1, 3, 4, 4], 1) }, /must be \[1, 3, 6, 8\]/],
])('refused: %j', async (options, message) => {
  await expect(fooling(engine(), linear, options).next()).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) as string });
});
