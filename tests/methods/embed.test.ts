/** What a layer makes of pictures, against the layer itself; maps of it. */
import { describe, expect, test } from 'vitest';
import type { Step } from '../../src/analysis/points.ts';
import { UnitscopeError } from '../../src/errors.ts';
import { preprocess } from '../../src/image/preprocess.ts';
import type { Network, Preprocess } from '../../src/network/network.ts';
import { activations } from '../../src/methods/activations.ts';
import { computed } from '../../src/methods/computation.ts';
import { embed, EMBED_DEFAULTS, embedSettings, featurePoints, layerFeatures, type FeatureBatch, type FeatureOptions } from '../../src/methods/embed.ts';
import { scenePictures, type PictureSet } from '../../src/methods/pictures.ts';
import { blobs, purity } from '../analysis/planted.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { convolution, network as networkOf, node } from '../scheduler/networks.ts';

const engine = useEngine();
const WAY: Preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], fit: 'crop' };

/** A convolution and a dense layer on 16 x 16 pixels. */
const small: Network = networkOf({ x: [1, 3, 16, 16] }, [
  convolution('conv', 'x', [5, 3, 3], 1, { stride: [2, 2] }),
  node('relu', 'relu', ['conv.y']),
  node('fc', 'dense', ['relu.y'], {}, { weight: random([6, 5 * 64], 3), bias: random([6], 4) }),
]);

/** Nine pictures: batches and a part of one. */
const scenes = (): PictureSet => {
  const { labels, pictures } = scenePictures(engine(), { count: 9, size: 16, classes: [11] });
  return { labels, pictures };
};

async function look(set: PictureSet, options: Partial<FeatureOptions>): Promise<{ indices: number[]; rows: number[][]; batches: FeatureBatch[] }> {
  const batches: FeatureBatch[] = [];
  for await (const batch of layerFeatures(engine(), small, set, { layer: 'relu', preprocess: WAY, ...options })) batches.push(batch);
  const rows = batches.flatMap(({ features: { shape: [count, size], data } }) => Array.from({ length: count! }, (_, i) => [...data.slice(i * size!, (i + 1) * size!)]));
  return { indices: batches.flatMap(({ indices }) => indices), rows, batches };
}

