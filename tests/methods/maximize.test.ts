/** The optimizer against published numbers and against its double-precision twin. */
import { describe, expect, test } from 'vitest';
import { PROGRESS } from '../../shaders/ascent.wgsl.ts';
import { SEARCH } from '../../shaders/rank.wgsl.ts';
import type { Engine } from '../../src/gpu/engine.ts';
import { Maximizer, type MaximizeOptions, type MaximizeProgress } from '../../src/methods/maximize.ts';
import { ascentSettings, PRESETS, type AscentSettings } from '../../src/methods/settings.ts';
import { startImage } from '../../src/methods/start_image.ts';
import type { Network } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { ascentTwin, regularizeTwin, type Objective, type Size } from './ascent_twin.ts';

const engine = useEngine();

/** A linear convolution over the whole image: score_m = sum of w_m x + b_m, so the gradient is w_m everywhere. */
function linearNetwork({ channels, height, width }: Size, units: number, std: readonly number[]): { network: Network; weight: Float32Array } {
  const weight = Float32Array.from({ length: units * channels * height * width }, (_, i) => Math.sin(i * 12.9898) * 0.05);
  const network: Network = {
    name: 'linear',
    inputs: [{ name: 'data', shape: [1, channels, height, width] }],
    outputs: ['score'],
    preprocess: { channels: 'RGB', range: 1, mean: [0.4, 0.45, 0.5], std, fit: 'crop' },
    nodes: [
      {
        name: 'score',
        output: 'score',
        op: 'dense',
        inputs: ['data'],
        attributes: {},
        weights: { weight: { shape: [units, channels * height * width], data: weight } },
      },
    ],
  };
  return { network, weight };
}

async function collect(maximizer: Maximizer, steps = Infinity): Promise<MaximizeProgress[]> {
  const seen: MaximizeProgress[] = [];
  for await (const progress of maximizer.run()) {
    seen.push(progress);
    if (seen.length >= steps) break;
  }
  return seen;
}

async function withMaximizer<T>(e: Engine, network: Network, options: MaximizeOptions, use: (m: Maximizer) => Promise<T>): Promise<T> {
  const maximizer = await Maximizer.create(e, network, options);
  try {
    return await use(maximizer);
  } finally {
    maximizer.dispose();
  }
}

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
const size227: Size = { channels: 3, height: 227, width: 227 };

describe('published numbers of one pass over the start image of seed 0 (227 x 227)', () => {
  const pass = async (settings: AscentSettings, passes: string[]) => {
    const { network } = linearNetwork(size227, 1, [1, 1, 1]);
    return withMaximizer(engine(), network, { units: ['score:0'], settings }, async (m) => {
      m.runner.write('gradient', new Float32Array(3 * 227 * 227).fill(1));
      m.runner.run(passes);
      const image = (await m.read()).data;
      const search = new Float32Array(await m.runner.readBytes('search'));
      return { image, threshold: search[SEARCH.threshold]! };
    });
  };

  test('start image', () => {
    const image = startImage('mean_plus_rand', 0, [0, 0, 0], 227 * 227);
    expect([...image.slice(0, 4)].map((value) => value.toFixed(6))).toEqual(['17.640524', '4.001572', '9.787380', '22.408932']);
    expect(norm(image)).toBeCloseTo(3921.523644968777, 2);
  });

  test('combination 3: decay, then a blur of 1', async () => {
    const { image } = await pass({ ...PRESETS[3], rate: 0 }, ['rate', 'ascend.blur']);
    expect(norm(image)).toBeCloseTo(1118.40795, 3);
    [8.79572753, 6.24885862, 5.99959423, 7.12574372].forEach((value, i) => expect(image[i]).toBeCloseTo(value, 5));
  });

  test('combination 1: blur of 0.5, then small norm 50', async () => {
    const blurred = await pass(PRESETS[1], ['ascend.blur']);
    expect(norm(blurred.image)).toBeCloseTo(2523.73441, 2);
    const { image, threshold } = await pass(PRESETS[1], ['ascend.blur', 'clip.smallNorm']);
    expect(threshold).toBeCloseTo(9.85167136, 5);
    expect(norm(image)).toBeCloseTo(2254.54734, 2);
    const plane = 227 * 227;
    let zeroed = 0;
    for (let i = 0; i < plane; i++) if (image[i] === 0 && image[plane + i] === 0 && image[2 * plane + i] === 0) zeroed++;
    expect(zeroed).toBe(25764);
  });
});

