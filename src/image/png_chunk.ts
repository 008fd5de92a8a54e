/** The container of PNG: signature, chunks with their checksums, and the deflate stream inside. */
import { UnitscopeError } from '../errors.ts';

/** One chunk: four letters, and its bytes (a view into the file). */
export interface Chunk {
  type: string;
  data: Uint8Array;
  /** Where the chunk starts in the file, for messages. */
  offset: number;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const MAX_CHUNK = 0x7fffffff;

/** Whether the bytes begin as a PNG does. */
export function isPng(bytes: Uint8Array): boolean {
  return bytes.length >= SIGNATURE.length && SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/**
 * The chunks from IHDR to IEND, each inside the file and with the right checksum; what follows IEND is ignored.
 * Throws `image-decode` with the offset.
 */
export function readChunks(bytes: Uint8Array): Chunk[] {
  if (!isPng(bytes)) throw damaged('this is no PNG: its first eight bytes are others', 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let offset = SIGNATURE.length;
  for (;;) {
    if (offset + 12 > bytes.length) throw damaged('the PNG ends before its IEND chunk', offset);
    const length = view.getUint32(offset);
    if (length > MAX_CHUNK || length > bytes.length - offset - 12) {
      throw damaged(`a chunk of ${length} bytes reaches beyond the end of the PNG`, offset);
    }
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (!/^[A-Za-z]{4}$/.test(type)) throw damaged('a chunk has no proper name', offset);
    if (chunks.length === 0 && type !== 'IHDR') throw damaged('the PNG does not begin with IHDR', offset);
    if (crc32(bytes.subarray(offset + 4, offset + 8 + length)) !== view.getUint32(offset + 8 + length)) {
      throw damaged(`the checksum of chunk ${type} is wrong`, offset);
    }
    if (type === 'IEND') return chunks;
    chunks.push({ type, data: bytes.subarray(offset + 8, offset + 8 + length), offset });
    offset += 12 + length;
  }
}

/** A PNG file of these chunks; IEND is added. */
export function writeChunks(chunks: readonly Pick<Chunk, 'type' | 'data'>[]): Uint8Array<ArrayBuffer> {
  const all = [...chunks, { type: 'IEND', data: new Uint8Array(0) }];
  const bytes = new Uint8Array(all.reduce((sum, { data }) => sum + 12 + data.length, SIGNATURE.length));
  const view = new DataView(bytes.buffer);
  bytes.set(SIGNATURE);
  let offset = SIGNATURE.length;
  for (const { type, data } of all) {
    view.setUint32(offset, data.length);
    for (let i = 0; i < 4; i++) bytes[offset + 4 + i] = type.charCodeAt(i);
    bytes.set(data, offset + 8);
    view.setUint32(offset + 8 + data.length, crc32(bytes.subarray(offset + 4, offset + 8 + data.length)));
    offset += 12 + data.length;
  }
  return bytes;
}

/** The bytes as a zlib stream. */
export async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await pump(new CompressionStream('deflate'), bytes, (part) => parts.push(part));
  return concat(parts);
}

/**
 * The `size` bytes of a zlib stream. Never holds more than that: a stream that makes fewer or more bytes,
 * or is damaged, throws `image-decode`. `offset` is for the message.
 */
export async function inflate(bytes: Uint8Array, size: number, offset: number): Promise<Uint8Array> {
  // Deflate cannot shrink data more than 1032 times: a short stream needs no memory to be refused.
  if (size > bytes.length * 1032) throw damaged('the PNG has too little data for its size', offset);
  const result = new Uint8Array(size);
  let filled = 0;
  try {
    await pump(new DecompressionStream('deflate'), bytes, (part) => {
      if (filled + part.length > size) throw damaged('the PNG has more data than its size asks for', offset);
      result.set(part, filled);
      filled += part.length;
    });
  } catch (cause) {
    if (cause instanceof UnitscopeError) throw cause;
    throw damaged('the compressed data of the PNG is damaged', offset, cause);
  }
  if (filled < size) throw damaged(`the PNG has ${filled} bytes of rows, its size asks for ${size}`, offset);
  return result;
}

/** The `image-decode` error of a damaged or refused picture. */
export function damaged(message: string, offset: number, cause?: unknown): UnitscopeError {
  return new UnitscopeError('image-decode', message, { offset }, '', { cause });
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

async function pump(
  stream: CompressionStream | DecompressionStream,
  bytes: Uint8Array,
  take: (part: Uint8Array) => void,
): Promise<void> {
  const writer = stream.writable.getWriter();
  // The reader meets the same error; here it would only be reported as unhandled.
  writer
    .write(bytes as Uint8Array<ArrayBuffer>)
    .then(() => writer.close())
    .catch(() => undefined);
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(value);
    }
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of ISO 3309, as PNG uses it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 255] as number);
  return ~crc >>> 0;
}
