/** What a network has learnt, as numbers: the kernels of its layers, how large they are, how they spread. */
import { UnitscopeError } from '../errors.ts';
import { findNode, producers } from '../network/lookup.ts';
import type { Network, Node, Shape, Tensor } from '../network/network.ts';
import { attributesOf, opOf, shapesOf } from '../ops/check.ts';
import type { Method } from './method.ts';

export const WEIGHTS_METHOD: Method = {
  name: 'weights',
  summary: 'show the weights of layers: filters, kernels, a histogram, norms',
  source: 'filters as pictures: Krizhevsky, Sutskever, Hinton 2012',
  takes: 'network',
};

/** The kernels of a layer: what each output channel multiplies its inputs with. */
export interface Kernels {
  readonly layer: string;
  readonly op: string;
  readonly outputs: number;
  /** Input channels that one output sees: those of its group. */
  readonly inputs: number;
  readonly groups: number;
  readonly height: number;
  readonly width: number;
  /** [outputs, inputs, height, width]. */
  readonly data: Float32Array;
  /** Whether the layer reads the image itself. */
  readonly first: boolean;
}

/** Names of the layers that multiply by weights, in network order. */
export function weightLayers(network: Network): string[] {
  return network.nodes.filter(hasKernels).map(({ name }) => name);
}

const hasKernels = ({ op, weights }: Node): boolean => ['conv2d', 'conv_transpose2d', 'dense'].includes(op) && weights['weight'] !== undefined;

/** The kernels of a layer; a dense layer that reads maps has kernels of their size. @throws unknown-layer, usage where it has none */
export function kernelsOf(network: Network, layer: string): Kernels {
  const node = findNode(network, layer);
  if (!hasKernels(node)) throw new UnitscopeError('usage', `the layer '${node.name}' (${node.op}) has no kernels`, { layer: node.name }, `layers that have: ${weightLayers(network).slice(0, 12).join(', ')}`);
  const weight = node.weights['weight']!;
  const first = network.inputs.some(({ name }) => name === node.inputs[0]);
  const common = { layer: node.name, op: node.op, first };
  if (node.op === 'dense') {
    const [outputs, length] = weight.shape as [number, number];
    const [inputs, height, width] = mapsBefore(network, node, length);
    return { ...common, outputs, inputs, groups: 1, height, width, data: weight.data };
  }
  const groups = Number(attributesOf(node, opOf(node))['groups']);
  const [, , height, width] = weight.shape as [number, number, number, number];
  if (node.op === 'conv_transpose2d') {
    const [inputs, outputs] = [weight.shape[0]! / groups, weight.shape[1]! * groups];
    return { ...common, outputs, inputs, groups, height, width, data: turned(weight, groups) };
  }
  return { ...common, outputs: weight.shape[0]!, inputs: weight.shape[1]!, groups, height, width, data: weight.data };
}

/** [C, M / groups, H, W] -> [M, C / groups, H, W]. */
function turned({ shape, data }: Tensor, groups: number): Float32Array {
  const [inputs, perGroup, height, width] = shape as [number, number, number, number];
  const plane = height * width;
  const own = inputs / groups;
  const result = new Float32Array(data.length);
  for (let c = 0; c < inputs; c++) {
    for (let m = 0; m < perGroup; m++) {
      const output = Math.floor(c / own) * perGroup + m;
      result.set(data.subarray((c * perGroup + m) * plane, (c * perGroup + m + 1) * plane), (output * own + (c % own)) * plane);
    }
  }
  return result;
}

/** Layers that leave channels, rows and columns where they are in memory. */
const KEEPING = ['flatten', 'identity', 'dropout', 'reshape'];

/** The maps [C, H, W] that a dense layer reads one after the other; [length, 1, 1] where it reads none. */
function mapsBefore(network: Network, node: Node, length: number): readonly [number, number, number] {
  const shapes = shapesOf(network);
  const makers = producers(network);
  let tensor = node.inputs[0]!;
  for (let maker = makers.get(tensor); maker && KEEPING.includes(maker.op); maker = makers.get(tensor)) tensor = maker.inputs[0]!;
  const [, channels = 0, height = 0, width = 0, ...more]: Shape = shapes.get(tensor)!;
  const fits = more.length === 0 && channels * height * width === length && makers.get(tensor)?.op !== 'transpose';
  return fits ? [channels, height, width] : [length, 1, 1];
}

export interface WeightStatistics {
  readonly count: number;
  /** Of the finite ones. */
  readonly least: number;
  readonly greatest: number;
  readonly mean: number;
  readonly deviation: number;
  /** L2 norm of all of them. */
  readonly norm: number;
  /** How many are exactly 0, and how many are not finite. */
  readonly zeros: number;
  readonly notFinite: number;
}

/** In double precision; two passes. */
export function weightStatistics({ data }: Pick<Kernels, 'data'>): WeightStatistics {
  let [finite, least, greatest, sum, squares, zeros] = [0, Infinity, -Infinity, 0, 0, 0];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    finite++;
    sum += value;
    squares += value * value;
    if (value === 0) zeros++;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const none = finite === 0;
  const mean = none ? 0 : sum / finite;
  let spread = 0;
  for (const value of data) if (Number.isFinite(value)) spread += (value - mean) ** 2;
  return {
    count: data.length,
    least: none ? 0 : least,
    greatest: none ? 0 : greatest,
    mean,
    deviation: none ? 0 : Math.sqrt(spread / finite),
    norm: Math.sqrt(squares),
    zeros,
    notFinite: data.length - finite,
  };
}

/** L2 norm of the kernels of each output channel, bias not counted; NaN where a weight is not finite. */
export function unitNorms({ outputs, data }: Pick<Kernels, 'outputs' | 'data'>): Float64Array {
  const each = data.length / outputs;
  return Float64Array.from({ length: outputs }, (_, m) => {
    let squares = 0;
    for (let i = m * each; i < (m + 1) * each; i++) squares += data[i]! * data[i]!;
    return Number.isFinite(squares) ? Math.sqrt(squares) : NaN;
  });
}

/** How many weights lie in each of `bins` equal parts of [-reach, reach]; the reach is their largest size. Only finite ones count. */
export function weightHistogram({ data }: Pick<Kernels, 'data'>, bins: number): { readonly reach: number; readonly counts: Uint32Array } {
  let reach = 0;
  for (const value of data) if (Number.isFinite(value)) reach = Math.max(reach, Math.abs(value));
  const counts = new Uint32Array(bins);
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    const share = reach > 0 ? (value / reach + 1) / 2 : 0.5;
    counts[Math.min(bins - 1, Math.floor(share * bins))]!++;
  }
  return { reach, counts };
}
