/** Synthesis: every objective rises, the loop against a float64 twin, dead starts, and what a batch and a pause must not change. */
import { describe, expect, test } from 'vitest';
import type { Image } from '../../src/image/image.ts';
import { diversityObjective } from '../../src/methods/objectives/diversity.ts';
import { directionObjective } from '../../src/methods/objectives/direction.ts';
import type { Objective } from '../../src/methods/objectives/objective.ts';
import { parseObjective } from '../../src/methods/objectives/text.ts';
import { sumOf, weighted } from '../../src/methods/objectives/sum.ts';
import { withInputSize } from '../../src/methods/picture_input.ts';
import { synthesisSettings, type SynthesisSettings } from '../../src/methods/synthesis_settings.ts';
import { Synthesizer, type SynthesisProgress, type SynthesizeOptions } from '../../src/methods/synthesize.ts';
import type { Network, Preprocess } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const engine = useEngine();

const PREPROCESS: Preprocess = { channels: 'BGR', range: 255, mean: [104, 117, 123], std: [58, 57, 56], fit: 'crop' };

/** x -> conv1 -> relu1 -> conv2, all of 8 x 10. */
const small: Network = {
  ...network({ x: [1, 3, 8, 10] }, [convolution('conv1', 'x', [5, 3, 3], 1), node('relu1', 'relu', ['conv1.y']), convolution('conv2', 'relu1.y', [4, 5, 3], 3)]),
  preprocess: PREPROCESS,
};

async function withSynthesizer<T>(net: Network, options: SynthesizeOptions, use: (s: Synthesizer) => Promise<T>): Promise<T> {
  const synthesizer = await Synthesizer.create(engine(), net, options);
  try {
    return await use(synthesizer);
  } finally {
    synthesizer.dispose();
  }
}

async function collect(synthesizer: Synthesizer): Promise<SynthesisProgress[]> {
  const seen: SynthesisProgress[] = [];
  for await (const progress of synthesizer.run()) seen.push(progress);
  return seen;
}

const still = (changes: Partial<SynthesisSettings>): SynthesisSettings => synthesisSettings({ transforms: 'none', redirected: 0, ...changes });

describe('the activation rises in 3 steps', () => {
  const vector = random([5], 7).data;

  test('of every objective, side by side in one batch', async () => {
    const texts = ['conv2:1', 'conv2:3@0,9', 'channel conv2:2', 'conv2', '2*conv2:0 - 0.5*channel relu1:1 + conv1', 'direction relu1 five.npy', 'direction^2 conv1@centre five.npy'];
    const objectives = await Promise.all(texts.map((text) => parseObjective(small, text, () => Promise.resolve(vector))));
    await withSynthesizer(small, { objectives, settings: still({ steps: 3 }) }, async (s) => {
      const seen = await collect(s);
      const scores = await s.scores();
      texts.forEach((text, n) => {
        const climb = [...seen.map(({ images }) => images[n]!.score), scores[n]!];
        climb.slice(1).forEach((score, step) => expect(score, `${text}, step ${step}: ${climb.join(', ')}`).toBeGreaterThan(climb[step]!));
      });
      expect(seen.every(({ images }) => images.every(({ status }) => status === 'running'))).toBe(true);
    });
  });

  test.each<[Partial<SynthesisSettings>]>([[{ parameterization: 'pixels', optimizer: 'ascent', rate: 0.1 }], [{ transforms: 'lucid' }], [{ transforms: 'jitter', parameterization: 'pixels' }]])('with %j', async (changes) => {
    await withSynthesizer(small, { objectives: ['conv2'], settings: still({ steps: 3, ...changes }), seeds: [3] }, async (s) => {
      const before = (await s.scores())[0]!;
      await collect(s);
      expect((await s.scores())[0]!).toBeGreaterThan(before);
    });
  });

  test('of diversity: images of one batch part', async () => {
    const apart = diversityObjective(small, 'relu1');
    await withSynthesizer(small, { objectives: [apart], seeds: [0, 1, 2], settings: still({ steps: 3 }) }, async (s) => {
      const total = (scores: readonly number[]): number => scores.reduce((sum, score) => sum + score, 0);
      const climb = [...(await collect(s)).map(({ images }) => total(images.map(({ score }) => score))), total(await s.scores())];
      climb.slice(1).forEach((score, step) => expect(score).toBeGreaterThan(climb[step]!));
    });
  });
});

