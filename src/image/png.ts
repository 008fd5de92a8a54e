/**
 * PNG files that carry text: what we write, and the text that we find. Pixels are read in png_decode.ts.
 * Source: Portable Network Graphics (PNG) Specification, W3C.
 */
import { UnitscopeError } from '../errors.ts';
import type { Image } from './image.ts';
import { checkImage, isOpaque } from './image.ts';
import { damaged, deflate, readChunks, writeChunks } from './png_chunk.ts';
import { filterRows } from './png_filter.ts';

export { decodePng } from './png_decode.ts';
export { isPng } from './png_chunk.ts';

const GRAY = 0;
const RGB = 2;
const RGBA = 6;

/**
 * A lossless PNG of 8 bits (gray, RGB or RGBA, whichever suffices) with one iTXt chunk, in UTF-8, per entry of `text`.
 * Throws `usage` for a keyword that PNG does not allow (1 to 79 Latin-1 characters, no space at the ends).
 */
export async function encodePng(image: Image, text: Readonly<Record<string, string>> = {}): Promise<Uint8Array<ArrayBuffer>> {
  checkImage(image);
  const texts = Object.entries(text).map(([keyword, value]) => ({ type: 'iTXt', data: textChunk(keyword, value) }));
  const colorType = !isOpaque(image) ? RGBA : isGray(image) ? GRAY : RGB;
  const step = { [GRAY]: 1, [RGB]: 3, [RGBA]: 4 }[colorType];

  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, image.width);
  view.setUint32(4, image.height);
  header.set([8, colorType], 8);

  const rows = new Uint8Array(image.width * image.height * step);
  for (let i = 0, o = 0; o < rows.length; i += 4, o += step) {
    for (let c = 0; c < step; c++) rows[o + c] = image.data[i + c] as number;
  }
  const data = await deflate(filterRows(rows, image.width * step, step));
  // Text before pixels: whoever looks for a recipe finds it at the front of the file.
  return writeChunks([{ type: 'IHDR', data: header }, ...texts, { type: 'IDAT', data }]);
}

/**
 * The texts of a PNG by keyword: iTXt and tEXt; compressed texts are passed over, the last of equal keywords counts.
 * The pixels are not decoded. Throws `image-decode` for a damaged file.
 */
export function readPngText(bytes: Uint8Array): Record<string, string> {
  const found: [string, string][] = [];
  for (const { type, data, offset } of readChunks(bytes)) {
    if (type !== 'iTXt' && type !== 'tEXt') continue;
    const end = data.indexOf(0);
    if (end < 1 || end > 79) throw damaged(`the keyword of a ${type} chunk is missing or too long`, offset);
    const keyword = latin1(data.subarray(0, end));
    if (type === 'tEXt') {
      found.push([keyword, latin1(data.subarray(end + 1))]);
      continue;
    }
    // Flag and method of compression, then language and translated keyword, each ended by a 0.
    const languageEnd = data.indexOf(0, end + 3);
    const translatedEnd = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1);
    if (translatedEnd < 0) throw damaged('an iTXt chunk ends before its text', offset);
    if (data[end + 1] !== 0) continue;
    try {
      found.push([keyword, new TextDecoder('utf-8', { fatal: true }).decode(data.subarray(translatedEnd + 1))]);
    } catch (cause) {
      throw damaged(`the text '${keyword}' is no UTF-8`, offset, cause);
    }
  }
  // fromEntries defines keys, so that a keyword __proto__ stays a mere key.
  return Object.fromEntries(found);
}

function textChunk(keyword: string, text: string): Uint8Array {
  if (!/^[\x21-\x7e\xa1-\xff](?:[\x20-\x7e\xa1-\xff]{0,77}[\x21-\x7e\xa1-\xff])?$/.test(keyword)) {
    throw new UnitscopeError('usage', `'${keyword}' is no keyword of a PNG text`, {}, '1 to 79 Latin-1 characters');
  }
  if (text.includes('\0')) throw new UnitscopeError('usage', `the PNG text '${keyword}' contains a zero character`);
  const encoded = new TextEncoder().encode(text);
  const chunk = new Uint8Array(keyword.length + 5 + encoded.length);
  for (let i = 0; i < keyword.length; i++) chunk[i] = keyword.charCodeAt(i);
  chunk.set(encoded, keyword.length + 5);
  return chunk;
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

function isGray({ data }: Image): boolean {
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  }
  return true;
}
