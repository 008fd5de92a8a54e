/** From the description of a training to the network that it begins with, and back from what was learnt to what is kept. */
import { UnitscopeError } from '../errors.ts';
import type { Attributes, Network, Node, Shape, Tensor } from '../network/network.ts';
import { elementCount } from '../network/validate.ts';
import type { Beginning, LayerPlan, TrainingConfig } from '../network/training.ts';
import { attributesOf, opOf } from '../ops/check.ts';
import { initialize, seedOf, type Initialization } from './initialize.ts';

/** Most numbers of one tensor of weights: what a float counts exactly, and what can be trained. */
const MOST = 2 ** 24 - 1;

export interface Draft {
  readonly network: Network;
  /** The layer whose output [N, K] is scored. */
  readonly logits: string;
}

const pair = (size: number): [number, number] => [size, size];
const four = (size: number): [number, number, number, number] => [size, size, size, size];

function attributes(layer: LayerPlan): Attributes {
  switch (layer.kind) {
    case 'conv':
      return { stride: pair(layer.stride), padding: four(layer.padding), groups: layer.groups };
    case 'max_pool':
    case 'average_pool':
      return { kernel: pair(layer.kernel), stride: pair(layer.stride), padding: four(layer.padding), ceil: layer.ceil };
    case 'lrn':
      return { size: layer.size, alpha: layer.alpha, beta: layer.beta, k: layer.k };
    case 'batch_norm':
      return { epsilon: layer.epsilon };
    case 'dropout':
      return { rate: layer.rate };
    default:
      return {};
  }
}

/** Shapes of the layer's weights for an input [N, ...]; the sizes of a tensor that is too large are refused here. */
function shapes(layer: LayerPlan, x: Shape): Record<string, Shape> {
  if (layer.kind === 'batch_norm') return Object.fromEntries(['scale', 'shift', 'mean', 'variance'].map((role) => [role, [x[1]!]]));
  if (layer.kind !== 'conv' && layer.kind !== 'dense') return {};
  const weight = layer.kind === 'conv' ? [layer.outputs, Math.max(1, Math.floor(x[1]! / layer.groups)), layer.kernel, layer.kernel] : [layer.outputs, elementCount(x.slice(1))];
  if (elementCount(weight) > MOST) {
    throw new UnitscopeError('usage', `layer '${layer.name}' has ${elementCount(weight)} weights, more than the ${MOST} that can be trained`, { layer: layer.name });
  }
  return { weight, ...(layer.bias && { bias: [layer.outputs] }) };
}

function weightsOf(layer: LayerPlan, x: Shape, seed: number): Record<string, Tensor> {
  const begin = 'begin' in layer ? layer.begin : undefined;
  return Object.fromEntries(Object.entries(shapes(layer, x)).map(([role, shape]) => [role, { shape, data: first(role, shape, begin, seed) }]));
}

function first(role: string, shape: Shape, begin: Beginning | undefined, seed: number): Float32Array {
  if (role === 'weight') return initialize(shape, initializationOf(begin!), seed).data.map((value) => value * begin!.scale);
  const ones = role === 'scale' || role === 'variance';
  return new Float32Array(elementCount(shape)).fill(begin?.bias ?? (ones ? 1 : 0));
}

const initializationOf = ({ weights }: Beginning): Initialization => (typeof weights === 'string' ? { kind: weights } : { kind: 'normal', std: weights.normal });

/**
 * The network of a description with the weights that it begins with, which are a function of the seed.
 * @throws usage, naming the layer that does not fit what comes before it
 */
export function draft({ name, input, layers, preprocess, seed }: TrainingConfig, labels: readonly string[]): Draft {
  let x: Shape = [1, ...input];
  let last = 'data';
  const nodes = layers.map((layer, index): Node => {
    const op = layer.kind === 'conv' ? 'conv2d' : layer.kind;
    const weights = weightsOf(layer, x, seedOf(seed, layer.name));
    const node: Node = { name: layer.name, output: layer.name, op, inputs: [last], attributes: attributes(layer), weights };
    const refuse = (message: string): UnitscopeError =>
      new UnitscopeError('usage', `layers[${index}] (${layer.name}) does not fit an input of [${x.slice(1).join(', ')}]: ${message}`, { layer: layer.name, op });
    if (layer.kind === 'conv' && x[1]! % layer.groups !== 0) throw refuse(`${layer.groups} groups do not divide ${x[1]} channels`);
    x = opOf(node).shape([x], attributesOf(node, opOf(node)), weights, refuse);
    last = layer.name;
    return node;
  });
  const network: Network = { name, inputs: [{ name: 'data', shape: [1, ...input] }], nodes, outputs: [last], preprocess, labels };
  const logits = layers.filter(({ kind }) => kind !== 'softmax').at(-1)!.name;
  return { network, logits };
}

/** The network without its dropout layers, which do nothing once it is trained. */
export function withoutDropout(network: Network): Network {
  const renamed = new Map<string, string>();
  const actual = (tensor: string): string => renamed.get(tensor) ?? tensor;
  const nodes = network.nodes.flatMap((node) => {
    const inputs = node.inputs.map(actual);
    if (node.op !== 'dropout') return [{ ...node, inputs }];
    renamed.set(node.output, inputs[0]!);
    return [];
  });
  return { ...network, nodes, outputs: network.outputs.map(actual) };
}
