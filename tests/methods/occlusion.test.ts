/** The map against one run of `activations` per covered picture, covered by plain loops. */
import { describe, expect, test } from 'vitest';
import { activations, rank } from '../../src/methods/activations.ts';
import { coveredPicture, occlusion, occlusionDrops, worstPatch, type OcclusionMap, type OcclusionOptions, type OcclusionProgress } from '../../src/methods/occlusion.ts';
import { FILLS, occlusionFill } from '../../src/methods/occlusion_fill.ts';
import type { Network, Preprocess, Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';
import { blurTwin } from './ascent_twin.ts';

const engine = useEngine();

const SIZE = { channels: 3, height: 11, width: 14 };
const SHAPE = [1, SIZE.channels, SIZE.height, SIZE.width];
const preprocess: Preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.5], fit: 'crop' };

/** A convolution, ReLU, and scores of 4 classes; with a softmax where asked for. */
function small(softmax: boolean): Network {
  const scores = node('scores', 'dense', ['relu.y'], {}, { weight: random([4, 5 * 11 * 14], 5, -0.3, 0.3), bias: random([4], 6) });
  const nodes = [convolution('conv', 'x', [5, 3, 3], 1), node('relu', 'relu', ['conv.y']), scores];
  return { ...network({ x: SHAPE }, softmax ? [...nodes, node('prob', 'softmax', ['scores.y'])] : nodes), preprocess };
}

const x = random(SHAPE, 9, -2, 2);

async function whole(options: OcclusionOptions, of = small(true)): Promise<{ map: OcclusionMap; steps: OcclusionProgress[] }> {
  const steps: OcclusionProgress[] = [];
  for await (const progress of occlusion(engine(), of, x, options)) steps.push({ ...progress });
  return { map: steps.at(-1)!.map, steps };
}

/** x under a patch, by plain loops. */
function covered({ fill, patch }: OcclusionMap, top: number, left: number): Tensor {
  const data = x.data.slice();
  for (let c = 0; c < SIZE.channels; c++) {
    for (let i = top; i < Math.min(top + patch, SIZE.height); i++) {
      for (let j = left; j < Math.min(left + patch, SIZE.width); j++) {
        const at = (c * SIZE.height + i) * SIZE.width + j;
        data[at] = fill.data[at];
      }
    }
  }
  return { shape: SHAPE, data };
}

/** Every score, one run after another. */
async function oneByOne(map: OcclusionMap, of: Network, layer: string, score: (data: Float32Array) => number): Promise<number[]> {
  const scores: number[] = [];
  for (const top of map.tops) {
    for (const left of map.lefts) {
      const { data } = (await activations(engine(), of, covered(map, top, left), { layers: [layer] })).get(layer)!;
      scores.push(score(data));
    }
  }
  return scores;
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, n) => expect(Math.abs(actual[n] - value), `place ${n}: ${actual[n]} and ${value}`).toBeLessThanOrEqual(1e-6 * Math.abs(value) + 1e-7));
}

describe('scores', () => {
  test('the class that the network names, patches cut off at the edges, a last batch that is short', async () => {
    const of = small(true);
    const { map, steps } = await whole({ patch: 4, stride: 4, batch: 5 });
    expect(map.tops).toEqual([0, 4, 8]);
    expect(map.lefts).toEqual([0, 4, 8, 12]);
    expect(map.scores.shape).toEqual([3, 4]);
    expect(steps.map(({ done, total }) => [done, total])).toEqual([[5, 12], [10, 12], [12, 12]]);
    const prob = (await activations(engine(), of, x, { layers: ['prob'] })).get('prob')!.data;
    const top = prob.indexOf(Math.max(...prob));
    expect([map.class, map.unit]).toEqual([top, `prob:${top}`]);
    expectClose([map.whole], [prob[top]]);
    expectClose(map.scores.data, await oneByOne(map, of, 'prob', (data) => data[top]));
    expectClose(occlusionDrops(map).data, [...map.scores.data].map((score) => Math.fround(map.whole - score)));
    const worst = worstPatch(map);
    expect(worst.score).toBe(Math.min(...map.scores.data));
    expect(coveredPicture(x, map, worst).data).toEqual(covered(map, worst.top, worst.left).data);
  });

  test('a network without a softmax gets one; a score before a softmax stands for its probability', async () => {
    const { map } = await whole({ class: 2, patch: 5, stride: 7, batch: 64 }, small(false));
    const probability = (data: Float32Array): number => rank(small(false), data, 4).find(({ index }) => index === 2)!.probability;
    expect(map.class).toBe(2);
    expectClose(map.scores.data, await oneByOne(map, small(false), 'scores', probability));
    const same = await whole({ unit: 'scores:2', patch: 5, stride: 7, batch: 64 });
    expect([same.map.unit, same.map.class]).toEqual(['prob:2', 2]);
    expectClose(same.map.scores.data, [...map.scores.data]);
  });

  test('any other unit: its activation; nothing but a number of each place comes back', async () => {
    const { counters } = engine();
    const before = counters.readbackBytes;
    const { map } = await whole({ unit: 'relu:3@5,6', patch: 3, stride: 5, batch: 4 });
    expect(counters.readbackBytes - before).toBe((1 + Math.ceil(9 / 4)) * 4 * 4);
    expect([map.unit, map.class]).toEqual(['relu:3@5,6', undefined]);
    expectClose(map.scores.data, await oneByOne(map, small(true), 'relu', (data) => data[(3 * 11 + 5) * 14 + 6]));
  });

  test('the published patch and step, in proportion', async () => {
    const { map } = await whole({ unit: 'prob:0' });
    expect([map.patch, map.stride]).toEqual([2, 1]);
    expect(map.scores.shape).toEqual([11, 14]);
  });
});