describe('against a float64 twin', () => {
  /** score = <w, x>: the gradient at the network's input is w everywhere. */
  const weight = random([1, 3 * 4 * 5], 9);
  const linear: Network = { ...network({ x: [1, 3, 4, 5] }, [node('score', 'dense', ['x'], {}, { weight })]), preprocess: PREPROCESS };
  const plane = 20;
  const steps = 6;

  /** Colours [3, H, W] after every step, red first; the network sees blue first. */
  function climbTwin(start: ArrayLike<number>, { optimizer, rate, l1 }: SynthesisSettings): { images: number[][]; scores: number[] } {
    const parameters = Float64Array.from(start);
    const [m, v] = [new Float64Array(parameters.length), new Float64Array(parameters.length)];
    const slope = (i: number): number => (weight.data[(2 - Math.floor(i / plane)) * plane + (i % plane)]! * PREPROCESS.range) / PREPROCESS.std[2 - Math.floor(i / plane)]!;
    const colors = (): number[] => Array.from(parameters, (t) => 1 / (1 + Math.exp(-t)));
    const score = (image: readonly number[]): number =>
      image.reduce((sum, color, i) => sum + color * slope(i), 0) - Array.from(weight.data).reduce((sum, w, i) => sum + (w * PREPROCESS.mean[Math.floor(i / plane)]!) / PREPROCESS.std[Math.floor(i / plane)]!, 0);
    const images = [colors()];
    for (let step = 1; step <= steps; step++) {
      const image = images.at(-1)!;
      const g = image.map((color, i) => (slope(i) - l1 * Math.sign(color - 0.5)) * color * (1 - color));
      const norm = Math.hypot(...g);
      g.forEach((value, i) => {
        if (optimizer === 'ascent') {
          parameters[i]! += (rate * Math.sqrt(g.length) * value) / norm;
          return;
        }
        m[i] = 0.9 * m[i]! + 0.1 * value;
        v[i] = 0.999 * v[i]! + 0.001 * value * value;
        parameters[i]! += (rate * (m[i]! / (1 - 0.9 ** step))) / (Math.sqrt(v[i]! / (1 - 0.999 ** step)) + 1e-8);
      });
      images.push(colors());
    }
    return { images, scores: images.map(score) };
  }

  test.each<[string, Partial<SynthesisSettings>]>([
    ['adam', { rate: 0.1 }],
    ['steps of one size', { optimizer: 'ascent', rate: 0.2 }],
    ['adam under a price', { rate: 0.1, l1: 1.5 }],
  ])('%s: images and scores of six steps', async (_, changes) => {
    const settings = still({ parameterization: 'pixels', correlate: false, steps, deviation: 0.5, ...changes });
    await withSynthesizer(linear, { objectives: ['score:0'], settings, seeds: [4] }, async (s) => {
      const { images, scores } = climbTwin((await s.runner.read('parameters')).data, settings);
      const seen = await collect(s);
      expect(seen.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
      seen.forEach(({ step, images: [image] }) => expect(image!.score).toBeCloseTo(scores[step]!, 3));
      expect((await s.scores())[0]).toBeCloseTo(scores[steps]!, 3);
      (await s.images()).data.forEach((color, i) => expect(color).toBeCloseTo(images[steps]![i]!, 5));
      expect(seen[0]!.images[0]!.gradient).toBeCloseTo(Math.hypot(...weight.data), 4);
    });
  });

  test('objectives of several layers pull with the sum of their gradients', async () => {
    const gradientOf = (objective: string | Objective): Promise<Float32Array> =>
      withSynthesizer(small, { objectives: [objective], settings: still({ steps: 1, deviation: 1 }), seeds: [2] }, async (s) => {
        await collect(s);
        return (await s.runner.read('gradient')).data;
      });
    const direction = directionObjective(small, 'relu1', random([5], 3).data, { power: 1 });
    const parts = await Promise.all([gradientOf('conv2'), gradientOf('conv1:2'), gradientOf(direction)]);
    const whole = await gradientOf(sumOf(await parseObjective(small, 'conv2 - 3*conv1:2'), weighted(0.5, direction)));
    const largest = Math.max(...whole.map(Math.abs));
    whole.forEach((value, i) => expect(Math.abs(value - (parts[0]![i]! - 3 * parts[1]![i]! + 0.5 * parts[2]![i]!))).toBeLessThan(1e-5 * largest));
  });
});

describe('a dead start', () => {
  /** No unit of the hidden layer answers to grey or to anything near it. */
  const shut: Network = {
    ...small,
    nodes: [
      { ...small.nodes[0]!, weights: { weight: random([5, 3, 3, 3], 5), bias: { shape: [5], data: new Float32Array(5).fill(-1.5) } } },
      small.nodes[1]!,
      { ...small.nodes[2]!, weights: { weight: random([4, 5, 3, 3], 6), bias: { shape: [4], data: new Float32Array(4) } } },
    ],
    preprocess: { channels: 'RGB', range: 1, mean: [0.5, 0.5, 0.5], std: [1, 1, 1], fit: 'crop' },
  };
  const options = (redirected: number): SynthesizeOptions => ({ objectives: ['channel conv2:1'], settings: still({ steps: 24, rate: 0.2, redirected }) });

  test('stays what it is without redirection', async () => {
    await withSynthesizer(shut, options(0), async (s) => {
      const start = (await s.images()).data;
      const seen = await collect(s);
      expect(seen.every(({ images: [image] }) => image!.status === 'noGradient' && image!.score === 0)).toBe(true);
      expect((await s.images()).data).toEqual(start);
    });
  });

  test('climbs with it, and an image that is alive goes its own way', async () => {
    await withSynthesizer(shut, options(16), async (s) => {
      const seen = await collect(s);
      expect(seen[0]!.images[0]).toMatchObject({ gradient: 0, status: 'noGradient' });
      expect(seen.at(-1)!.images[0]).toMatchObject({ status: 'running' });
      expect((await s.scores())[0]!).toBeGreaterThan(0.1);
    });
    const alive = (redirected: number): Promise<Float32Array> =>
      withSynthesizer(small, { objectives: ['conv2:1'], settings: still({ steps: 4, redirected }) }, async (s) => {
        await collect(s);
        return (await s.images()).data;
      });
    expect(await alive(16)).toEqual(await alive(0));
  });
});

describe('the loop', () => {
  const settings = synthesisSettings({ steps: 6 });

  test('an image of a batch is bit for bit what it is alone, and the same seed gives the same bits', async () => {
    const objectives = ['conv2:1', 'conv2:2'];
    const together = await withSynthesizer(small, { objectives, settings, seeds: [5, 6] }, async (s) => {
      await collect(s);
      return (await s.images()).data;
    });
    const alone = await withSynthesizer(small, { objectives: [objectives[1]!], settings, seeds: [6] }, async (s) => {
      await collect(s);
      return (await s.images()).data;
    });
    expect(together.subarray(alone.length)).toEqual(alone);
  });

  test('a pause changes nothing', async () => {
    const once = (pause: boolean): Promise<Float32Array> =>
      withSynthesizer(small, { objectives: ['conv2'], settings: synthesisSettings({ steps: 20 }) }, async (s) => {
        const stop = new AbortController();
        for await (const { step } of s.run({ signal: stop.signal })) if (pause && step === 1) stop.abort();
        if (pause) {
          expect(s.step).toBeLessThan(20);
          await s.scores();
        }
        await collect(s);
        return (await s.images()).data;
      });
    expect(await once(true)).toEqual(await once(false));
  });

  test('reads nothing back but the progress', async () => {
    await withSynthesizer(small, { objectives: ['conv2'], settings: synthesisSettings({ steps: 60 }) }, async (s) => {
      const before = { ...engine().counters };
      expect(await collect(s)).toHaveLength(60);
      const { readbacks, submissions } = engine().counters;
      expect(readbacks - before.readbacks).toBeLessThanOrEqual(submissions - before.submissions);
    });
  });
});

describe('pictures', () => {
  const start: Image = { width: 10, height: 8, data: Uint8ClampedArray.from({ length: 320 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 256)) };

  test.each([[true, true], [true, false], [false, true], [false, false]])('pixels start at a picture, correlated %s, sigmoid %s', async (correlate, sigmoid) => {
    const settings = still({ parameterization: 'pixels', correlate, sigmoid, steps: 1 });
    await withSynthesizer(small, { objectives: ['conv2'], settings, start }, async (s) => {
      const [picture] = await s.pictures();
      picture!.data.forEach((value, i) => expect(Math.abs(value - start.data[i]!)).toBeLessThanOrEqual(1));
    });
  });

  test('the network sees what preprocessing would make of the picture', async () => {
    for (const preprocess of [PREPROCESS, { ...PREPROCESS, channels: 'gray', mean: [100], std: [50] } as const]) {
      const channels = preprocess.mean.length;
      const net: Network = { ...network({ x: [1, channels, 8, 10] }, [convolution('conv1', 'x', [2, channels, 3], 1)]), preprocess };
      const settings = still({ parameterization: 'pixels', correlate: false, sigmoid: false, steps: 1 });
      await withSynthesizer(net, { objectives: ['conv1'], settings, start }, async (s) => {
        await s.scores();
        const { preprocess: toInput } = await import('../../src/image/preprocess.ts');
        const expected = toInput(start, preprocess, [1, channels, 8, 10]).data;
        (await s.runner.read('x')).data.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(0.02));
        const [picture] = await s.pictures();
        if (channels === 1) expect(picture!.data[0]).toBe(picture!.data[1]);
      });
    }
  });

  test('of another size, where the layers take it', async () => {
    const larger = withInputSize(small, ['conv1'], { height: 12, width: 14 });
    await withSynthesizer(larger, { objectives: ['conv1:2'], settings: still({ steps: 1 }) }, async (s) => {
      await collect(s);
      expect((await s.pictures())[0]).toMatchObject({ width: 14, height: 12 });
    });
  });
});

