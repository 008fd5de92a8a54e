/**
 * The safetensors container: 8 bytes header length (little-endian), a JSON header
 * `{name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {..}}`, then the data without a gap.
 */
import { UnitscopeError } from '../errors.ts';
import type { Shape, Tensor } from '../network/network.ts';
import { quote } from '../network/spelling.ts';
import { refuseForeign } from './content.ts';
import { decodeBfloat16, decodeFloat16, encodeFloat16 } from '../network/float16.ts';
import { parseJson, type Json, type JsonObject } from './json.ts';
import { littleEndianView } from './numbers.ts';
import { decodeText, encodeText } from './text.ts';

/** Longest header that the reference reader takes, bytes. */
const HEADER_LIMIT = 100_000_000;
/** Most elements of one tensor. */
const ELEMENT_LIMIT = 2 ** 40;

/** Bytes per element and how to widen to float32; types without `decode` are known and refused by name. */
const TYPES: Readonly<Record<string, { size: number; decode?: (bytes: Uint8Array) => Float32Array }>> = {
  F32: { size: 4, decode: (bytes) => littleEndianView(bytes, Float32Array) },
  F16: { size: 2, decode: decodeFloat16 },
  BF16: { size: 2, decode: decodeBfloat16 },
  F64: { size: 8, decode: (bytes) => Float32Array.from(littleEndianView(bytes, Float64Array)) },
  I8: { size: 1, decode: (bytes) => Float32Array.from(littleEndianView(bytes, Int8Array)) },
  ...Object.fromEntries(['BOOL', 'U8', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0'].map((name) => [name, { size: 1 }])),
  ...Object.fromEntries(['I16', 'U16'].map((name) => [name, { size: 2 }])),
  ...Object.fromEntries(['I32', 'U32'].map((name) => [name, { size: 4 }])),
  ...Object.fromEntries(['I64', 'U64', 'C64'].map((name) => [name, { size: 8 }])),
};

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A file whose header is checked and whose numbers are not converted yet. */
export interface OpenSafetensors {
  /** Number type (as the format calls it) and shape of every tensor, in the order of the header. */
  readonly entries: ReadonlyMap<string, { readonly type: string; readonly shape: Shape }>;
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * One tensor as float32: a view of the file where it lies there as such, aligned; a copy otherwise.
   * Throws 'model-unsupported' (number type, by name).
   */
  read(name: string): Tensor;
}

/** The number types that can be read, for messages. */
export const READABLE_TYPES = 'F32, F16, BF16, F64 and I8';

/** True for number types that can be read. */
export const isReadable = (type: string): boolean => TYPES[type]?.decode !== undefined;

interface Entry {
  name: string;
  type: string;
  shape: Shape;
  begin: number;
  end: number;
}

export interface ReadSafetensorsOptions {
  /** File name for error addresses. */
  file?: string;
  /** Which tensors to convert; the others are checked but neither converted nor refused for their type. */
  only?: (name: string) => boolean;
}

/** Checks the header. Throws 'model-format' (header and data contradict each other). */
export function openSafetensors(bytes: Uint8Array, file = 'safetensors'): OpenSafetensors {
  refuseForeign(bytes, file);
  const { header, dataStart } = readHeader(bytes, file);
  const dataLength = bytes.length - dataStart;
  const metadata = new Map<string, string>();
  const entries = new Map<string, Entry>();
  for (const [name, value] of header) {
    if (name === '__metadata__') readMetadata(value, metadata, file);
    else entries.set(name, readEntry(name, value, dataLength, file));
  }
  checkCoverage([...entries.values()], dataLength, dataStart, file);
  const read = (name: string): Tensor => {
    const { type, shape, begin, end } = entries.get(name)!;
    const { decode } = TYPES[type]!;
    if (!decode) {
      const message = `tensor ${quote(name)} holds ${type} numbers`;
      throw new UnitscopeError('model-unsupported', message, { file, offset: dataStart + begin }, `${READABLE_TYPES} can be read`);
    }
    return { shape, data: decode(bytes.subarray(dataStart + begin, dataStart + end)) };
  };
  return { entries, metadata, read };
}

/**
 * Reads all tensors as float32. F32 data that lies aligned is a view of `bytes`, not a copy.
 * Throws 'model-format' (header and data contradict each other) or 'model-unsupported' (number type, by name).
 */
export function readSafetensors(bytes: Uint8Array, { file, only }: ReadSafetensorsOptions = {}): Safetensors {
  const { entries, metadata, read } = openSafetensors(bytes, file);
  const names = [...entries.keys()].filter((name) => only?.(name) ?? true);
  return { tensors: new Map(names.map((name) => [name, read(name)])), metadata };
}

/**
 * How many bytes should stand before a file in memory so that its numbers lie aligned and are not copied: the header may
 * have any length. 0 for files of another kind. @param start the first bytes of the file
 */
export function roomBefore(start: Uint8Array): number {
  if (!looksLikeSafetensors(start)) return 0;
  return (8 - (start[0]! % 8)) % 8; // the data begins at 8 + length, and 8 divides all bytes of the length but the first
}

/** True for an 8-byte length below the header limit, then an opening brace. */
export function looksLikeSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 9 && bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0 && bytes[5] === 0 && bytes[4] === 0;
}

function fault(message: string, file: string, offset: number): UnitscopeError {
  return new UnitscopeError('model-format', message, { file, offset });
}

function readHeader(bytes: Uint8Array, file: string): { header: JsonObject; dataStart: number } {
  if (bytes.length < 8) throw fault(`the file is cut: ${bytes.length} of at least 10 bytes are there`, file, bytes.length);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(HEADER_LIMIT)) {
    throw fault(`the header claims ${length} bytes; at most ${HEADER_LIMIT} are allowed`, file, 0);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > bytes.length) {
    throw fault(`the file is cut: the header ends at byte ${dataStart}, the file at ${bytes.length}`, file, bytes.length);
  }
  if (bytes[8] !== 0x7b) throw fault("the header does not begin with '{'", file, 8);
  const header = parseJson(decodeText(bytes.subarray(8, dataStart), file, 8), file, 8);
  if (!(header instanceof Map)) throw fault('the header is no JSON object', file, 8);
  return { header, dataStart };
}

