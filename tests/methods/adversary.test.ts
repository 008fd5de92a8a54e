/** Attacks on a linear network, whose every gradient is known, against plain loops. */
import { describe, expect, test } from 'vitest';
import { preprocess as toInput } from '../../src/image/preprocess.ts';
import { classify, rank } from '../../src/methods/activations.ts';
import { attack, type Attack, type AttackOptions, type AttackProgress } from '../../src/methods/adversary.ts';
import { pictureOfChange, pictureOfLevels, pixelLevels } from '../../src/methods/pixel_levels.ts';
import type { Network, Preprocess, Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { numbers, random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const engine = useEngine();

const [CHANNELS, HEIGHT, WIDTH, CLASSES] = [3, 5, 8, 4];
const SHAPE = [1, CHANNELS, HEIGHT, WIDTH];
const COUNT = CHANNELS * HEIGHT * WIDTH;
const PLANE = HEIGHT * WIDTH;
const preprocess: Preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.45, 0.4], std: [0.25, 0.2, 0.225], fit: 'crop' };

const weight = random([CLASSES, COUNT], 3, -0.2, 0.2);
const bias = random([CLASSES], 4);
const linear: Network = { ...network({ x: SHAPE }, [node('scores', 'dense', ['x'], {}, { weight, bias })]), preprocess, labels: ['ant', 'bee', 'cat', 'dog'] };

/** A picture of noise, with black and white pixels in it. */
const picture = (() => {
  const { integer } = numbers(8);
  const data = Uint8ClampedArray.from({ length: 4 * PLANE }, (_, i) => (i % 4 === 3 ? 255 : i % 7 === 0 ? 0 : i % 11 === 0 ? 255 : integer(0, 255)));
  return { width: WIDTH, height: HEIGHT, data };
})();
const x = toInput(picture, preprocess, SHAPE);

const scoresOf = (input: ArrayLike<number>): number[] =>
  Array.from({ length: CLASSES }, (_, k) => Array.from(input).reduce((sum, value, i) => sum + value * weight.data[k * COUNT + i], bias.data[k]));

async function attacked(options: AttackOptions, of = linear, input: Tensor = x): Promise<{ result: Attack; steps: AttackProgress[] }> {
  const steps: AttackProgress[] = [];
  for await (const progress of attack(engine(), of, input, options)) steps.push(progress);
  return { result: steps.at(-1)!.result!, steps };
}

/** The change by signed steps in double precision, all of it in pixel levels. */
function twin(epsilon: number, step: number, steps: number, label: number, direction: 1 | -1, loss: 'cross-entropy' | 'margin'): number[] {
  const levels = pixelLevels(x, preprocess).data;
  const scale = (i: number): number => 1 / (255 * preprocess.std[Math.floor(i / PLANE)]);
  const change = new Array<number>(COUNT).fill(0);
  for (let s = 0; s < steps; s++) {
    const scores = scoresOf(change.map((d, i) => x.data[i] + scale(i) * d));
    const exps = scores.map((value) => Math.exp(value - Math.max(...scores)));
    const total = exps.reduce((a, b) => a + b, 0);
    const others = scores.map((value, k) => (k === label ? -Infinity : value));
    const other = others.indexOf(Math.max(...others));
    const seed = scores.map((_, k) => (loss === 'margin' ? Number(k === other) : exps[k] / total) - Number(k === label));
    for (let i = 0; i < COUNT; i++) {
      const slope = seed.reduce((sum, value, k) => sum + value * weight.data[k * COUNT + i], 0);
      const moved = change[i] + direction * step * Math.sign(slope);
      change[i] = Math.min(Math.max(moved, Math.max(-epsilon, -levels[i])), Math.min(epsilon, 255 - levels[i]));
    }
  }
  return change;
}

test('pixel levels come back whole, and pictures from them to the byte', () => {
  const levels = pixelLevels(x, preprocess);
  levels.data.forEach((level, i) => expect(level).toBe(picture.data[4 * (i % PLANE) + Math.floor(i / PLANE)]));
  expect(pictureOfLevels(levels, preprocess).data).toEqual(picture.data);
  const change = { shape: SHAPE, data: levels.data.map((_, i) => (i % 5) - 2) };
  expect([...pictureOfChange(change, preprocess, { gain: 10 }).data.subarray(0, 4)]).toEqual([128 - 20, 128 + 10 * ((PLANE % 5) - 2), 128 + 10 * (((2 * PLANE) % 5) - 2), 255]);
});

