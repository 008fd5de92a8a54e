/**
 * t-SNE: a map on which points lie close together whose neighbours in many dimensions are each other. Exact, O(n^2) a step.
 * Source: van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 9, 2008; constants and order of steps of tsnejs (Karpathy).
 */
import { UnitscopeError } from '../errors.ts';
import type { Computation, Points } from './points.ts';
import { Random } from './random.ts';

export interface TsneOptions {
  /** About how many neighbours a point has. */
  readonly perplexity: number;
  /** Learning rate. */
  readonly epsilon?: number;
  readonly iterations: number;
  readonly seed: number;
}

/** Most points: their pairs take 2 x 4 n^2 bytes, and a step of 4,096 takes a tenth of a second. */
export const TSNE_MOST = 4096;

export const TSNE = {
  epsilon: 10,
  /** Standard deviation of the first map. */
  start: 1e-4,
  /** Attraction is this many times as strong before iteration `until`, so that what belongs together meets. */
  exaggeration: { factor: 4, until: 100 },
  momentum: { first: 0.5, then: 0.8, from: 250 },
  /** A coordinate that goes on in its direction steps larger and larger, one that turns smaller. */
  gain: { more: 0.2, less: 0.8, least: 0.01 },
  /** Least p of a pair. */
  floor: 1e-100,
  bandwidth: { tries: 50, tolerance: 1e-4 },
} as const;

/** Pairs (i, j), j < i, lie one after the other. */
const pairs = (count: number): number => (count * (count - 1)) / 2;
const pairOf = (i: number, j: number): number => (i > j ? (i * (i - 1)) / 2 + j : (j * (j - 1)) / 2 + i);

/** The map [count, 2], centred on 0. @throws usage */
export function* tsne(points: Points, { perplexity, epsilon = TSNE.epsilon, iterations, seed }: TsneOptions): Computation<Float64Array> {
  const { count } = points;
  if (count > TSNE_MOST) throw new UnitscopeError('usage', `t-SNE lays out up to ${TSNE_MOST} points, there are ${count}`, {}, 'take fewer, or UMAP');
  const p = yield* affinities(points, perplexity);
  const random = new Random(seed);
  const map = Float64Array.from({ length: 2 * count }, () => TSNE.start * random.normal());
  const [gradient, moved, gains] = [new Float64Array(2 * count), new Float64Array(2 * count), new Float64Array(2 * count).fill(1)];
  const closeness = new Float64Array(pairs(count));
  for (let iteration = 1; iteration <= iterations; iteration++) {
    tsneGradient(p, map, iteration < TSNE.exaggeration.until ? TSNE.exaggeration.factor : 1, closeness, gradient);
    const momentum = iteration < TSNE.momentum.from ? TSNE.momentum.first : TSNE.momentum.then;
    for (let i = 0; i < map.length; i++) {
      const goesOn = Math.sign(gradient[i]) !== Math.sign(moved[i]);
      gains[i] = Math.max(TSNE.gain.least, goesOn ? gains[i] + TSNE.gain.more : gains[i] * TSNE.gain.less);
      moved[i] = momentum * moved[i] - epsilon * gains[i] * gradient[i];
      map[i] += moved[i];
    }
    centre(map);
    yield { stage: 't-SNE', done: iteration, total: iterations, map };
  }
  return map;
}

/**
 * p_ij = (p_j|i + p_i|j) / 2n of every pair, with p_j|i ~ exp(-beta_i |x_i - x_j|^2) and beta_i such that the entropy of the
 * neighbours of i is ln(perplexity). Over all ordered pairs they add up to 1.
 */
export function* affinities({ count, size, data }: Points, perplexity: number): Computation<Float64Array> {
  const p = new Float64Array(pairs(count));
  const [squares, row] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      squares[j] = 0;
      for (let a = i * size, b = j * size; a < (i + 1) * size; a++, b++) squares[j] += (data[a] - data[b]) * (data[a] - data[b]);
    }
    conditional(squares, i, Math.log(perplexity), row);
    for (let j = 0; j < count; j++) if (j !== i) p[pairOf(i, j)] += row[j] / (2 * count);
    yield { stage: 'affinities', done: i + 1, total: count };
  }
  return p.map((value) => Math.max(value, TSNE.floor));
}

/** Fills `row` with p_j|i from the squared distances to all points, by a search for the bandwidth: doubled or halved, then bisected. */
function conditional(squares: Float64Array, self: number, entropy: number, row: Float64Array): void {
  const nearest = squares.reduce((least, square, j) => (j === self ? least : Math.min(least, square)), Infinity);
  let [beta, low, high] = [1, 0, Infinity];
  for (let tries = 0; tries < TSNE.bandwidth.tries; tries++) {
    let [sum, moment] = [0, 0];
    for (let j = 0; j < row.length; j++) {
      // The nearest one counts 1 whatever the bandwidth is, so that the sum is never 0.
      const beyond = squares[j] - nearest;
      row[j] = j === self ? 0 : Math.exp(-beta * beyond);
      sum += row[j];
      moment += row[j] * beyond;
    }
    for (let j = 0; j < row.length; j++) row[j] /= sum;
    const excess = Math.log(sum) + (beta * moment) / sum - entropy;
    if (Math.abs(excess) < TSNE.bandwidth.tolerance) return;
    if (excess > 0) {
      low = beta;
      beta = high === Infinity ? beta * 2 : (beta + high) / 2;
    } else {
      high = beta;
      beta = low === 0 ? beta / 2 : (beta + low) / 2;
    }
  }
}

/**
 * dKL/dy_i = 4 sum over j of (exaggeration p_ij - q_ij) t_ij (y_i - y_j), with t_ij = 1 / (1 + |y_i - y_j|^2), q = t / sum of t.
 * @param closeness [pairs] room for t
 */
export function tsneGradient(p: Float64Array, map: Float64Array, exaggeration: number, closeness: Float64Array, gradient: Float64Array): void {
  const count = map.length / 2;
  let sum = 0;
  for (let i = 0, pair = 0; i < count; i++) {
    const [x, y] = [map[2 * i], map[2 * i + 1]];
    for (let j = 0; j < i; j++, pair++) {
      const dx = x - map[2 * j];
      const dy = y - map[2 * j + 1];
      const t = 1 / (1 + dx * dx + dy * dy);
      closeness[pair] = t;
      sum += t;
    }
  }
  const scale = 1 / (2 * sum);
  gradient.fill(0);
  for (let i = 0, pair = 0; i < count; i++) {
    const [x, y] = [map[2 * i], map[2 * i + 1]];
    let [sumX, sumY] = [0, 0];
    for (let j = 0; j < i; j++, pair++) {
      const t = closeness[pair];
      const pull = 4 * (exaggeration * p[pair] - t * scale) * t;
      const dx = pull * (x - map[2 * j]);
      const dy = pull * (y - map[2 * j + 1]);
      sumX += dx;
      sumY += dy;
      gradient[2 * j] -= dx;
      gradient[2 * j + 1] -= dy;
    }
    gradient[2 * i] += sumX;
    gradient[2 * i + 1] += sumY;
  }
}

function centre(map: Float64Array): void {
  for (let axis = 0; axis < 2; axis++) {
    let sum = 0;
    for (let i = axis; i < map.length; i += 2) sum += map[i];
    const mean = sum / (map.length / 2);
    for (let i = axis; i < map.length; i += 2) map[i] -= mean;
  }
}
