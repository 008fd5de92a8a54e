/**
 * UMAP: a map whose neighbourhoods are those of the points in many dimensions, found by pulling neighbours together and pushing
 * random others apart.
 * Source: McInnes, Healy, Melville, UMAP: Uniform Manifold Approximation and Projection, arXiv 1802.03426, 2018.
 */
import { UnitscopeError } from '../errors.ts';
import { nearestNeighbours, unitRows, type Metric, type Neighbours } from './neighbours.ts';
import { pca } from './pca.ts';
import type { Computation, Points } from './points.ts';
import { Random } from './random.ts';
import { umapCurve } from './umap_curve.ts';

export interface UmapOptions {
  /** How many nearest points make a neighbourhood: few show detail, many the whole. */
  readonly neighbours: number;
  /** How close points may come on the map, whose clusters are about 1 apart. */
  readonly minDist: number;
  readonly metric: Metric;
  /** Times that every strong edge pulls; 500 up to 10,000 points, then 200, unless told. */
  readonly epochs?: number;
  readonly seed: number;
}

export const UMAP = {
  /** The first map reaches this far from 0. */
  start: 10,
  /** Noise on it, so that equal points part. */
  noise: 1e-4,
  /** Random others that a point is pushed from, each time that it is pulled. */
  negatives: 5,
  /** No coordinate moves farther in a step, before the rate. */
  clip: 4,
  bandwidth: { tries: 64, tolerance: 1e-9, least: 1e-3 },
} as const;

export const umapEpochs = (count: number): number => (count <= 10_000 ? 500 : 200);

/** The edges of the neighbourhood graph, both ways, by the point that they leave. */
export interface FuzzyGraph {
  readonly heads: Uint32Array;
  readonly tails: Uint32Array;
  /** In (0, 1]: how sure it is that two points are neighbours. */
  readonly weights: Float64Array;
}

/** The map [count, 2]. @throws usage */
export function* umap(points: Points, { neighbours, minDist, metric, epochs = umapEpochs(points.count), seed }: UmapOptions): Computation<Float64Array> {
  const { count } = points;
  if (!(neighbours >= 2 && neighbours < count)) throw new UnitscopeError('usage', `neighbourhoods of ${neighbours} need more points than that, and at least 2; there are ${count}`);
  const near = yield* nearestNeighbours(points, neighbours, metric);
  const graph = fuzzyUnion(near, fuzzyWeights(near));
  const random = new Random(seed);
  const map = yield* firstMap(metric === 'cosine' ? { ...points, data: unitRows(points) } : points, random);
  yield* layOut(map, graph, { ...umapCurve(minDist), epochs, random });
  return map;
}

/**
 * For each point the weights of its neighbours, exp(-(d - rho) / sigma) where d > rho and 1 elsewhere: rho is the distance to the
 * nearest one that is not at the same place, sigma such that they add up to log2 of their number. [count, each].
 */
export function fuzzyWeights({ each, distances }: Neighbours): Float64Array {
  const weights = new Float64Array(distances.length);
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  for (let first = 0; first < distances.length; first += each) {
    const row = distances.subarray(first, first + each);
    const rho = row.find((distance) => distance > 0) ?? 0;
    const own = row.reduce((sum, distance) => sum + distance, 0) / each;
    // Where many are as near as the nearest, no bandwidth is small enough.
    const sigma = Math.max(bandwidth(row, rho), UMAP.bandwidth.least * (rho > 0 ? own : mean));
    row.forEach((distance, n) => (weights[first + n] = weightOf(distance, rho, sigma)));
  }
  return weights;
}

const weightOf = (distance: number, rho: number, sigma: number): number => (distance > rho ? Math.exp(-(distance - rho) / sigma) : 1);

function bandwidth(row: Float64Array, rho: number): number {
  const target = Math.log2(row.length);
  let [sigma, low, high] = [1, 0, Infinity];
  for (let tries = 0; tries < UMAP.bandwidth.tries; tries++) {
    const sum = row.reduce((total, distance) => total + weightOf(distance, rho, sigma), 0);
    if (Math.abs(sum - target) < UMAP.bandwidth.tolerance) break;
    if (sum > target) high = sigma;
    else low = sigma;
    sigma = high === Infinity ? sigma * 2 : (low + high) / 2;
  }
  return sigma;
}