describe.each(['cross-entropy', 'margin'] as const)('%s', (loss) => {
  test('one signed step away from the class: the change is exact, within the ball and within pixels', async () => {
    const epsilons = [8, 1, 2, 64];
    const { result, steps } = await attacked({ epsilons, steps: 1, loss });
    const label = result.before[0].index;
    const own = rank(linear, Float32Array.from(scoresOf(x.data)), CLASSES);
    expect(label).toBe(own[0].index);
    expect(result.before[0].probability).toBeCloseTo(own[0].probability, 5);
    expect([result.class, result.targeted, steps.length]).toEqual([label, false, 2]);
    expect(result.pictures.map(({ epsilon }) => epsilon)).toEqual([1, 2, 8, 64]);
    let last = result.before[0].probability;
    for (const { epsilon, change, levels, size, classes, succeeded } of result.pictures) {
      expect([...change.data].map((value) => value + 0)).toEqual(twin(epsilon, epsilon, 1, label, 1, loss).map((value) => value + 0));
      expect(size.max).toBe(epsilon);
      levels.data.forEach((level) => expect(level >= 0 && level <= 255).toBe(true));
      const probability = classes.find(({ index }) => index === label)!.probability;
      expect(probability).toBeLessThan(last);
      last = probability;
      expect(succeeded).toBe(classes[0].index !== label);
    }
    expect(result.pictures.at(-1)!.succeeded).toBe(true);
  });

  test('ten steps to a class raise it, and stay within the ball', async () => {
    const { result, steps } = await attacked({ epsilons: [1, 4, 32], target: 2, loss });
    expect(steps).toHaveLength(11);
    let last = result.before.find(({ index }) => index === 2)!.probability;
    for (const { epsilon, step, change, classes, succeeded, since } of result.pictures) {
      expect(step).toBe(epsilon / 4);
      expect([...change.data].map((value) => value + 0)).toEqual(twin(epsilon, step, 10, 2, -1, loss).map((value) => value + 0));
      expect(classes.find(({ index }) => index === 2)!.probability).toBeGreaterThan(last);
      last = classes.find(({ index }) => index === 2)!.probability;
      expect(succeeded).toBe(classes[0].index === 2);
      expect(since === null).toBe(!succeeded);
    }
    expect(result.pictures.at(-1)!.since).toBeGreaterThan(0);
  });
});

test('an epsilon that no float32 holds is never passed; a random start lies in the ball and is the same from the same seed', async () => {
  const options = { epsilons: [0.1, 0.7], steps: 3, step: 0.05, seed: 5 };
  const { result } = await attacked(options);
  for (const { epsilon, change } of result.pictures) change.data.forEach((value) => expect(Math.abs(value)).toBeLessThanOrEqual(epsilon));
  const [, wide] = result.pictures;
  expect(new Set(wide.change.data).size).toBeGreaterThan(COUNT / 2);
  expect((await attacked(options)).result.pictures[1].change.data).toEqual(wide.change.data);
  expect((await attacked({ ...options, seed: 6 })).result.pictures[1].change.data).not.toEqual(wide.change.data);
});

test('what a file of it is taken for is what the picture is taken for', async () => {
  const { result } = await attacked({ epsilons: [2.6], steps: 4 });
  const [{ levels, stored, size, change }] = result.pictures;
  const [again] = await classify(engine(), linear, toInput(pictureOfLevels(levels, preprocess), preprocess, SHAPE), { top: CLASSES });
  expect(stored.map(({ index }) => index)).toEqual(again.map(({ index }) => index));
  stored.forEach(({ probability }, k) => expect(probability).toBeCloseTo(again[k].probability, 6));
  const squares = change.data.reduce((sum, value) => sum + value * value, 0);
  expect(size.l2).toBeCloseTo(Math.sqrt(squares), 6);
  expect(size.psnr).toBeCloseTo(10 * Math.log10(255 ** 2 / (squares / COUNT)), 6);
});

test('a deeper network gives way too', async () => {
  const nodes = [convolution('conv', 'x', [6, 3, 3], 1), node('relu', 'relu', ['conv.y']), node('pool', 'max_pool', ['relu.y'], { kernel: [2, 2], stride: [2, 2] })];
  const deep = { ...network({ x: SHAPE }, [...nodes, node('scores', 'dense', ['pool.y'], {}, { weight: random([5, 6 * 2 * 4], 2, -0.3, 0.3), bias: random([5], 3) }), node('prob', 'softmax', ['scores.y'])]), preprocess };
  const { result } = await attacked({ epsilons: [1, 64] }, deep);
  const [least, most] = result.pictures.map(({ classes }) => classes.find(({ index }) => index === result.class)!.probability);
  expect(least).toBeLessThan(result.before[0].probability);
  expect(most).toBeLessThan(least);
});

test('it stops when asked to, and leaves nothing behind', async () => {
  const before = engine().memory();
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    for await (const { step } of attack(engine(), linear, x, { epsilons: [1], steps: 1000, signal: stop.signal })) if (step === 3) stop.abort();
  };
  await expect(run()).rejects.toMatchObject({ code: 'aborted' });
  expect(engine().memory()).toEqual(before);
});

describe('refused', () => {
  test.each<[AttackOptions, RegExp]>([
    [{ epsilons: [] }, /up to 255 pixel levels, got none/],
    [{ epsilons: [1, 0] }, /above 0/],
    [{ epsilons: [300] }, /up to 255/],
    [{ epsilons: [NaN] }, /above 0/],
    [{ epsilons: [1], steps: 0 }, /steps must be/],
    [{ epsilons: [1], step: -1 }, /a step must be above 0/],
    [{ epsilons: [1], target: 4 }, /no class 4/],
  ])('%j', async (options, message) => {
    await expect(attack(engine(), linear, x, options).next()).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) as string });
  });

  test('scores that are not finite, another shape, no preprocessing', async () => {
    const broken = x.data.map((value, i) => (i === 3 ? NaN : value));
    await expect(attack(engine(), linear, { shape: SHAPE, data: broken }, { epsilons: [1] }).next()).rejects.toMatchObject({ code: 'not-finite' });
    await expect(attack(engine(), linear, random([1, 3, 4, 4], 1), { epsilons: [1] }).next()).rejects.toMatchObject({ code: 'usage' });
    const { preprocess: _none, ...silent } = linear;
    await expect(attack(engine(), silent, x, { epsilons: [1] }).next()).rejects.toMatchObject({ code: 'usage' });
  });
});
