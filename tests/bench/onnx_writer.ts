/** Networks as ONNX models, for the peer that reads nothing else. Field numbers from onnx.proto, opset 17. */
import type { Network, Node, Shape, Tensor } from '../../src/index.ts';
import { attributesOf, opOf, shapesOf } from '../../src/ops/check.ts';
import { bytes, encode, float, integer, message, text, type Pieces } from './protobuf.ts';

type Value = number | readonly number[] | { readonly float: number };

/** A node of the ONNX graph. */
interface Call {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Value>>;
}

const OPSET = 17;
const FLOAT = 1;
const INT64 = 7;

function tensor(name: string, shape: Shape, data: Float32Array | readonly number[]): Pieces {
  const isFloat = data instanceof Float32Array;
  const raw = isFloat ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(BigInt64Array.from(data, BigInt).buffer);
  return message(5, [...shape.map((size) => integer(1, size)), integer(2, isFloat ? FLOAT : INT64), text(8, name), bytes(9, raw)]);
}

function attribute(name: string, value: Value): Pieces {
  if (typeof value === 'number') return message(5, [text(1, name), integer(3, value), integer(20, 2)]);
  if ('float' in value) return message(5, [text(1, name), float(2, value.float), integer(20, 1)]);
  return message(5, [text(1, name), ...value.map((item) => integer(8, item)), integer(20, 7)]);
}

function call({ op, inputs, attributes = {} }: Call, name: string, output: string): Pieces {
  const values = Object.entries(attributes).map(([key, value]) => attribute(key, value));
  return message(1, [...inputs.map((input) => text(1, input)), text(2, output), text(3, name), text(4, op), ...values]);
}

function valueInfo(number: number, name: string, shape: Shape): Pieces {
  const sizes = message(2, shape.map((size) => message(1, [integer(1, size)])));
  return message(number, [text(1, name), message(2, [message(1, [integer(1, FLOAT), sizes])])]);
}

interface Graph {
  readonly calls: readonly Pieces[];
  readonly constants: readonly Pieces[];
  readonly input: readonly [name: string, shape: Shape];
  readonly output: readonly [name: string, shape: Shape];
}

function model({ calls, constants, input, output }: Graph): Uint8Array<ArrayBuffer> {
  const graph = [...calls, text(2, 'network'), ...constants, valueInfo(11, ...input), valueInfo(12, ...output)];
  return encode([integer(1, 8), message(8, [integer(2, OPSET)]), message(7, graph)]);
}

const windowOf = (a: Node['attributes']): Record<string, Value> => ({
  strides: a.stride as readonly number[],
  pads: a.padding as readonly number[],
  dilations: a.dilation as readonly number[],
});

/** The ONNX call of a layer; `constant` makes an operand and returns its name. */
function translate(node: Node, shapes: ReadonlyMap<string, Shape>, constant: (role: string, shape: Shape, data: Float32Array | readonly number[]) => string): Call {
  const { inputs, op, weights } = node;
  const a = attributesOf(node, opOf(node));
  const weight = (role: string): string[] => (weights[role] ? [constant(role, weights[role].shape, weights[role].data)] : []);
  const pool = () => ({ kernel_shape: a.kernel as readonly number[], ...windowOf(a), ceil_mode: Number(a.ceil) });
  switch (op) {
    case 'conv2d':
      return {
        op: 'Conv',
        inputs: [...inputs, ...weight('weight'), ...weight('bias')],
        attributes: { ...windowOf(a), kernel_shape: weights.weight!.shape.slice(2), group: a.groups as number },
      };
    case 'dense':
      return { op: 'Gemm', inputs: [...inputs, ...weight('weight'), ...weight('bias')], attributes: { transB: 1 } };
    case 'relu':
      return { op: 'Relu', inputs };
    case 'clip':
      return { op: 'Clip', inputs: [...inputs, ...(['min', 'max'] as const).map((end) => constant(end, [], Float32Array.of(a[end] as number)))] };
    case 'max_pool':
      return { op: 'MaxPool', inputs, attributes: pool() };
    case 'average_pool': {
      const { kernel_shape, strides, pads, ceil_mode } = pool() as Record<string, Value>; // without dilation in this opset
      return { op: 'AveragePool', inputs, attributes: { kernel_shape: kernel_shape!, strides: strides!, pads: pads!, ceil_mode: ceil_mode!, count_include_pad: Number(a.countIncludePad) } };
    }
    case 'global_average_pool':
      return { op: 'GlobalAveragePool', inputs };
    case 'lrn': {
      const attributes = { size: a.size as number, alpha: { float: a.alpha as number }, beta: { float: a.beta as number }, bias: { float: a.k as number } };
      return { op: 'LRN', inputs, attributes };
    }
    case 'batch_norm':
      return {
        op: 'BatchNormalization',
        inputs: [...inputs, ...['scale', 'shift', 'mean', 'variance'].flatMap(weight)],
        attributes: { epsilon: { float: a.epsilon as number } },
      };
    case 'add':
      return { op: 'Add', inputs: [...inputs, ...weight('addend')] };
    case 'concat':
      return { op: 'Concat', inputs, attributes: { axis: a.axis as number } };
    case 'softmax':
      return { op: 'Softmax', inputs, attributes: { axis: a.axis as number } };
    case 'flatten':
    case 'reshape': {
      const shape = shapes.get(node.output)!;
      return { op: 'Reshape', inputs: [...inputs, constant('shape', [shape.length], shape)] };
    }
    case 'identity':
      return { op: 'Identity', inputs };
    default:
      throw new Error(`no ONNX form of '${op}' is written here`);
  }
}

