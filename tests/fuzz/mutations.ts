/** Damage to bytes: overwritten, flipped, inserted, removed, repeated, exchanged; also numbers that are set to extremes. */
import fc from 'fast-check';

const KINDS = ['set', 'flip', 'insert', 'remove', 'repeat', 'number', 'digits', 'word'] as const;

export interface Damage {
  readonly kind: (typeof KINDS)[number];
  readonly at: number;
  readonly value: number;
  readonly length: number;
}

/** 32-bit patterns that break sums and products: 0, 1, -1, the ends of int32, infinity, NaN, a large size. */
const EXTREMES = [0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 0x7f800000, 0x7fc00000, 0x00100000] as const;
const DIGITS = ['0', '-1', '1000000', '4294967296', '9007199254740993', '1e999', '0.5', 'null', '{}', '[]', '""'] as const;

export const damages = fc.array(
  fc.record<Damage>({
    kind: fc.constantFrom(...KINDS),
    at: fc.nat(),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255)),
    length: fc.integer({ min: 1, max: 24 }),
  }),
  { minLength: 1, maxLength: 5 },
);

/** @param reach only so many bytes from the start on are hit: where the rest is plain numbers */
export function damaged(bytes: Uint8Array, list: readonly Damage[], reach = bytes.length): Uint8Array {
  return list.reduce((result, damage) => apply(result, damage, reach), bytes);
}

function apply(bytes: Uint8Array, { kind, at, value, length }: Damage, reach: number): Uint8Array {
  const position = at % Math.max(1, Math.min(reach, bytes.length));
  const copy = bytes.slice();
  const around = (middle: Uint8Array, skip: number): Uint8Array => joined(bytes.subarray(0, position), middle, bytes.subarray(position + skip));
  switch (kind) {
    case 'set':
      copy[position] = value;
      return copy;
    case 'flip':
      copy[position]! ^= 1 << (value % 8);
      return copy;
    case 'insert':
      return around(new Uint8Array(length).fill(value), 0);
    case 'remove':
      return around(new Uint8Array(0), length);
    case 'repeat':
      return around(bytes.slice(position, position + length), 0);
    case 'number':
      if (position + 4 <= copy.length) new DataView(copy.buffer).setUint32(position, EXTREMES[value % EXTREMES.length]!, true);
      return copy;
    case 'digits':
      return replaceRun(bytes, position, /[0-9]/, DIGITS[value % DIGITS.length]!);
    case 'word':
      return replaceRun(bytes, position, /[A-Za-z_]/, value % 2 ? '__proto__' : 'constructor');
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The first run of such letters from a position on, written over by another text. */
function replaceRun(bytes: Uint8Array, position: number, letter: RegExp, text: string): Uint8Array {
  const is = (index: number): boolean => index < bytes.length && letter.test(String.fromCharCode(bytes[index]!));
  let begin = position;
  while (begin < bytes.length && !is(begin)) begin++;
  let end = begin;
  while (is(end)) end++;
  return joined(bytes.subarray(0, begin), new TextEncoder().encode(text), bytes.subarray(end));
}