describe('five steps against the double-precision twin', () => {
  const size: Size = { channels: 3, height: 13, width: 9 };
  const cases: Record<string, Partial<AscentSettings>> = {
    'constant step': { rate: 3 },
    'decay and every clip': { rate: 20, decay: 0.05, smallValue: 13, smallNorm: 20, contribution: 7, absContribution: 31 },
    'progress, capped and free': { policy: 'progress', maxRate: 100, desired: 2, blurRadius: 0.5, blurEvery: 2 },
    progress01: { policy: 'progress01', maxRate: 1e7, early: 0.03, late: 0.1 },
    'a step of given length': { policy: 'normalized', rate: 1.5 },
    'wide blur on a small image': { rate: 5, blurRadius: 4, blurEvery: 1 },
    'percentile 100 and a fraction': { rate: 5, smallNorm: 100, smallValue: 33.3 },
  };
  test.each(Object.entries(cases))('%s', async (_, changes) => {
    const std = [0.2, 0.25, 0.5];
    const { network, weight } = linearNetwork(size, 2, std);
    const settings = ascentSettings({ ...changes, iterations: 5 });
    const plane = size.height * size.width;
    const count = 3 * plane;
    const scale = std.map((value) => 1 / (255 * value));
    const w = Float64Array.from({ length: count }, (_unused, i) => weight[count + i]! * scale[Math.floor(i / plane)]!);
    const objective: Objective = (xx) => ({ score: xx.reduce((sum, value, i) => sum + value * w[i]!, 0), gradient: w });
    const mean = network.preprocess!.mean.map((value) => value * 255);
    const start = Float64Array.from(startImage('mean_plus_rand', 7, mean, plane));
    const twin = ascentTwin(start, mean, settings, 5, size, objective);
    await withMaximizer(engine(), network, { units: ['score:1'], settings, seeds: [7] }, async (m) => {
      const seen = await collect(m);
      expect(seen).toHaveLength(5);
      seen.forEach(({ step, images }) => {
        expect(images[0]!.score).toBeCloseTo(twin.scores[step]!, 4);
        expect(images[0]!.norm / norm(twin.images[step]!)).toBeCloseTo(1, 5);
      });
      const image = (await m.read('last')).data;
      const worst = Math.max(...image.map((value, i) => Math.abs(value - twin.images[4]![i]!)));
      expect(worst).toBeLessThan(2e-3);
    });
  });

  test('a percentile over negative, equal and zero keys is numpy\'s', async () => {
    const { network } = linearNetwork(size, 1, [1, 1, 1]);
    const plane = size.height * size.width;
    for (const percentile of [1, 25, 50, 77.7, 90, 99.9]) {
      const settings = ascentSettings({ contribution: percentile, rate: 0 });
      await withMaximizer(engine(), network, { units: ['score:0'], settings }, async (m) => {
        const image = Float32Array.from({ length: 3 * plane }, (_, i) => [0, 3, -3, 0.5, -7][i % 5]! * (i % 11));
        const g = Float32Array.from({ length: 3 * plane }, (_, i) => (i % 3) - 1);
        m.runner.write('image', image);
        m.runner.write('gradient', g);
        m.runner.run(['clip.contribution']);
        const expected = regularizeTwin(Float64Array.from(image), Float64Array.from(g), settings, 0, size);
        expect([...(await m.read()).data]).toEqual([...Float32Array.from(expected)]);
      });
    }
  });
});