function readMetadata(value: Json, metadata: Map<string, string>, file: string): void {
  if (!(value instanceof Map)) throw fault('__metadata__ is no JSON object', file, 8);
  for (const [key, text] of value) {
    if (typeof text !== 'string') throw fault(`__metadata__ ${quote(key)} is no text`, file, 8);
    metadata.set(key, text);
  }
}

function readEntry(name: string, value: Json, dataLength: number, file: string): Entry {
  const title = `tensor ${quote(name)}`;
  if (!(value instanceof Map)) throw fault(`${title} is no JSON object`, file, 8);
  for (const key of value.keys()) {
    if (!['dtype', 'shape', 'data_offsets'].includes(key)) throw fault(`${title} has the unknown key ${quote(key)}`, file, 8);
  }
  const type = value.get('dtype');
  if (typeof type !== 'string') throw fault(`${title} has no dtype`, file, 8);
  const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (!known) {
    const message = `${title} has the unknown number type ${quote(type)}`;
    throw new UnitscopeError('model-unsupported', message, { file }, `${READABLE_TYPES} can be read`);
  }
  const shape = sizes(value.get('shape'), `${title}, shape`, file);
  const offsets = sizes(value.get('data_offsets'), `${title}, data_offsets`, file);
  if (offsets.length !== 2) throw fault(`${title}, data_offsets: two numbers are needed`, file, 8);
  const [begin, end] = offsets as [number, number];

  let count = 1;
  for (const size of shape) {
    if (size !== 0 && count > ELEMENT_LIMIT / size) throw fault(`${title} of shape [${shape}] is too large`, file, 8);
    count *= size;
  }
  if (end < begin || end > dataLength) {
    const message = `${title} lies at bytes ${begin} to ${end}, the data has ${dataLength}: the file is cut or wrong`;
    throw fault(message, file, 8);
  }
  if (count * known.size !== end - begin) {
    throw fault(`${title}: [${shape}] ${type} needs ${count * known.size} bytes, data_offsets give ${end - begin}`, file, 8);
  }
  return { name, type, shape, begin, end };
}

function sizes(value: Json | undefined, title: string, file: string): number[] {
  if (!Array.isArray(value)) throw fault(`${title}: a list of numbers is needed`, file, 8);
  return (value as readonly Json[]).map((size) => {
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size;
    const shown = typeof size === 'string' ? quote(size) : String(size);
    throw fault(`${title}: ${shown} is no whole number from 0 to 2^53 - 1`, file, 8);
  });
}

/** The tensors must cover the data exactly once: no overlap, no hole, nothing behind. */
function checkCoverage(entries: readonly Entry[], dataLength: number, dataStart: number, file: string): void {
  let covered = 0;
  let previous = 'the header';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered) throw fault(`tensors ${previous} and ${quote(name)} overlap`, file, dataStart + begin);
    if (begin > covered) {
      throw fault(`${begin - covered} bytes between ${previous} and ${quote(name)} belong to no tensor`, file, dataStart + covered);
    }
    covered = end;
    previous = quote(name);
  }
  if (covered < dataLength) {
    throw fault(`${dataLength - covered} bytes behind ${previous} belong to no tensor`, file, dataStart + covered);
  }
}

export type Precision = 'f32' | 'f16';

/**
 * Writes tensors in the given order, data aligned to 8 bytes. With 'f16' a tensor that has finite numbers
 * beyond the range of binary16 stays F32, so that no weight becomes infinite.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  precision: Precision = 'f32',
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const header: [string, unknown][] = [];
  if (metadata.size > 0) header.push(['__metadata__', Object.fromEntries(metadata)]);
  const parts: Uint8Array[] = [];
  let begin = 0;
  for (const [name, { shape, data }] of tensors) {
    if (name === '__metadata__') throw new UnitscopeError('usage', "a tensor cannot be called '__metadata__'");
    const narrow = precision === 'f16' && data.every((value) => !(Math.abs(value) >= 65520 && Number.isFinite(value)));
    const part = narrow ? encodeFloat16(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    parts.push(part);
    header.push([name, { dtype: narrow ? 'F16' : 'F32', shape, data_offsets: [begin, begin + part.length] }]);
    begin += part.length;
  }
  // fromEntries defines keys one by one, so that a tensor called __proto__ stays a tensor.
  const text = encodeText(JSON.stringify(Object.fromEntries(header)));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + begin).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  let offset = 8 + headerLength;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
