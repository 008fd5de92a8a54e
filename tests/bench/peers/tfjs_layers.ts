/** Layers of a Network as TensorFlow.js calls: maps are N, H, W, C there, weights [KH, KW, C, M]. */
import * as tf from '@tensorflow/tfjs';
import type { Node, Shape, Tensor } from '../../../src/index.ts';
import { attributesOf, opOf } from '../../../src/ops/check.ts';

export type Layer = (inputs: readonly tf.Tensor[]) => tf.Tensor;

/** A layer whose weights are converted; `upload` puts them onto the GPU: the filters, then the biases. */
export interface Conversion {
  /** @param hold what the layer is to read instead of a tensor of weights */
  upload(hold?: (weight: tf.Tensor) => tf.Tensor): { layer: Layer; weights: readonly tf.Tensor[] };
}

type Pads = [[number, number], [number, number], [number, number], [number, number]];
type Four = [number, number, number, number];
type Pair = [number, number];

export const isMap = (shape: Shape): boolean => shape.length === 4;
export const toNhwc = (shape: Shape): number[] => (isMap(shape) ? [shape[0]!, shape[2]!, shape[3]!, shape[1]!] : [...shape]);

/** Tensors of four axes change from N, C, H, W; others stay. */
export function nhwc({ shape, data }: Tensor): Float32Array {
  if (!isMap(shape)) return data;
  const [n, channels, height, width] = shape as Four;
  const plane = height * width;
  const result = new Float32Array(data.length);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < channels; c++) {
      const from = (i * channels + c) * plane;
      for (let p = 0; p < plane; p++) result[(i * plane + p) * channels + c] = data[from + p]!;
    }
  }
  return result;
}

export const pads = ([top, left, bottom, right]: Four): Pads | 'valid' =>
  top + left + bottom + right === 0 ? 'valid' : [[0, 0], [top, bottom], [left, right], [0, 0]];

/** Filters [M, C, KH, KW] -> one [KH, KW, C, M / groups] per group. */
function filtersOf(weight: Tensor, groups: number): Tensor[] {
  const [outputs, channels, height, width] = weight.shape as Four;
  const numbers = weight.data; // made anew at each access where a batch norm is folded in
  const rows = outputs / groups;
  const taps = height * width;
  return Array.from({ length: groups }, (_, group) => {
    const data = new Float32Array(rows * channels * taps);
    for (let m = 0; m < rows; m++) {
      for (let c = 0; c < channels; c++) {
        const from = ((group * rows + m) * channels + c) * taps;
        for (let t = 0; t < taps; t++) data[(t * channels + c) * rows + m] = numbers[from + t]!;
      }
    }
    return { shape: [height, width, channels, rows], data };
  });
}

/** Depthwise filters [C multiplier, 1, KH, KW] -> [KH, KW, C, multiplier]. */
function depthwiseFilter(weight: Tensor, groups: number): Tensor {
  const [outputs, , height, width] = weight.shape as Four;
  const taps = height * width;
  const numbers = weight.data;
  const data = new Float32Array(numbers.length);
  for (let m = 0; m < outputs; m++) for (let t = 0; t < taps; t++) data[t * outputs + m] = numbers[m * taps + t]!;
  return { shape: [height, width, groups, outputs / groups], data };
}

/** [M, K] -> [K, M]; K is C, H, W for a map and becomes H, W, C. */
function matrixOf(weight: Tensor, from: Shape): Tensor {
  const [rows, columns] = weight.shape as Pair;
  const channels = isMap(from) ? from[1]! : 1;
  const plane = columns / channels;
  const numbers = weight.data;
  const data = new Float32Array(numbers.length);
  for (let k = 0; k < columns; k++) {
    const to = isMap(from) ? (k % plane) * channels + Math.floor(k / plane) : k;
    for (let m = 0; m < rows; m++) data[to * rows + m] = numbers[m * columns + k]!;
  }
  return { shape: [columns, rows], data };
}

/** A convolution's filters and the attributes of its kernel. */
export function convolutionOf(node: Node) {
  const a = attributesOf(node, opOf(node)) as unknown as { stride: Pair; padding: Four; dilation: Pair; groups: number; activation: string; low: number; high: number };
  const weight = node.weights.weight!;
  const depthwise = a.groups > 1 && weight.shape[1] === 1;
  const filters = depthwise ? [depthwiseFilter(weight, a.groups)] : filtersOf(weight, a.groups);
  return { ...a, depthwise, filters, pad: pads(a.padding) };
}

interface Activation {
  readonly activation: string;
  readonly low: number;
  readonly high: number;
}

/** The activation of a layer that this engine does not fuse one into. */
function activate(y: tf.Tensor, { activation, low, high }: Activation): tf.Tensor {
  if (activation === 'relu') return tf.relu(y);
  return activation === 'clip' ? tf.clipByValue(y, low, high) : y;
}

/** How an activation is fused, and what is left to do after it. */
function activationOf({ activation, low, high }: Activation) {
  if (activation === 'relu') return { fused: 'relu' as const };
  if (activation === 'clip' && low === 0 && high === 6) return { fused: 'relu6' as const };
  if (activation === 'clip') return { fused: 'linear' as const, after: (y: tf.Tensor) => tf.clipByValue(y, low, high) };
  return { fused: 'linear' as const };
}

