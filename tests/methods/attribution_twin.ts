/** A small network of every kind of layer that a backward mode changes, and the same in plain float64 loops. */
import { reluRule, type BackwardMode } from '../../src/methods/backward_mode.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { passesRule, random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

/** [channels, height, width] of every layer: 3x3 convolution, ReLU, 3x3 max pooling by 2 with a clipped border, LRN, convolution, ReLU, dense. */
const [C, H, W] = [3, 10, 8];
const SHAPES: Readonly<Record<string, readonly [number, number, number]>> = {
  x: [C, H, W], conv1: [6, H, W], relu1: [6, H, W], pool: [6, 5, 4], norm: [6, 5, 4], conv2: [5, 5, 4], relu2: [5, 5, 4], scores: [4, 1, 1],
};
const LRN = { size: 3, alpha: 2, beta: 0.75, k: 1 };
const ORDER = Object.keys(SHAPES);

export const small: Network = {
  ...network({ x: [1, C, H, W] }, [
    convolution('conv1', 'x', [6, C, 3], 11),
    node('relu1', 'relu', ['conv1.y']),
    node('pool', 'max_pool', ['relu1.y'], { kernel: [3, 3], stride: [2, 2], ceil: true }),
    node('norm', 'lrn', ['pool.y'], LRN),
    convolution('conv2', 'norm.y', [5, 6, 3], 13),
    node('relu2', 'relu', ['conv2.y']),
    node('flat', 'flatten', ['relu2.y']),
    node('scores', 'dense', ['flat.y'], {}, { weight: random([4, 100], 15), bias: random([4], 16) }),
  ]),
  preprocess: { channels: 'RGB', range: 1, mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25], fit: 'crop' },
};

export const picture = (seed = 21): Tensor => random([1, C, H, W], seed, -2, 2);

type Layers = Map<string, Float64Array>;
type Shape3 = readonly [number, number, number];

