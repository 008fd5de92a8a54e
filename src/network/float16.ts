/** 16-bit floating point, IEEE 754 binary16 and bfloat16, from and to float32. Bytes are little-endian. */

/** Float32 value of each of the 65,536 binary16 patterns, made on first use (256 KiB). */
let float16Table: Float32Array | undefined;

function float16Values(): Float32Array {
  if (float16Table) return float16Table;
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0x1f) table[bits] = fraction ? NaN : sign * Infinity;
    else if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else table[bits] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return (float16Table = table);
}

/** Float32 value of one binary16 pattern. */
export function float16Value(bits: number): number {
  return float16Values()[bits & 0xffff]!;
}

/** Widens binary16 numbers; exact. */
export function decodeFloat16(bytes: Uint8Array): Float32Array {
  const table = float16Values();
  const values = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < values.length; i++) values[i] = table[bytes[2 * i]! | (bytes[2 * i + 1]! << 8)]!;
  return values;
}

/** Widens bfloat16 numbers (the upper half of a float32); exact. */
export function decodeBfloat16(bytes: Uint8Array): Float32Array {
  const patterns = new Uint32Array(bytes.length >> 1);
  for (let i = 0; i < patterns.length; i++) patterns[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
  return new Float32Array(patterns.buffer);
}

/** Narrows to binary16: to nearest, ties to even; beyond 65,504 becomes infinity. */
export function encodeFloat16(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const bits = float16Bits(values[i]!);
    bytes[2 * i] = bits & 0xff;
    bytes[2 * i + 1] = bits >> 8;
  }
  return bytes;
}

/** Binary16 pattern nearest to a number. */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00; // half-way between 65,504 and the next step rounds up
  if (size < 2 ** -14) return sign | roundHalfEven(size * 2 ** 24);
  const exponent = Math.min(15, Math.floor(Math.log2(size)));
  // 1024..2048 steps above 2^exponent; a carry to 2048 moves into the exponent field by itself.
  const steps = roundHalfEven(size * 2 ** (10 - exponent));
  return sign | (((exponent + 14) << 10) + steps);
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