const put = ({ shape, data }: Tensor): tf.Tensor => tf.tensor(data, [...shape]);
const same = (weight: tf.Tensor): tf.Tensor => weight;
const noWeights = (layer: Layer): Conversion => ({ upload: () => ({ layer, weights: [] }) });

function convolution(node: Node): Conversion {
  const { stride, dilation, depthwise, filters, pad, ...rest } = convolutionOf(node);
  const { fused: activation, after = (y: tf.Tensor) => y } = activationOf(rest);
  const { bias } = node.weights;
  return {
    upload(hold = same) {
      const w = filters.map((filter) => hold(put(filter)) as tf.Tensor4D);
      const part = (i: number) => (i * bias!.data.length) / filters.length;
      const b = filters.map((_, i) => bias && hold(tf.tensor1d(bias.data.subarray(part(i), part(i + 1)))));
      // Explicit padding is allowed, though the type of the fused calls does not say so.
      const convolve = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
      const one = (x: tf.Tensor, i: number) =>
        convolve({ x: x as tf.Tensor4D, filter: w[i]!, strides: stride, pad: pad as 'valid', dilations: dilation, activation, ...(b[i] && { bias: b[i] }) });
      const layer: Layer = ([x]) => after(w.length === 1 ? one(x!, 0) : tf.concat(tf.split(x!, w.length, 3).map(one), 3));
      return { layer, weights: [...w, ...b.flatMap((t) => t ?? [])] };
    },
  };
}

function dense(node: Node, from: Shape): Conversion {
  const a = attributesOf(node, opOf(node)) as unknown as { activation: string; low: number; high: number };
  const { fused: activation, after = (y: tf.Tensor) => y } = activationOf(a);
  const matrix = matrixOf(node.weights.weight!, from);
  return {
    upload(hold = same) {
      const b = hold(put(matrix)) as tf.Tensor2D;
      const bias = node.weights.bias && hold(put(node.weights.bias));
      const layer: Layer = ([x]) => after(tf.fused.matMul({ a: x!.reshape([x!.shape[0]!, -1]) as tf.Tensor2D, b, activation, ...(bias && { bias }) }));
      return { layer, weights: bias ? [b, bias] : [b] };
    },
  };
}

/** Explicit padding of a pooling window; in ceil mode the last windows are padded to fit. */
export function poolOf(node: Node, from: Shape, to: Shape) {
  const a = attributesOf(node, opOf(node)) as unknown as { kernel: Pair; stride: Pair; padding: Four; dilation: Pair; countIncludePad?: boolean };
  if (a.dilation.some((d) => d > 1) || (a.countIncludePad && a.padding.some((p) => p > 0))) throw new Error('no such pooling there');
  const reach = ([0, 1] as const).map((i) => (to[2 + i]! - 1) * a.stride[i] + a.kernel[i] - from[2 + i]! - a.padding[i]);
  const padding: Four = [a.padding[0], a.padding[1], Math.max(a.padding[2], reach[0]!), Math.max(a.padding[3], reach[1]!)];
  return { kernel: a.kernel, stride: a.stride, pad: pads(padding) };
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
      return dense(node, from);
    case 'relu':
      return noWeights(([x]) => tf.relu(x!));
    case 'clip':
      return noWeights(([x]) => (a.min === 0 && a.max === 6 ? tf.relu6(x!) : tf.clipByValue(x!, a.min!, a.max!)));
    case 'softmax':
      return noWeights(([x]) => tf.softmax(x!));
    case 'max_pool':
    case 'average_pool': {
      const { kernel, stride, pad } = poolOf(node, from, to);
      const pool = node.op === 'max_pool' ? tf.maxPool : tf.avgPool;
      return noWeights(([x]) => pool(x as tf.Tensor4D, kernel, stride, pad as never));
    }
    case 'global_average_pool':
      return noWeights(([x]) => tf.mean(x!, [1, 2], true));
    case 'lrn':
      return noWeights(([x]) => tf.localResponseNormalization(x as tf.Tensor4D, (a.size! - 1) / 2, a.k, a.alpha! / a.size!, a.beta));
    case 'add':
      if (node.inputs.length === 2) return noWeights(([x, z]) => activate(tf.add(x!, z!), attributesOf(node, opOf(node)) as unknown as Activation));
      break;
    case 'concat':
      return noWeights((inputs) => tf.concat([...inputs], isMap(from) ? [0, 3, 1, 2][a.axis!]! : a.axis));
    case 'identity':
      return noWeights(([x]) => x!);
    case 'flatten':
    case 'reshape': {
      const trivial = !isMap(from) || from[2]! * from[3]! === 1 || isMap(to);
      return noWeights(([x]) => tf.reshape(trivial ? x! : tf.transpose(x!, [0, 3, 1, 2]), toNhwc(to)));
    }
  }
  throw new Error(`'${node.op}' is not built for this peer`);
}
