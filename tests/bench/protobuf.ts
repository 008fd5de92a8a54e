/**
 * Writes the protobuf wire format: a message is a list of fields, a field a list of byte pieces. Pieces are joined
 * once, at the end, so that a model with hundreds of megabytes of weights is copied once.
 */

export interface Pieces {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

const VARINT = 0;
const FIXED32 = 5;
const LENGTH_DELIMITED = 2;

/** A signed 64-bit integer as protobuf writes it: seven bits a byte, lowest first. */
export function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

const joined = (pieces: readonly Uint8Array[]): Pieces => ({ pieces, bytes: pieces.reduce((sum, { length }) => sum + length, 0) });
const tag = (number: number, type: number): Uint8Array => varint((number << 3) | type);

export const integer = (number: number, value: number | bigint): Pieces => joined([tag(number, VARINT), varint(value)]);

export const float = (number: number, value: number): Pieces =>
  joined([tag(number, FIXED32), new Uint8Array(Float32Array.of(value).buffer)]);

export const bytes = (number: number, value: Uint8Array): Pieces => joined([tag(number, LENGTH_DELIMITED), varint(value.length), value]);

export const text = (number: number, value: string): Pieces => bytes(number, new TextEncoder().encode(value));

export function message(number: number, fields: readonly Pieces[]): Pieces {
  const content = fields.flatMap(({ pieces }) => pieces);
  const length = fields.reduce((sum, field) => sum + field.bytes, 0);
  return joined([tag(number, LENGTH_DELIMITED), varint(length), ...content]);
}

/** The bytes of the outermost message. */
export function encode(fields: readonly Pieces[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(fields.reduce((sum, field) => sum + field.bytes, 0));
  let offset = 0;
  for (const piece of fields.flatMap(({ pieces }) => pieces)) {
    result.set(piece, offset);
    offset += piece.length;
  }
  return result;
}
