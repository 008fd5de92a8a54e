/** An ONNX graph while it is written: nodes, weights and constants with the names and the file form that fit its opset. */
import type { Shape } from '../../src/network/network.ts';
import { bytes, encode, float, integer, message, text, type Pieces } from '../bench/protobuf.ts';
import { Names } from './names.ts';

/** A tensor of the graph. The batch is a number here even where the file leaves it open. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  /** Mean square as one expects it of random weights: batch norms get it as their variance, as training would. */
  readonly power: number;
}

type Numbers = Float32Array | readonly number[];
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface Call {
  /** Module that the node belongs to, e.g. `layer1.0.conv1`. */
  readonly at: string;
  readonly op: string;
  readonly inputs: readonly (Value | string)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly shape: Shape;
  readonly power?: number;
}

export interface GraphOptions {
  readonly opset: number;
  /** [N, C, H, W] of the input. */
  readonly input: Shape;
  /** The file leaves the batch open. */
  readonly openBatch?: boolean;
}

const FLOAT = 1;
const INT64 = 7;
const BATCH = 'batch_size';

export const count = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

function tensor(name: string, shape: Shape, data: Numbers): Pieces[] {
  const isFloat = data instanceof Float32Array;
  const raw = isFloat ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(BigInt64Array.from(data, BigInt).buffer);
  return [...shape.map((size) => integer(1, size)), integer(2, isFloat ? FLOAT : INT64), text(8, name), bytes(9, raw)];
}

function attribute(name: string, value: Attribute | Pieces): Pieces {
  const typed = (kind: number, ...fields: Pieces[]): Pieces => message(5, [text(1, name), ...fields, integer(20, kind)]);
  if (typeof value === 'number') return typed(2, integer(3, value));
  if (typeof value === 'string') return typed(3, text(4, value));
  if ('pieces' in value) return typed(4, value);
  if ('float' in value) return typed(1, float(2, value.float));
  return typed(7, ...value.map((item) => integer(8, item)));
}

export class Graph {
  readonly opset: number;
  readonly openBatch: boolean;
  readonly input: Value;
  /** Numbers that training moves; statistics of batch norms are not counted. */
  parameters = 0;
  /** Tensors inside the network that a test looks at. */
  readonly probes: Value[] = [];
  protected readonly names: Names;
  private readonly nodes: Pieces[] = [];
  private readonly weights: { readonly name: string; readonly shape: Shape; readonly fill: () => Numbers }[] = [];
  private written: Pieces[] | undefined;
  private output: Value | undefined;

  constructor({ opset, input, openBatch = false }: GraphOptions) {
    this.opset = opset;
    this.openBatch = openBatch;
    this.names = new Names(opset);
    this.input = { name: this.names.input, shape: input, power: 1 };
  }

  /** A node with several outputs of the given shapes. */
  calls({ at, op, inputs, attributes = {}, power = 1 }: Omit<Call, 'shape'>, shapes: readonly Shape[]): Value[] {
    const { name, outputs } = this.names.node(at, op, shapes.length);
    this.write(op, name, inputs.map((input) => (typeof input === 'string' ? input : input.name)), outputs, Object.entries(attributes).map((entry) => attribute(...entry)));
    return outputs.map((output, i) => ({ name: output, shape: shapes[i]!, power }));
  }

  call(call: Call): Value {
    const first = call.inputs[0];
    return this.calls({ power: typeof first === 'object' ? first.power : 1, ...call }, [call.shape])[0]!;
  }

  private write(op: string, name: string, inputs: readonly string[], outputs: readonly string[], attributes: readonly Pieces[]): void {
    const label = name === '' ? [] : [text(3, name)];
    this.nodes.push(message(1, [...inputs.map((input) => text(1, input)), ...outputs.map((output) => text(2, output)), ...label, text(4, op), ...attributes]));
  }

  /** An initializer that is filled only when bytes are asked for; returns its name. */
  weight(name: string, shape: Shape, fill: () => Numbers): string {
    this.weights.push({ name, shape, fill });
    return name;
  }

  /** A constant: a node of its own, or an initializer where the exporter writes them so. Whole numbers are int64. */
  constant(at: string, data: Numbers, shape: Shape = [data.length]): string {
    if (this.opset >= 18) return this.weight(this.names.constant(), shape, () => data);
    const { name, outputs } = this.names.node(at, 'Constant');
    this.write('Constant', name, [], outputs, [attribute('value', message(5, tensor('', shape, data)))]);
    return outputs[0]!;
  }

  scalar(at: string, value: number): string {
    return this.constant(at, Float32Array.of(value), []);
  }

  probe(value: Value): Value {
    this.probes.push(value);
    return value;
  }

  /** The result of the network. */
  result(value: Value): this {
    this.output = value;
    return this;
  }

  /** What is compared: the probes and the result, in order. */
  get checked(): readonly Value[] {
    return [...new Set([...this.probes, this.output!])];
  }

  /** The file as the exporter writes it, or with further tensors among its outputs. */
  bytes(more: readonly Value[] = []): Uint8Array<ArrayBuffer> {
    this.written ??= this.weights.map(({ name, shape, fill }) => message(5, tensor(name, shape, fill())));
    const { opset } = this;
    // Before version 4 of the file form every initializer is an input too.
    const listed = opset < 9 ? this.weights : [];
    const graph = [
      ...this.nodes,
      text(2, opset < 13 ? 'torch-jit-export' : opset < 18 ? 'torch_jit' : 'main_graph'),
      ...this.written,
      this.valueInfo(11, this.input),
      ...listed.map(({ name, shape }) => this.valueInfo(11, { name, shape, power: 1 }, false)),
      ...[...new Set([this.output!, ...more])].map((value) => this.valueInfo(12, value)),
    ];
    const version = opset < 9 ? 3 : opset < 13 ? 6 : opset < 18 ? 7 : 9;
    return encode([integer(1, version), text(2, 'pytorch'), message(7, graph), message(8, [text(1, ''), integer(2, opset)])]);
  }

  private valueInfo(number: number, { name, shape }: Value, batched = true): Pieces {
    const open = (axis: number): boolean => batched && this.openBatch && axis === 0;
    const sizes = shape.map((size, axis) => message(1, [open(axis) ? text(2, BATCH) : integer(1, size)]));
    return message(number, [text(1, name), message(2, [message(1, [integer(1, FLOAT), message(2, sizes)])])]);
  }
}
