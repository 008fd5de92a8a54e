/** Layers of a Network as jax-js calls. Maps stay N, C, H, W; every call owns its arguments and lets them go, as that library asks. */
import { lax, nn, numpy as np } from '@jax-js/jax';
import type { Node, Shape, Tensor } from '../../../src/index.ts';
import { attributesOf, opOf } from '../../../src/ops/check.ts';

export type Layer = (inputs: np.Array[], weights: np.Array[]) => np.Array;

/** A layer and the weights that it takes, in its order. */
export interface Conversion {
  readonly layer: Layer;
  readonly weights: readonly Tensor[];
}

type Four = [number, number, number, number];
type Pair = [number, number];

interface Activation {
  readonly activation: string;
  readonly low: number;
  readonly high: number;
}

interface Pooling {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Four;
  readonly dilation: Pair;
  readonly countIncludePad?: boolean;
}

function activate(y: np.Array, { activation, low, high }: Activation): np.Array {
  if (activation === 'relu') return nn.relu(y);
  return activation === 'clip' ? np.clip(y, low, high) : y;
}

const noWeights = (layer: (inputs: np.Array[]) => np.Array): Conversion => ({ layer, weights: [] });

function convolution(node: Node): Conversion {
  const a = attributesOf(node, opOf(node)) as unknown as Activation & { stride: Pair; padding: Four; dilation: Pair; groups: number };
  const [top, left, bottom, right] = a.padding;
  const { weight, bias } = node.weights;
  const options = { rhsDilation: a.dilation, featureGroupCount: a.groups };
  return {
    weights: bias ? [weight!, { shape: [1, bias.data.length, 1, 1], data: bias.data }] : [weight!],
    layer([x], [w, b]) {
      const y = lax.convGeneralDilated(x!, w!, a.stride, [[top, bottom], [left, right]], options);
      return activate(b ? y.add(b) : y, a);
    },
  };
}

function dense(node: Node): Conversion {
  const a = attributesOf(node, opOf(node)) as unknown as Activation;
  const { weight, bias } = node.weights;
  return {
    weights: bias ? [weight!, bias] : [weight!],
    layer([x], [w, b]) {
      const y = np.matmul(x!.reshape([x!.shape[0]!, -1]), np.transpose(w!));
      return activate(b ? y.add(b) : y, a);
    },
  };
}

/** Windows over the last two axes, padded with `filling`; `reduce` sees one window. */
function overWindows(x: np.Array, { kernel, stride, padding }: Pooling, filling: number, reduce: (window: np.Array) => np.Array): np.Array {
  const [top, left, bottom, right] = padding;
  const widths: [number, number][] = [[0, 0], [0, 0], [top, bottom], [left, right]];
  let padded = x;
  if (padding.some((pad) => pad > 0)) {
    // The library pads with zeros only.
    const inside = filling === 0 ? undefined : np.pad(np.ones(x.shape), widths).greater(0);
    padded = np.pad(x, widths);
    if (inside) padded = np.where(inside, padded, filling);
  }
  return lax.reduceWindow(padded, reduce, kernel, stride);
}

/** A pooling's window; in ceil mode the last windows are padded to fit. */
function poolingOf(node: Node, from: Shape, to: Shape): Pooling {
  const a = attributesOf(node, opOf(node)) as unknown as Pooling;
  if (a.dilation.some((d) => d > 1)) throw new Error('has no dilated pooling');
  const reach = ([0, 1] as const).map((i) => (to[2 + i]! - 1) * a.stride[i] + a.kernel[i] - from[2 + i]! - a.padding[i]);
  return { ...a, padding: [a.padding[0], a.padding[1], Math.max(a.padding[2], reach[0]!), Math.max(a.padding[3], reach[1]!)] };
}

function averagePool(node: Node, from: Shape, to: Shape): Conversion {
  const pooling = poolingOf(node, from, to);
  if (pooling.padding.some((pad) => pad > 0)) throw new Error('average pooling over a border is not built for this peer');
  const share = 1 / (pooling.kernel[0] * pooling.kernel[1]);
  return noWeights(([x]) => overWindows(x!, pooling, 0, (window) => window.sum()).mul(share));
}

/** y = x (k + alpha / size * sum of the squares of `size` channels)^-beta */
function lrn(node: Node): Conversion {
  const { size, alpha, beta, k } = attributesOf(node, opOf(node)) as unknown as Record<'size' | 'alpha' | 'beta' | 'k', number>;
  const before = (size - 1) >> 1;
  return noWeights(([x]) => {
    const squares = np.pad(np.square(x!.ref), [[0, 0], [before, size - 1 - before], [0, 0], [0, 0]]);
    const channels = x!.shape[1]!;
    let sum = squares.ref.slice([], [0, channels]);
    for (let i = 1; i < size; i++) sum = sum.add(squares.ref.slice([], [i, i + channels]));
    squares.dispose();
    return x!.mul(np.power(sum.mul(alpha / size).add(k), -beta));
  });
}

/** @throws Error where the layer has no counterpart */
export function convert(node: Node, shapes: ReadonlyMap<string, Shape>): Conversion {
  const from = shapes.get(node.inputs[0]!)!;
  const to = shapes.get(node.output)!;
  const a = attributesOf(node, opOf(node)) as Record<string, number>;
  switch (node.op) {
    case 'conv2d':
      return convolution(node);
    case 'dense':
      return dense(node);
    case 'relu':
      return noWeights(([x]) => nn.relu(x!));
    case 'clip':
      return noWeights(([x]) => np.clip(x!, a.min!, a.max!));
    case 'softmax':
      return noWeights(([x]) => nn.softmax(x!, a.axis!));
    case 'max_pool': {
      const pooling = poolingOf(node, from, to);
      return noWeights(([x]) => overWindows(x!, pooling, -Infinity, (window) => window.max()));
    }
    case 'average_pool':
      return averagePool(node, from, to);
    case 'global_average_pool':
      return noWeights(([x]) => x!.mean([2, 3], { keepdims: true }));
    case 'lrn':
      return lrn(node);
    case 'add':
      if (node.inputs.length === 2) return noWeights(([x, z]) => activate(x!.add(z!), attributesOf(node, opOf(node)) as unknown as Activation));
      break;
    case 'concat':
      return noWeights((inputs) => np.concatenate(inputs, a.axis!));
    case 'identity':
      return noWeights(([x]) => x!);
    case 'flatten':
    case 'reshape':
      return noWeights(([x]) => x!.reshape([...to]));
  }
  throw new Error(`'${node.op}' is not built for this peer`);
}
