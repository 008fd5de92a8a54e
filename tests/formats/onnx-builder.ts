/** Writes small ONNX models for tests. Field numbers from onnx.proto. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export type AttributeInput = number | string | readonly number[] | { float: number } | { floats: readonly number[] } | { tensor: Uint8Array };

export interface NodeInput {
  op: string;
  inputs: string[];
  outputs: string[];
  name?: string;
  domain?: string;
  attributes?: Record<string, AttributeInput>;
}

export interface ModelInput {
  nodes: NodeInput[];
  /** Name and shape; a text is an open size. */
  inputs: Record<string, readonly (number | string)[]>;
  outputs: string[];
  constants?: Uint8Array[];
  /** Values of sparse constants, which have no indices here. */
  sparse?: Uint8Array[];
  opset?: number;
  /** TensorProto.DataType of the inputs. */
  inputType?: number;
}

type Write = (writer: BinaryWriter) => void;

function message(number: number, write: Write): Write {
  return (writer) => {
    writer.tag(number, WireType.LengthDelimited).fork();
    write(writer);
    writer.join();
  };
}

const text = (number: number, value: string): Write => (writer) => void writer.tag(number, WireType.LengthDelimited).string(value);
const integer = (number: number, value: number): Write => (writer) => void writer.tag(number, WireType.Varint).int64(value);
const all = (...writes: Write[]): Write => (writer) => writes.forEach((write) => write(writer));

/** A TensorProto with raw data: float32 for a Float32Array, else int64. */
export function tensorProto(name: string, shape: readonly number[], data: Float32Array | readonly number[]): Uint8Array {
  const isFloat = data instanceof Float32Array;
  const raw = isFloat ? new Uint8Array(data.slice().buffer) : new Uint8Array(BigInt64Array.from(data, BigInt).buffer);
  const writer = new BinaryWriter();
  all(...shape.map((size) => integer(1, size)), integer(2, isFloat ? 1 : 7), text(8, name))(writer);
  return writer.tag(9, WireType.LengthDelimited).bytes(raw).finish();
}

/** A float32 TensorProto whose data lies in another file; `entries` are its external_data. */
export function externalTensor(name: string, shape: readonly number[], entries: Record<string, string>): Uint8Array {
  const pairs = Object.entries(entries).map(([key, value]) => message(13, all(text(1, key), text(2, value))));
  const writer = new BinaryWriter();
  all(...shape.map((size) => integer(1, size)), integer(2, 1), text(8, name), ...pairs, integer(14, 1))(writer);
  return writer.finish();
}

function attribute(name: string, value: AttributeInput): Write {
  if (typeof value === 'string') return all(text(1, name), text(4, value), integer(20, 3));
  if (typeof value === 'number') return all(text(1, name), integer(3, value), integer(20, 2));
  if ('float' in value) return all(text(1, name), (writer) => void writer.tag(2, WireType.Bit32).float(value.float), integer(20, 1));
  if ('floats' in value) {
    return all(text(1, name), ...value.floats.map((item): Write => (writer) => void writer.tag(7, WireType.Bit32).float(item)), integer(20, 6));
  }
  if ('tensor' in value) {
    return all(text(1, name), (writer) => void writer.tag(5, WireType.LengthDelimited).bytes(value.tensor), integer(20, 4));
  }
  return all(text(1, name), ...value.map((item) => integer(8, item)), integer(20, 7));
}

function valueInfo(name: string, shape: readonly (number | string)[], type: number): Write {
  const dims = shape.map((size) => message(1, typeof size === 'number' ? integer(1, size) : text(2, size)));
  return all(text(1, name), message(2, message(1, all(integer(1, type), message(2, all(...dims))))));
}

/** The bytes of a ModelProto. */
export function onnxModel({ nodes, inputs, outputs, constants = [], sparse = [], opset = 17, inputType = 1 }: ModelInput): Uint8Array {
  const graph = all(
    ...nodes.map(({ op, inputs: reads, outputs: makes, name = '', domain = '', attributes = {} }) =>
      message(
        1,
        all(
          ...reads.map((read) => text(1, read)),
          ...makes.map((made) => text(2, made)),
          text(3, name),
          text(4, op),
          ...Object.entries(attributes).map(([key, value]) => message(5, attribute(key, value))),
          text(7, domain),
        ),
      ),
    ),
    text(2, 'built'),
    ...constants.map((constant): Write => (writer) => void writer.tag(5, WireType.LengthDelimited).bytes(constant)),
    ...sparse.map((values) => message(15, (writer) => void writer.tag(1, WireType.LengthDelimited).bytes(values))),
    ...Object.entries(inputs).map(([name, shape]) => message(11, valueInfo(name, shape, inputType))),
    ...outputs.map((name) => message(12, valueInfo(name, [], 1))),
  );
  const writer = new BinaryWriter();
  all(integer(1, 8), message(7, graph), message(8, all(text(1, ''), integer(2, opset))))(writer);
  return writer.finish();
}

/** Numbers 0, 0.1, 0.2, ... as float32. */
export function ramp(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => index / 10);
}

/** A node with the output `y` that reads `x`, unless said otherwise. */
export function op(name: string, attributes: NodeInput['attributes'] = {}, inputs = ['x'], outputs = ['y']): NodeInput {
  return { op: name, inputs, outputs, attributes };
}

export function floats(name: string, ...shape: number[]): Uint8Array {
  return tensorProto(name, shape, ramp(shape.reduce((product, size) => product * size, 1)));
}

export function integers(name: string, ...values: number[]): Uint8Array {
  return tensorProto(name, [values.length], values);
}

export function scalar(name: string, value: number): Uint8Array {
  return tensorProto(name, [], Float32Array.of(value));
}
