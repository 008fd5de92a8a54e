/** UTF-8 text of untrusted files. */
import { UnitscopeError } from '../errors.ts';

/** Decodes UTF-8; bytes that are no UTF-8 throw 'model-format'. A leading byte-order mark is dropped. */
export function decodeText(bytes: Uint8Array, file: string, offset = 0): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UnitscopeError('model-format', 'the text is not valid UTF-8', { file, offset }, '', { cause });
  }
}

export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The first bytes as ASCII, for recognising a file; other bytes become '.'. */
export function asciiPrefix(bytes: Uint8Array, length: number): string {
  return Array.from(bytes.subarray(0, length), (byte) =>
    (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13 ? String.fromCharCode(byte) : '.',
  ).join('');
}