/** The forward pass of a network whose last layer makes `output`. */
export function forwardModel(network: Network, output: string): Uint8Array<ArrayBuffer> {
  const shapes = shapesOf(network);
  const constants: Pieces[] = [];
  const calls: Pieces[] = [];
  for (const node of network.nodes) {
    const constant = (role: string, shape: Shape, data: Float32Array | readonly number[]): string => {
      constants.push(tensor(`${node.output}/${role}`, shape, data));
      return `${node.output}/${role}`;
    };
    let [x] = node.inputs as [string];
    const from = shapes.get(x)!;
    if (node.op === 'dense' && from.length > 2) {
      // Gemm takes matrices only.
      calls.push(call({ op: 'Flatten', inputs: [x], attributes: { axis: 1 } }, `${node.name}.flatten`, (x = `${node.output}/x`)));
    }
    calls.push(call(translate({ ...node, inputs: [x, ...node.inputs.slice(1)] }, shapes, constant), node.name, node.output));
  }
  const { name, shape } = network.inputs[0]!;
  return model({ calls, constants, input: [name, shape], output: [output, shapes.get(output)!] });
}

/** [groups M, C, KH, KW] -> [groups C, M, KH, KW], taps turned round: the weights of the gradient at stride 1. */
export function flipped({ shape, data }: Tensor, groups: number): Tensor {
  const [outputs, channels, height, width] = shape as [number, number, number, number];
  const rows = outputs / groups;
  const taps = height * width;
  const result = new Float32Array(data.length);
  for (let m = 0; m < outputs; m++) {
    for (let c = 0; c < channels; c++) {
      const to = ((Math.floor(m / rows) * channels + c) * rows + (m % rows)) * taps;
      for (let t = 0; t < taps; t++) result[to + t] = data[(m * channels + c) * taps + taps - 1 - t]!;
    }
  }
  return { shape: [groups * channels, rows, height, width], data: result };
}

/**
 * The gradient of one layer with respect to its input, as a model that takes `dy` and makes `dx`: a convolution with
 * flipped weights at stride 1, a transposed convolution otherwise, a product for a dense layer.
 * @throws Error where ONNX has no operator for it
 */
export function gradientModel(network: Network): Uint8Array<ArrayBuffer> {
  const [node] = network.nodes as [Node];
  const { name } = network.inputs[0]!;
  const shapes = shapesOf(network);
  const x = shapes.get(name)!;
  const y = shapes.get(node.output)!;
  const finish = (made: Call, w: Tensor) =>
    model({ calls: [call(made, 'gradient', 'dx')], constants: [tensor('w', w.shape, w.data)], input: ['dy', y], output: ['dx', x] });
  const weight = node.weights.weight!;
  if (node.op === 'dense') return finish({ op: 'Gemm', inputs: ['dy', 'w'] }, weight);
  if (node.op !== 'conv2d') throw new Error(`ONNX inference has no gradient of '${node.op}'`);
  const a = attributesOf(node, opOf(node)) as unknown as Record<'stride' | 'padding' | 'dilation', number[]> & { groups: number };
  const kernel = weight.shape.slice(2);
  const common = { kernel_shape: kernel, dilations: a.dilation, group: a.groups };
  if (a.stride.every((step) => step === 1)) {
    const pads = a.padding.map((pad, side) => (kernel[side % 2]! - 1) * a.dilation[side % 2]! - pad);
    return finish({ op: 'Conv', inputs: ['dy', 'w'], attributes: { ...common, strides: [1, 1], pads } }, flipped(weight, a.groups));
  }
  const extra = [0, 1].map((i) => {
    const reached = (y[2 + i]! - 1) * a.stride[i]! + (kernel[i]! - 1) * a.dilation[i]! + 1;
    return x[2 + i]! - (reached - a.padding[i]! - a.padding[i + 2]!);
  });
  const attributes = { ...common, strides: a.stride, pads: a.padding, output_padding: extra };
  return finish({ op: 'ConvTranspose', inputs: ['dy', 'w'], attributes }, weight);
}