describe('fills', () => {
  const options = { patch: 6, seed: 3, preprocess };
  const plane = SIZE.height * SIZE.width;
  const level = (value: number, i: number): number => (value * preprocess.std[Math.floor(i / plane)] + preprocess.mean[Math.floor(i / plane)]) * 255;

  test('mean is 0 in network units, zero is black', () => {
    expect(occlusionFill('mean', x, options).data.every((value) => value === 0)).toBe(true);
    occlusionFill('zero', x, options).data.forEach((value, i) => expect(level(value, i)).toBeCloseTo(0, 4));
  });

  test('blur is the picture under a Gaussian of a quarter of the patch', () => {
    const twin = blurTwin(Float64Array.from(x.data), SIZE, 1.5);
    occlusionFill('blur', x, options).data.forEach((value, i) => expect(value).toBeCloseTo(twin[i], 5));
  });

  test('noise lies in 0..255 levels, is the same from the same seed, and another from another', () => {
    const noise = occlusionFill('noise', x, options).data;
    const levels = [...noise].map(level);
    expect(Math.min(...levels)).toBeGreaterThan(-1e-3);
    expect(Math.max(...levels)).toBeLessThan(255.001);
    expect(Math.abs(levels.reduce((a, b) => a + b, 0) / levels.length - 127.5)).toBeLessThan(15);
    expect(occlusionFill('noise', x, options).data).toEqual(noise);
    expect(occlusionFill('noise', x, { ...options, seed: 4 }).data).not.toEqual(noise);
  });

  test.each(FILLS)('%s is what the network sees under the patch', async (fill) => {
    const { map } = await whole({ unit: 'scores:1', fill, patch: 6, stride: 8 });
    expectClose(map.scores.data, await oneByOne(map, small(true), 'prob', (data) => data[1]));
  });
});

test('it stops when asked to, and leaves nothing behind', async () => {
  const before = engine().memory();
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    for await (const { done } of occlusion(engine(), small(true), x, { patch: 2, stride: 2, batch: 3, signal: stop.signal })) if (done >= 6) stop.abort();
  };
  await expect(run()).rejects.toMatchObject({ code: 'aborted' });
  expect(engine().memory()).toEqual(before);
});

describe('refused', () => {
  test.each<[OcclusionOptions, RegExp]>([
    [{ patch: 0 }, /patch must be a whole number from 1 to 14, got 0/],
    [{ stride: 2.5 }, /stride must be a whole number/],
    [{ batch: 0 }, /batch must be/],
    [{ class: 4 }, /no class 4, the network has 0\.\.3/],
    [{ unit: 'relu:5' }, /outside layer 'relu'/],
    [{ unit: 'relu:1', class: 1 }, /not both/],
  ])('%j', async (options, message) => {
    await expect(occlusion(engine(), small(true), x, options).next()).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) as string });
  });

  test('a picture of another shape, maps for classes, levels without a preprocessing', async () => {
    await expect(occlusion(engine(), small(true), random([2, 3, 11, 14], 1)).next()).rejects.toMatchObject({ code: 'usage' });
    await expect(occlusion(engine(), small(true), random([1, 3, 9, 9], 1)).next()).rejects.toMatchObject({ code: 'usage' });
    const maps = network({ x: SHAPE }, [convolution('conv', 'x', [5, 3, 3], 1)]);
    await expect(occlusion(engine(), maps, x).next()).rejects.toMatchObject({ code: 'usage', hint: expect.stringMatching(/unit/) as string });
    await expect(occlusion(engine(), maps, x, { unit: 'conv:0', fill: 'zero' }).next()).rejects.toMatchObject({ code: 'usage' });
  });
});