test('what cannot be made is refused, and leaves nothing behind', async () => {
  const before = engine().memory();
  const create = (options: SynthesizeOptions, net = small): Promise<Synthesizer> => Synthesizer.create(engine(), net, options);
  await expect(create({ objectives: [] })).rejects.toThrow('no objectives are given');
  await expect(create({ objectives: ['conv2', 'conv1'], seeds: [1, 2, 3] })).rejects.toThrow('2 objectives for 3 images');
  await expect(create({ objectives: ['conv2:1', 'conv2:2'], seeds: [1, 2, 3, 4] })).rejects.toThrow('2 objectives for 4 images');
  await expect(create({ objectives: ['diversity conv2'] })).rejects.toThrow('at least two images');
  await expect(create({ objectives: ['conv2'], start: { width: 1, height: 1, data: new Uint8ClampedArray(4) } })).rejects.toThrow('only pixels can start at a picture');
  await expect(create({ objectives: ['conv2'] }, { ...small, preprocess: undefined })).rejects.toThrow('how its input is preprocessed');
  await expect(create({ objectives: [{ terms: [] }] })).rejects.toThrow('nothing to climb');
  expect(() => synthesisSettings({ steps: 0 })).toThrow('steps must be a whole number from 1');
  expect(() => synthesisSettings({ transforms: 'spin' as 'none' })).toThrow("transforms cannot be 'spin'");
  expect(engine().memory()).toEqual(before);
});
