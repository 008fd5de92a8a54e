/** Where pictures lie to a network: what a layer makes of each, laid out on a map. */
import { METRICS, type Metric } from '../analysis/neighbours.ts';
import { pca } from '../analysis/pca.ts';
import type { Computation, Points, Step } from '../analysis/points.ts';
import { tsne, TSNE_MOST } from '../analysis/tsne.ts';
import { umap, umapEpochs } from '../analysis/umap.ts';
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Image } from '../image/image.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import { compile } from '../scheduler/compile.ts';
import { Runner } from '../scheduler/runner.ts';
import { feed } from './activations.ts';
import { inSlices } from './computation.ts';
import type { Method } from './method.ts';
import { pictureBatches, type Picture, type PictureSet } from './pictures.ts';
import { layerShape, mapShape } from './unit.ts';

export const EMBED_METHOD: Method = {
  name: 'embed',
  summary: 'lay pictures out on a map by what a layer makes of them',
  source: 't-SNE: van der Maaten and Hinton 2008; UMAP: McInnes, Healy, Melville 2018; principal components: Pearson 1901',
  takes: 'pictures',
};

export const LAYOUTS = ['tsne', 'umap', 'pca'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** What becomes of a layer's maps: their means, their maxima, or all of their values. */
export const POOLINGS = ['mean', 'max', 'flat'] as const;
export type Pooling = (typeof POOLINGS)[number];

export interface FeatureOptions {
  readonly layer: string;
  readonly preprocess: Preprocess;
  /** Of layers without maps nothing is pooled. */
  readonly pooling?: Pooling;
  readonly signal?: AbortSignal | undefined;
  /** A picture that cannot be read is told here, and left out. */
  readonly broken?: ((picture: Picture, error: UnitscopeError) => void) | undefined;
}

export interface FeatureBatch {
  /** Which pictures of the set. */
  readonly indices: readonly number[];
  /** [indices, size]. */
  readonly features: Tensor;
  readonly images: readonly Image[];
}

/** Pictures that run side by side; few where a forward pass takes long, so that it can be stopped. */
const BATCH = { software: 4, gpu: 16 } as const;

/** Most numbers of all pictures: half a gigabyte in double precision. */
export const FEATURES_MOST = 2 ** 26;

/** How many numbers of a layer describe a picture. @throws unknown-layer */
export function featureSize(network: Network, layer: string, pooling: Pooling): number {
  const [channels, height, width] = mapShape(layerShape(network, layer));
  return pooling === 'flat' ? channels * height * width : channels;
}

/**
 * What a layer makes of every picture of a set, batch after batch, in their order.
 * @throws unknown-layer, usage, aborted, not-finite, and of pictures image-decode, io
 */
export async function* layerFeatures(engine: Engine, network: Network, set: PictureSet, options: FeatureOptions): AsyncGenerator<FeatureBatch, void, void> {
  const { layer, preprocess, pooling = 'mean', signal, broken } = options;
  const size = featureSize(network, layer, pooling);
  const count = set.pictures.length;
  if (size * count > FEATURES_MOST) {
    throw new UnitscopeError('usage', `${count} pictures of ${size} numbers each are too many`, { layer }, `take fewer pictures, a layer behind it, or pool its maps`);
  }
  const { runner, batch } = await openRunner(engine, network, findNode(network, layer).name, Math.min(count, engine.capabilities.software ? BATCH.software : BATCH.gpu));
  try {
    const shape = network.inputs[0]!.shape;
    for await (const { indices, x, images } of pictureBatches(set, { batch, preprocess, shape, signal, broken })) {
      throwIfAborted(signal);
      feed(runner, network, x);
      runner.run(['forward']);
      const answer = await runner.read(findNode(network, layer).name);
      const features = pooled(answer, indices.length, pooling);
      const odd = features.data.findIndex((value) => !Number.isFinite(value));
      if (odd >= 0) throw new UnitscopeError('not-finite', `'${layer}' answers to '${set.pictures[indices[Math.floor(odd / size)]!]!.name}' with numbers that are not finite`, { layer });
      yield { indices, features, images };
    }
  } finally {
    runner.dispose();
  }
}

/** The forward pass up to a layer, of as many images as the device has room for. */
async function openRunner(engine: Engine, network: Network, layer: string, most: number): Promise<{ runner: Runner; batch: number }> {
  for (let batch = most; ; batch = Math.floor(batch / 2)) {
    try {
      return { runner: await Runner.create(engine, compile(network, { batch, layers: [layer], capabilities: engine.capabilities })), batch };
    } catch (error) {
      if (batch === 1 || !(error instanceof UnitscopeError) || !['limit', 'out-of-memory'].includes(error.code)) throw error;
    }
  }
}

/** [N, C, H, W] -> [count, size]; sums are in double precision. */
function pooled({ shape, data }: Tensor, count: number, pooling: Pooling): Tensor {
  const [channels, height, width] = mapShape(shape);
  const plane = height * width;
  if (pooling === 'flat' || plane === 1) return { shape: [count, channels * plane], data: data.slice(0, count * channels * plane) };
  const result = Float32Array.from({ length: count * channels }, (_, i) => {
    const values = data.subarray(i * plane, (i + 1) * plane);
    return pooling === 'max' ? values.reduce((most, value) => Math.max(most, value), -Infinity) : values.reduce((sum, value) => sum + value, 0) / plane;
  });
  return { shape: [count, channels], data: result };
}

export interface EmbedSettings {
  readonly layout: Layout;
  readonly seed: number;
  /** Of UMAP. t-SNE and PCA are Euclidean. */
  readonly metric: Metric;
  readonly perplexity: number;
  /** Steps of t-SNE, epochs of UMAP; 0: as many as are usual. */
  readonly iterations: number;
  readonly neighbours: number;
  readonly minDist: number;
}

export const EMBED_DEFAULTS: EmbedSettings = { layout: 'tsne', seed: 0, metric: 'euclidean', perplexity: 30, iterations: 0, neighbours: 15, minDist: 0.1 };

/** Of fewer no map is made. */
const LEAST = 4;

/** Dimensions that t-SNE sees. */
const REDUCED = 50;

const TSNE_ITERATIONS = 1000;

/** The settings as they serve `count` points: neighbourhoods of few points are smaller. @throws usage */
export function embedSettings(settings: EmbedSettings, count: number): EmbedSettings {
  const { layout, metric, perplexity, iterations, neighbours, minDist } = settings;
  const wrong = (name: string, wanted: string, got: unknown): UnitscopeError => new UnitscopeError('usage', `the ${name} must be ${wanted}, got ${String(got)}`, { attribute: name });
  if (!LAYOUTS.includes(layout)) throw wrong('layout', LAYOUTS.join(', '), layout);
  if (!METRICS.includes(metric)) throw wrong('metric', METRICS.join(' or '), metric);
  if (!(perplexity >= 1 && Number.isFinite(perplexity))) throw wrong('perplexity', 'from 1 on', perplexity);
  if (!(Number.isInteger(iterations) && iterations >= 0)) throw wrong('iterations', 'a whole number', iterations);
  if (!(Number.isInteger(neighbours) && neighbours >= 2)) throw wrong('neighbours', 'a whole number from 2 on', neighbours);
  if (!(minDist >= 0 && minDist <= 1)) throw wrong('minDist', 'from 0 to 1', minDist);
  if (count < LEAST) throw new UnitscopeError('usage', `a map needs at least ${LEAST} pictures, there ${count === 1 ? 'is' : 'are'} ${count}`);
  if (layout === 'tsne' && count > TSNE_MOST) throw new UnitscopeError('usage', `t-SNE lays out up to ${TSNE_MOST} pictures, there are ${count}`, {}, 'take fewer, or UMAP');
  return {
    ...settings,
    perplexity: Math.max(1, Math.min(perplexity, (count - 1) / 3)),
    neighbours: Math.min(neighbours, count - 1),
    iterations: iterations || { tsne: TSNE_ITERATIONS, umap: umapEpochs(count), pca: 1 }[layout],
  };
}

/** Features [count, size] as points. */
export function featurePoints({ shape, data }: Tensor): Points {
  const [count, size] = shape as [number, number];
  return { count, size, data: Float64Array.from(data) };
}

/**
 * A map of points: where each lies on a plane. Says now and then how far it is, with the map as it is then where there is one; the
 * last step has the whole map. The same points, settings and seed give the same map.
 * @throws usage, aborted
 */
export async function* embed(points: Points, settings: EmbedSettings, { signal }: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<Step, void, void> {
  throwIfAborted(signal);
  const map = yield* inSlices(mapOf(points, embedSettings(settings, points.count)), signal);
  yield { stage: 'map', done: 1, total: 1, map };
}

function* mapOf(points: Points, settings: EmbedSettings): Computation<Float64Array> {
  const { layout, seed, perplexity, iterations, neighbours, minDist, metric } = settings;
  if (layout === 'pca') return (yield* pca(points, 2)).data;
  if (layout === 'umap') return yield* umap(points, { neighbours, minDist, metric, epochs: iterations, seed });
  return yield* tsne(points.size > REDUCED ? yield* pca(points, REDUCED) : points, { perplexity, iterations, seed });
}
