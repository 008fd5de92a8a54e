/** TensorProto: constants of an ONNX model, and test data files. Field numbers from onnx.proto. */
import { UnitscopeError, type ErrorAddress } from '../../errors.ts';
import type { Shape, Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { refuseForeign } from '../content.ts';
import { decodeBfloat16, decodeFloat16, float16Value } from '../../network/float16.ts';
import { littleEndianView } from '../numbers.ts';
import { ByteCollector, readMessage, type Source } from '../protobuf.ts';
import { MissingFileError, readExternalEntry, type ExternalFiles, type ExternalReference } from './external.ts';

/**
 * A constant. Real numbers of every width are float32; integers and booleans are exact in float64 (clamped to
 * +-(2^53 - 1), which only marks 'to the end' in shape operands).
 */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Number type of the file, e.g. `FLOAT16`. */
  readonly type: string;
  readonly data: Float32Array | Float64Array;
}

/** Names by TensorProto.DataType. */
const TYPE_NAMES = (
  'UNDEFINED FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64 COMPLEX64 COMPLEX128 ' +
  'BFLOAT16 FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ UINT4 INT4 FLOAT4E2M1'
).split(' ');

export function typeName(code: number): string {
  return TYPE_NAMES[code] ?? `type ${code}`;
}

/** True for the number types that the program computes with (as float32). */
export function isReal(type: string): boolean {
  return ['FLOAT', 'FLOAT16', 'DOUBLE', 'BFLOAT16'].includes(type);
}

/** How raw little-endian bytes of each type become numbers. */
const RAW: Readonly<Record<string, { size: number; decode: (bytes: Uint8Array) => Float32Array | Float64Array }>> = {
  FLOAT: { size: 4, decode: (bytes) => littleEndianView(bytes, Float32Array) },
  FLOAT16: { size: 2, decode: decodeFloat16 },
  BFLOAT16: { size: 2, decode: decodeBfloat16 },
  DOUBLE: { size: 8, decode: (bytes) => Float32Array.from(littleEndianView(bytes, Float64Array)) },
  INT64: { size: 8, decode: (bytes) => Float64Array.from(littleEndianView(bytes, BigInt64Array), clampInteger) },
  INT32: { size: 4, decode: (bytes) => Float64Array.from(littleEndianView(bytes, Int32Array)) },
  INT16: { size: 2, decode: (bytes) => Float64Array.from(littleEndianView(bytes, Int16Array)) },
  UINT64: { size: 8, decode: (bytes) => Float64Array.from(littleEndianView(bytes, BigUint64Array), clampInteger) },
  UINT32: { size: 4, decode: (bytes) => Float64Array.from(littleEndianView(bytes, Uint32Array)) },
  UINT16: { size: 2, decode: (bytes) => Float64Array.from(littleEndianView(bytes, Uint16Array)) },
  INT8: { size: 1, decode: (bytes) => Float64Array.from(littleEndianView(bytes, Int8Array)) },
  UINT8: { size: 1, decode: (bytes) => Float64Array.from(bytes) },
  BOOL: { size: 1, decode: (bytes) => Float64Array.from(bytes, (byte) => (byte ? 1 : 0)) },
};

function clampInteger(value: bigint): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));
}

/**
 * Reads a TensorProto, e.g. a `.pb` file of test data. Aligned float32 data is a view of the bytes.
 * Throws 'model-format', or 'model-unsupported' for other number types and data kept in a file that is not among `files`.
 */
export function readTensorProto(bytes: Uint8Array, source: Source = { file: 'tensor', bytes }, files?: ExternalFiles): OnnxTensor {
  if (source.bytes === bytes) refuseForeign(bytes, source.file);
  const dims: number[] = [];
  const integers: number[] = [];
  const floats = new ByteCollector();
  const doubles = new ByteCollector();
  let raw: Uint8Array | undefined;
  let type = 'UNDEFINED';
  let name = '';
  let isExternal = false;
  const external: ExternalReference = { location: '', offset: 0, length: undefined };
  let isSegment = false;
  readMessage(bytes, source, (field) => {
    if (field.number === 1) field.integers(dims);
    else if (field.number === 2) type = typeName(field.integer());
    else if (field.number === 3) isSegment = true;
    else if (field.number === 4) floats.add(field.fixed(4));
    else if (field.number === 5 || field.number === 7) field.integers(integers);
    else if (field.number === 8) name = field.text();
    else if (field.number === 9) raw = field.bytes();
    else if (field.number === 10) doubles.add(field.fixed(8));
    else if (field.number === 13) readExternalEntry(field.bytes(), source, external);
    else if (field.number === 14) isExternal = field.integer() === 1;
  });

  const title = `tensor ${quote(name)}`;
  const address = { file: source.file, offset: bytes.byteOffset - source.bytes.byteOffset };
  if (isSegment) throw new UnitscopeError('model-unsupported', `${title} is stored in segments`, address);
  const kind = Object.hasOwn(RAW, type) ? RAW[type] : undefined;
  if (!kind) throw new UnitscopeError('model-unsupported', `${title} holds ${type} numbers`, address);

  const count = dims.reduce((product, size) => product * size, 1);
  if (!dims.every((size) => size >= 0) || !Number.isSafeInteger(count)) {
    throw new UnitscopeError('model-format', `${title} has the shape [${dims}]`, address);
  }
  if (isExternal || external.location !== '') raw = externalData(external, count * kind.size, files, title, address);
  let data: Float32Array | Float64Array;
  if (raw) {
    if (raw.length !== count * kind.size) {
      const message = `${title}: [${dims}] ${type} needs ${count * kind.size} bytes, ${raw.length} are there`;
      throw new UnitscopeError('model-format', message, address);
    }
    data = kind.decode(raw);
  } else if (type === 'FLOAT') data = littleEndianView(floats.bytes(), Float32Array);
  else if (type === 'DOUBLE') data = Float32Array.from(littleEndianView(doubles.bytes(), Float64Array));
  else if (type === 'FLOAT16') data = Float32Array.from(integers, float16Value); // bit patterns in int32_data
  else if (type === 'BFLOAT16') data = decodeBfloat16(new Uint8Array(Uint16Array.from(integers).buffer));
  else data = Float64Array.from(integers);
  if (data.length !== count) {
    const message = `${title}: [${dims}] needs ${count} numbers, ${data.length} are there`;
    throw new UnitscopeError('model-format', message, address);
  }
  return { name, shape: dims, type, data };
}

function externalData(reference: ExternalReference, count: number, files: ExternalFiles | undefined, title: string, address: ErrorAddress): Uint8Array {
  const data = files?.read(reference, count, title, address);
  if (data) return data;
  const message = `${title} keeps its data in the file ${quote(reference.location)}`;
  throw new MissingFileError('model-unsupported', message, address, 'give that file together with the model');
}

/** True for the same numbers in the same shape. */
export function sameTensor(a: OnnxTensor, b: OnnxTensor): boolean {
  const fits = a.data.length === b.data.length && a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);
  if (!fits) return false;
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false;
  return true;
}

/** The constant as a weight: float32, with another shape of the same size if given. Undefined for integers. */
export function asWeight(tensor: OnnxTensor, shape: Shape = tensor.shape): Tensor | undefined {
  return tensor.data instanceof Float32Array ? { shape, data: tensor.data } : undefined;
}