/** Visits every weight of a padded 3x3 convolution: index of the output, of the input, of the weight. */
function taps([M, h, w]: Shape3, channels: number, visit: (output: number, input: number, weight: number) => void): void {
  for (let m = 0; m < M; m++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        for (let c = 0; c < channels; c++)
          for (let k = 0; k < 9; k++) {
            const [iy, ix] = [y + Math.floor(k / 3) - 1, x + (k % 3) - 1];
            if (iy >= 0 && ix >= 0 && iy < h && ix < w) visit((m * h + y) * w + x, (c * h + iy) * w + ix, (m * channels + c) * 9 + k);
          }
}

/** For every output of the pooling its taps inside the image, in row-major order. */
function windows(): number[][] {
  const [M, h, w] = SHAPES.relu1!;
  const [, oh, ow] = SHAPES.pool!;
  return Array.from({ length: M * oh * ow }, (_, o) => {
    const [m, oy, ox] = [Math.floor(o / (oh * ow)), Math.floor(o / ow) % oh, o % ow];
    const inside: number[] = [];
    for (let y = 2 * oy; y < Math.min(2 * oy + 3, h); y++) for (let x = 2 * ox; x < Math.min(2 * ox + 3, w); x++) inside.push((m * h + y) * w + x);
    return inside;
  });
}

const neighbours = (i: number): number[] => {
  const [M, h, w] = SHAPES.norm!;
  const c = Math.floor(i / (h * w));
  return [-1, 0, 1].filter((d) => c + d >= 0 && c + d < M).map((d) => i + d * h * w);
};
const scaleAt = (pool: Float64Array, i: number): number => LRN.k + (LRN.alpha / LRN.size) * neighbours(i).reduce((sum, j) => sum + pool[j]! ** 2, 0);

const weightOf = (name: string, role: 'weight' | 'bias'): Float32Array => small.nodes.find((one) => one.name === name)!.weights[role]!.data;

function convolved(name: string, x: Float64Array, channels: number): Float64Array {
  const [M, h, w] = SHAPES[name]!;
  const y = Float64Array.from({ length: M * h * w }, (_, i) => weightOf(name, 'bias')[Math.floor(i / (h * w))]!);
  taps([M, h, w], channels, (output, input, weight) => (y[output]! += weightOf(name, 'weight')[weight]! * x[input]!));
  return y;
}

/** Every layer of one input [C, H, W]. */
export function forwardTwin(x: ArrayLike<number>): Layers {
  const made: Layers = new Map([['x', Float64Array.from(x)]]);
  const relu = (values: Float64Array): Float64Array => values.map((v) => Math.max(v, 0));
  made.set('conv1', convolved('conv1', made.get('x')!, C));
  made.set('relu1', relu(made.get('conv1')!));
  const before = made.get('relu1')!;
  made.set('pool', Float64Array.from(windows(), (inside) => Math.max(...inside.map((i) => before[i]!))));
  const pool = made.get('pool')!;
  made.set('norm', pool.map((v, i) => v * scaleAt(pool, i) ** -LRN.beta));
  made.set('conv2', convolved('conv2', made.get('norm')!, 6));
  made.set('relu2', relu(made.get('conv2')!));
  const last = made.get('relu2')!;
  made.set('scores', Float64Array.from({ length: 4 }, (_, m) => last.reduce((sum, v, i) => sum + weightOf('scores', 'weight')[m * 100 + i]! * v, weightOf('scores', 'bias')[m]!)));
  return made;
}

/** The gradient of every layer below `from`, and of x, for the gradient `dy` at `from`. */
export function backwardTwin(made: Layers, from: string, dy: Float64Array, mode: BackwardMode): Layers {
  const gradients: Layers = new Map([[from, dy]]);
  for (let at = ORDER.indexOf(from); at > 0; at--) gradients.set(ORDER[at - 1]!, back(made, ORDER[at]!, gradients.get(ORDER[at]!)!, mode));
  return gradients;
}

function back(made: Layers, layer: string, g: Float64Array, mode: BackwardMode): Float64Array {
  const below = ORDER[ORDER.indexOf(layer) - 1]!;
  const x = made.get(below)!;
  const dx = new Float64Array(x.length);
  if (layer === 'scores') g.forEach((value, m) => dx.forEach((_, i) => (dx[i]! += weightOf('scores', 'weight')[m * 100 + i]! * value)));
  if (layer.startsWith('conv')) taps(SHAPES[layer]!, SHAPES[below]![0], (output, input, weight) => (dx[input]! += weightOf(layer, 'weight')[weight]! * g[output]!));
  if (layer.startsWith('relu')) return g.map((value, i) => (passesRule(reluRule(mode), x[i]! > 0, value) ? value : 0));
  if (layer === 'pool') {
    windows().forEach((inside, o) => {
      // The centre is tap 1, or the only one where the border cuts the window to one: rows and columns are cut apart.
      const columns = inside.filter((i) => i - inside[0]! < 3).length;
      const rows = inside.length / columns;
      const centre = inside[Math.min(1, rows - 1) * columns + Math.min(1, columns - 1)]!;
      const first = inside.reduce((best, i) => (x[i]! > x[best]! ? i : best));
      dx[mode.switches ? first : centre]! += g[o]!;
    });
  }
  if (layer === 'norm') {
    if (mode.lrn === 'identity') return g;
    g.forEach((value, i) => {
      const s = scaleAt(x, i);
      dx[i]! += value * s ** -LRN.beta;
      for (const j of neighbours(i)) dx[j]! -= value * LRN.beta * x[i]! * s ** (-LRN.beta - 1) * (LRN.alpha / LRN.size) * 2 * x[j]!;
    });
  }
  return dx;
}

/** d score / d x of a class, or of a whole channel of a layer of maps (half the sum of its squares). */
export function gradientTwin(x: ArrayLike<number>, target: { readonly layer: string; readonly channel: number; readonly whole?: boolean }, mode: BackwardMode): { score: number; gradients: Layers } {
  const made = forwardTwin(x);
  const [, h, w] = SHAPES[target.layer]!;
  const y = made.get(target.layer)!;
  const seed = y.map((v, i) => (Math.floor(i / (h * w)) === target.channel ? (target.whole ? v : 1) : 0));
  const score = y.reduce((sum, v, i) => sum + (target.whole ? (v * seed[i]!) / 2 : v * seed[i]!), 0);
  return { score, gradients: backwardTwin(made, target.layer, seed, mode) };
}