describe('the loop', () => {
  const size: Size = { channels: 3, height: 16, width: 16 };

  test('keeps best, majority and last apart, in a batch of different units, seeds and settings', async () => {
    const { network } = linearNetwork(size, 3, [1, 1, 1]);
    const settings = [ascentSettings({ rate: 200, iterations: 4 }), ascentSettings({ rate: 200, decay: 0.9, iterations: 30 }), ascentSettings({ rate: 200, iterations: 30 })];
    await withMaximizer(engine(), network, { units: ['score:0', 'score:1', 'score:2'], settings, seeds: [0, 1, 2] }, async (m) => {
      const seen = await collect(m);
      expect(seen).toHaveLength(30);
      for (const [n, unit] of [0, 1, 2].entries()) {
        const scores = seen.map(({ images }) => images[n]!.score);
        const best = (await m.read('best')).data.subarray(n * 768, (n + 1) * 768);
        const alone = await withMaximizer(engine(), network, { units: [`score:${unit}`], settings: settings[n]!, seeds: [n] }, async (single) => {
          const steps = await collect(single);
          return { last: (await single.read('last')).data, scores: steps.map(({ images }) => images[0]!.score) };
        });
        // An image of a batch is bit for bit what it is alone.
        expect([...(await m.read('last')).data.subarray(n * 768, (n + 1) * 768)]).toEqual([...alone.last]);
        expect(scores.slice(0, alone.scores.length)).toEqual(alone.scores);
        expect(norm(best)).toBeCloseTo(seen.map(({ images }) => images[n]!).reduce((a, b) => (b.score > a.score ? b : a)).norm, 2);
      }
      expect(seen.at(-1)!.images[0]!.score).toBe(seen[3]!.images[0]!.score);
      const majority = seen.find(({ images }) => images[2]!.isArgmax)!;
      expect(norm((await m.read('majority')).data.subarray(1536))).toBeCloseTo(majority.images[2]!.norm, 2);
    });
  });

  test('the same seed twice gives the same bits', async () => {
    const { network } = linearNetwork(size, 2, [0.2, 0.3, 0.4]);
    const once = (): Promise<Float32Array> =>
      withMaximizer(engine(), network, { units: ['score:1'], settings: ascentSettings({ iterations: 40, absContribution: 50 }, 1), seeds: [3] }, async (m) => {
        await collect(m);
        return (await m.read('best')).data;
      });
    expect(await once()).toEqual(await once());
  });

  test('reads back nothing but the progress numbers, and holds no more memory after 2000 steps than after 20', async () => {
    const { network } = linearNetwork(size, 2, [1, 1, 1]);
    const e = engine();
    await withMaximizer(e, network, { units: ['score:1'], settings: ascentSettings({ iterations: 2000 }, 3) }, async (m) => {
      const before = { ...e.counters };
      let memory = e.memory();
      let steps = 0;
      for await (const { step } of m.run()) {
        steps++;
        if (step === 20) memory = e.memory();
        if (step === 199) {
          const { readbacks, readbackBytes, submissions } = e.counters;
          expect(readbacks - before.readbacks).toBeLessThanOrEqual(submissions - before.submissions);
          expect(readbackBytes - before.readbackBytes).toBeLessThanOrEqual((submissions - before.submissions) * 64 * PROGRESS.words * 4);
        }
        if (step === 1999) expect(e.memory()).toEqual(memory);
      }
      expect(steps).toBe(2000);
      const idle = e.memory();
      const { readbacks } = e.counters;
      await m.read('best');
      expect(e.counters.readbacks - readbacks).toBe(1);
      expect(e.memory()).toEqual(idle);
    });
  });

  test('a pause keeps the place, settings act while it runs, reset starts over', async () => {
    const { network } = linearNetwork(size, 2, [1, 1, 1]);
    await withMaximizer(engine(), network, { units: ['score:1'], settings: ascentSettings({ rate: 50, iterations: 100 }) }, async (m) => {
      const stop = new AbortController();
      const first: MaximizeProgress[] = [];
      for await (const progress of m.run({ signal: stop.signal })) {
        first.push(progress);
        if (progress.step === 5) stop.abort();
      }
      expect(m.step).toBe(first.length);
      const before = first.at(-1)!.images[0]!.norm;
      m.set(ascentSettings({ rate: 50, decay: 0.5, iterations: 100 }));
      const rest = await collect(m, 12);
      expect(rest[0]!.step).toBe(first.length);
      expect(rest.at(-1)!.images[0]!.norm).toBeLessThan(before);
      m.reset();
      expect((await collect(m, 1))[0]!.images[0]!.score).toBe(first[0]!.images[0]!.score);
    });
  });

  test('a gradient of zero and a NaN stop the image and say so', async () => {
    const { network } = linearNetwork(size, 1, [1, 1, 1]);
    const weight = network.nodes[0]!.weights.weight!;
    const withWeights = (data: Float32Array): Network => ({ ...network, nodes: [{ ...network.nodes[0]!, weights: { weight: { ...weight, data } } }] });
    const status = (net: Network): Promise<string> =>
      withMaximizer(engine(), net, { units: ['score:0'], settings: ascentSettings({ iterations: 50 }) }, async (m) => {
        const seen = await collect(m);
        expect(seen.length).toBeLessThan(50);
        return seen.at(-1)!.images[0]!.status;
      });
    expect(await status(withWeights(new Float32Array(weight.data.length)))).toBe('noGradient');
    const poisoned = weight.data.slice();
    poisoned[17] = NaN;
    expect(await status(withWeights(poisoned))).toBe('notFinite');
  });
});

test('what cannot be made leaves nothing behind, and the device goes on telling its errors', async () => {
  const { network } = linearNetwork({ channels: 3, height: 8, width: 8 }, 3, [1, 1, 1]);
  const e = engine();
  const before = e.memory();
  const units = ['score:0', 'score:1', 'score:2'];
  await expect(Maximizer.create(e, network, { units, seeds: [0, 1] })).rejects.toThrow('2 seeds for 3 images');
  await expect(Maximizer.create(e, { ...network, preprocess: undefined }, { units })).rejects.toThrow('how its input is preprocessed');
  const large = { ...network, inputs: [{ name: 'data', shape: [1, 3, 8, 8] }] };
  await expect(Maximizer.create(e, large, { units: ['score:0'], seeds: Array<number>(400_000).fill(0) })).rejects.toMatchObject({ code: 'limit' });
  expect(e.memory()).toEqual(before);
  e.device.createBuffer({ size: 16, usage: 0 });
  await e.device.queue.onSubmittedWorkDone();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(() => e.check()).toThrow();
});

test.each([
  ['decay', { decay: 1.5 }],
  ['blurEvery', { blurEvery: 2.5 }],
  ['smallNorm', { smallNorm: -1 }],
  ['iterations', { iterations: 0 }],
])('a setting outside its range is refused by name: %s', (name, changes) => {
  expect(() => ascentSettings(changes)).toThrow(name);
});