/** What either end takes for a neighbour: w + w' - w w'. */
export function fuzzyUnion({ each, indices }: Neighbours, weights: Float64Array): FuzzyGraph {
  const count = indices.length / each;
  const edges = Array.from({ length: count }, () => new Map<number, number>());
  for (let i = 0; i < count; i++) {
    for (let n = i * each; n < (i + 1) * each; n++) {
      const [j, weight] = [indices[n], weights[n]];
      const other = edges[i].get(j); // what j, which came before, thinks of i
      const both = other === undefined ? weight : weight + other - weight * other;
      edges[i].set(j, both);
      edges[j].set(i, both);
    }
  }
  const list = edges.flatMap((row, i) => [...row].sort(([a], [b]) => a - b).flatMap(([j, weight]) => (weight > 0 ? [{ i, j, weight }] : [])));
  return {
    heads: Uint32Array.from(list, ({ i }) => i),
    tails: Uint32Array.from(list, ({ j }) => j),
    weights: Float64Array.from(list, ({ weight }) => weight),
  };
}

/** The first two principal components, as large as the layout likes them. */
function* firstMap(points: Points, random: Random): Computation<Float64Array> {
  const { data } = yield* pca(points, 2);
  const most = data.reduce((far, value) => Math.max(far, Math.abs(value)), 0);
  return data.map((value) => (most > 0 ? (value * UMAP.start) / most : 0) + UMAP.noise * random.normal());
}

/**
 * Moves the points of a map: an edge of weight w pulls its ends together in a share w / max w of the epochs, and each time its head
 * is pushed from a few random points. Gradients of ln(1 / (1 + a d^2b)) and ln(1 - 1 / (1 + a d^2b)); the rate falls to 0.
 */
function* layOut(map: Float64Array, { heads, tails, weights }: FuzzyGraph, o: { readonly a: number; readonly b: number; readonly epochs: number; readonly random: Random }): Computation<void> {
  const { a, b, epochs, random } = o;
  const count = map.length / 2;
  const most = weights.reduce((max, weight) => Math.max(max, weight), 0);
  const edges = [...weights.keys()].filter((edge) => weights[edge] * epochs >= most); // weaker ones never have their turn
  const every = Float64Array.from(edges, (edge) => most / weights[edge]);
  const [nextPull, nextPush] = [every.slice(), every.map((period) => period / UMAP.negatives)];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 1 - epoch / epochs;
    for (let n = 0; n < every.length; n++) {
      if (nextPull[n] > epoch) continue;
      const head = 2 * heads[edges[n]];
      const tail = 2 * tails[edges[n]];
      let dx = map[head] - map[tail];
      let dy = map[head + 1] - map[tail + 1];
      let square = dx * dx + dy * dy;
      if (square > 0) {
        const power = square ** b;
        const pull = (-2 * a * b * power) / (square * (1 + a * power));
        const stepX = rate * clipped(pull * dx);
        const stepY = rate * clipped(pull * dy);
        map[head] += stepX;
        map[head + 1] += stepY;
        map[tail] -= stepX;
        map[tail + 1] -= stepY;
      }
      nextPull[n] += every[n];
      const period = every[n] / UMAP.negatives;
      const pushes = Math.floor((epoch - nextPush[n]) / period);
      for (let push = 0; push < pushes; push++) {
        const other = 2 * random.below(count);
        dx = map[head] - map[other];
        dy = map[head + 1] - map[other + 1];
        square = dx * dx + dy * dy;
        if (square === 0) continue;
        const away = (2 * b) / ((0.001 + square) * (1 + a * square ** b));
        map[head] += rate * clipped(away * dx);
        map[head + 1] += rate * clipped(away * dy);
      }
      nextPush[n] += pushes * period;
    }
    yield { stage: 'UMAP', done: epoch + 1, total: epochs, map };
  }
}

const clipped = (value: number): number => Math.max(-UMAP.clip, Math.min(UMAP.clip, value));
