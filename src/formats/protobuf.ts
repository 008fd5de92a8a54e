/**
 * Protobuf messages of untrusted files, field by field, without a generated schema. Lengths and nesting are
 * bounded by the wire reader; bytes are views of the file, never copies.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { UnitscopeError } from '../errors.ts';
import { Budget } from './budget.ts';

/** The whole file, for addresses of errors. */
export interface Source {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** An object for a message, with what its reader keeps of it; a number of a list. */
const MESSAGE_BYTES = 200;
const NUMBER_BYTES = 16;

/** One for each file, however its messages nest. */
const budgets = new WeakMap<Source, Budget>();

function budgetOf(source: Source): Budget {
  const budget = budgets.get(source) ?? new Budget(source.file, source.bytes.length);
  budgets.set(source, budget);
  return budget;
}

/** Largest file that the wire reader's 32-bit positions can address. */
const FILE_LIMIT = 2 ** 31 - 1;

/**
 * Calls `visit` once per field of the message; a field that `visit` does not read is skipped.
 * Throws 'model-format' with the byte offset in the file when the bytes are no message.
 */
export function readMessage(message: Uint8Array, source: Source, visit: (field: Field) => void): void {
  const offset = (position: number): number => message.byteOffset - source.bytes.byteOffset + position;
  if (source.bytes.length > FILE_LIMIT) {
    throw new UnitscopeError('model-unsupported', 'a protobuf file over 2 GiB cannot be read', { file: source.file });
  }
  const budget = budgetOf(source);
  budget.take(MESSAGE_BYTES);
  const reader = new BinaryReader(message);
  let start = 0;
  try {
    while (reader.pos < reader.len) {
      start = reader.pos;
      const [number, type] = reader.tag();
      const field = new Field(number, type, reader, budget);
      visit(field);
      if (!field.wasRead) reader.skip(type, number);
    }
  } catch (cause) {
    if (cause instanceof UnitscopeError) throw cause;
    const cut = cause instanceof RangeError;
    const detail = cause instanceof Error ? cause.message : String(cause);
    const text = cut ? 'the file is cut or wrong: a field goes beyond its end' : `the file is broken: ${detail}`;
    throw new UnitscopeError('model-format', text, { file: source.file, offset: offset(start) }, '', { cause });
  }
}

/** One field, valid only inside the visit. A wire type that does not fit the asked value throws. */
export class Field {
  wasRead = false;
  readonly number: number;
  readonly type: WireType;
  private readonly reader: BinaryReader;
  private readonly budget: Budget;

  constructor(number: number, type: WireType, reader: BinaryReader, budget: Budget) {
    this.budget = budget;
    this.number = number;
    this.type = type;
    this.reader = reader;
  }

  private expect(type: WireType): BinaryReader {
    if (this.type !== type) throw new Error(`field ${this.number} has the wire type ${this.type} instead of ${type}`);
    this.wasRead = true;
    return this.reader;
  }

  /** A view of the file's bytes: a sub-message, raw data or packed numbers. */
  bytes(): Uint8Array {
    return this.expect(WireType.LengthDelimited).bytes();
  }

  text(): string {
    const text = this.expect(WireType.LengthDelimited).string();
    this.budget.take(NUMBER_BYTES + 2 * text.length);
    return text;
  }

  /** int32, int64, enum or bool; beyond 2^53 the nearest safe integer (files write 2^63 - 1 for 'to the end'). */
  integer(): number {
    return safeInteger(this.expect(WireType.Varint));
  }

  float(): number {
    return this.expect(WireType.Bit32).float();
  }

  /** Appends the integers of a repeated field, packed or single. */
  integers(into: number[]): void {
    if (this.type !== WireType.LengthDelimited) {
      this.budget.take(NUMBER_BYTES);
      into.push(this.integer());
      return;
    }
    const packed = new BinaryReader(this.bytes());
    this.budget.take(NUMBER_BYTES * packed.len); // at most one for each byte
    while (packed.pos < packed.len) into.push(safeInteger(packed));
  }

  /** The bytes of a repeated fixed-width field: all packed numbers, or the single one. */
  fixed(width: 4 | 8): Uint8Array {
    if (this.type === WireType.LengthDelimited) return this.bytes();
    this.expect(width === 4 ? WireType.Bit32 : WireType.Bit64);
    return this.reader.skip(this.type, this.number);
  }
}

function safeInteger(reader: BinaryReader): number {
  const value = BigInt(reader.int64());
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > limit ? limit : value < -limit ? -limit : value);
}

/** Collects the bytes of a repeated fixed-width field; one packed chunk stays a view. */
export class ByteCollector {
  private whole: Uint8Array | undefined;
  private buffer = new Uint8Array(0);
  private length = 0;

  add(chunk: Uint8Array): void {
    if (!this.whole && this.length === 0) {
      this.whole = chunk;
      return;
    }
    if (this.whole) {
      const first = this.whole;
      this.whole = undefined;
      this.append(first);
    }
    this.append(chunk);
  }

  private append(chunk: Uint8Array): void {
    if (this.length + chunk.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(1024, 2 * (this.length + chunk.length)));
      larger.set(this.buffer.subarray(0, this.length));
      this.buffer = larger;
    }
    this.buffer.set(chunk, this.length);
    this.length += chunk.length;
  }

  bytes(): Uint8Array {
    return this.whole ?? this.buffer.subarray(0, this.length);
  }
}