describe('features', () => {
  test('are the means, the maxima or all values of the maps, in the order of the pictures', async () => {
    const before = engine().memory();
    const set = scenes();
    const found = { mean: await look(set, { pooling: 'mean' }), max: await look(set, { pooling: 'max' }), flat: await look(set, { pooling: 'flat' }), dense: await look(set, { layer: 'fc.y' }) };
    for (const { indices, rows } of Object.values(found)) {
      expect(indices).toEqual([...Array(9).keys()]);
      expect(rows).toHaveLength(9);
    }
    expect(engine().memory()).toEqual(before);
    for (const n of [0, 5, 8]) {
      const x = preprocess(await set.pictures[n]!.read(), WAY, [1, 3, 16, 16]);
      const answers = await activations(engine(), small, x, { layers: ['relu', 'fc'] });
      const maps = answers.get('relu')!.data;
      const close = (row: readonly number[], expected: ArrayLike<number>): void => {
        expect(row).toHaveLength(expected.length);
        row.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5));
      };
      const planes = Array.from({ length: 5 }, (_, c) => [...maps.slice(64 * c, 64 * c + 64)]);
      close(found.flat.rows[n]!, maps);
      close(found.mean.rows[n]!, planes.map((plane) => plane.reduce((a, b) => a + b) / 64));
      close(found.max.rows[n]!, planes.map((plane) => Math.max(...plane)));
      close(found.dense.rows[n]!, answers.get('fc')!.data);
    }
  });

  test('a picture that cannot be read is told and left out; without anybody to tell, it throws', async () => {
    const fault = new UnitscopeError('image-decode', 'cut');
    const { labels, pictures } = scenes();
    const set: PictureSet = { labels, pictures: pictures.slice(0, 5).map((picture, n) => (n === 2 ? { ...picture, name: 'bad', read: () => Promise.reject(fault) } : picture)) };
    const told: string[] = [];
    expect((await look(set, { broken: ({ name }, { code }) => told.push(`${name}: ${code}`) })).indices).toEqual([0, 1, 3, 4]);
    expect(told).toEqual(['bad: image-decode']);
    await expect(look(set, {})).rejects.toBe(fault);
  });

  test('stop on request, refuse too much and unknown layers, and leave nothing behind', async () => {
    const before = engine().memory();
    const stop = new AbortController();
    stop.abort();
    await expect(look(scenes(), { signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
    const many: PictureSet = { labels: [], pictures: new Array(2 ** 19).fill(scenes().pictures[0]) };
    await expect(look(many, { pooling: 'flat' })).rejects.toMatchObject({ code: 'usage', message: '524288 pictures of 320 numbers each are too many' });
    await expect(look(scenes(), { layer: 'relo' })).rejects.toMatchObject({ code: 'unknown-layer' });
    const { labels, pictures } = scenes();
    const odd = { ...small, nodes: small.nodes.map((layer) => (layer.name === 'fc' ? { ...layer, weights: { ...layer.weights, bias: { shape: [6], data: new Float32Array(6).fill(NaN) } } } : layer)) };
    const broken = layerFeatures(engine(), odd, { labels, pictures: pictures.slice(0, 2) }, { layer: 'fc', preprocess: WAY });
    await expect(broken.next()).rejects.toMatchObject({ code: 'not-finite', message: expect.stringMatching(/'fc' answers to 'stripes\/0' with numbers/) as string });
    expect(engine().memory()).toEqual(before);
  });
});

describe('maps', () => {
  const planted = blobs({ size: 60, apart: 25 });
  const map = async (settings: Partial<typeof EMBED_DEFAULTS>): Promise<{ map: Float64Array; steps: Step[] }> => {
    const steps: Step[] = [];
    for await (const step of embed(planted.points, { ...EMBED_DEFAULTS, iterations: 300, ...settings })) steps.push(step);
    return { map: steps.at(-1)!.map!, steps };
  };

  test.each(['tsne', 'umap', 'pca'] as const)('%s keeps blobs apart, the same each time', async (layout) => {
    const first = await map({ layout });
    expect(purity(first.map, planted.labels)).toBe(1);
    expect(first.steps.at(-1)).toMatchObject({ stage: 'map', done: 1, total: 1 });
    expect((await map({ layout })).map).toEqual(first.map);
  });

  test('settings serve the number of points, and are refused where they are none', () => {
    expect(embedSettings(EMBED_DEFAULTS, 1000)).toMatchObject({ perplexity: 30, neighbours: 15, iterations: 1000 });
    expect(embedSettings({ ...EMBED_DEFAULTS, layout: 'umap' }, 10)).toMatchObject({ perplexity: 3, neighbours: 9, iterations: 500 });
    expect(() => embedSettings(EMBED_DEFAULTS, 3)).toThrow(/at least 4 pictures, there are 3/);
    expect(() => embedSettings({ ...EMBED_DEFAULTS, perplexity: 0.5 }, 10)).toThrow(/perplexity must be from 1 on/);
    expect(() => embedSettings({ ...EMBED_DEFAULTS, minDist: 2 }, 10)).toThrow(/minDist must be from 0 to 1/);
    expect(() => embedSettings(EMBED_DEFAULTS, 5000)).toThrow(/t-SNE lays out up to 4096 pictures/);
  });

  test('let others have their turn, and stop within a fraction of a second', async () => {
    const stop = new AbortController();
    let turns = 0;
    const clock = setInterval(() => turns++, 1);
    let asked = 0;
    setTimeout(() => ((asked = performance.now()), stop.abort()), 60);
    const endless = computed(forever(), { signal: stop.signal });
    await expect(endless).rejects.toMatchObject({ code: 'aborted' });
    clearInterval(clock);
    expect(performance.now() - asked).toBeLessThan(200);
    expect(turns).toBeGreaterThanOrEqual(2);
  });

  test('points are features in double precision', () => {
    const { count, size, data } = featurePoints({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    expect({ count, size, data: [...data] }).toEqual({ count: 2, size: 3, data: [1, 2, 3, 4, 5, 6] });
  });
});

function* forever(): Generator<Step, void, void> {
  for (let done = 0; ; done++) yield { stage: 'work', done, total: Infinity };
}
