/** Reads PNG pixels exactly. Source: Portable Network Graphics (PNG) Specification, W3C. */
import { UnitscopeError } from '../errors.ts';
import type { Image } from './image.ts';
import { createImage, MAX_PIXELS } from './image.ts';
import type { Chunk } from './png_chunk.ts';
import { concat, damaged, inflate, readChunks } from './png_chunk.ts';
import { unfilterRows } from './png_filter.ts';

/** Colour types of IHDR: how many samples a pixel has, and how many bits a sample may have. */
const COLOR_TYPES: Readonly<Record<number, { samples: number; depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] }, // gray
  2: { samples: 3, depths: [8, 16] }, // RGB
  3: { samples: 1, depths: [1, 2, 4, 8] }, // palette
  4: { samples: 2, depths: [8, 16] }, // gray, alpha
  6: { samples: 4, depths: [8, 16] }, // RGBA
};
const PALETTE = 3;

interface Header {
  width: number;
  height: number;
  depth: number;
  colorType: number;
  samples: number;
}

/**
 * The pixels of a PNG as they are stored: colour profiles and gamma are not applied, 16 bits are rounded to 8.
 * Throws `image-decode` for whatever is damaged, interlaced, or larger than MAX_PIXELS (before it takes memory).
 */
export async function decodePng(bytes: Uint8Array): Promise<Image> {
  const chunks = readChunks(bytes);
  const header = readHeader(chunks[0] as Chunk);
  const { width, height, depth, samples } = header;
  const data = chunks.filter(({ type }) => type === 'IDAT');
  const offset = data[0]?.offset ?? 0;
  if (data.length === 0) throw damaged('the PNG has no picture data', bytes.length);

  const stride = Math.ceil((width * samples * depth) / 8);
  const rows = await inflate(concat(data.map((chunk) => chunk.data)), height * (stride + 1), offset);
  unfilterRows(rows, stride, Math.max(1, (samples * depth) >> 3), offset);

  const image = createImage(width, height, [0, 0, 0]);
  const write = pixelWriter(header, chunks, image.data);
  const row = new Uint16Array(width * samples);
  for (let y = 0; y < height; y++) {
    unpackSamples(rows.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)), depth, row);
    for (let x = 0; x < width; x++) write(row, x * samples, (y * width + x) * 4);
  }
  return image;
}

function readHeader({ data, offset }: Chunk): Header {
  if (data.length !== 13) throw damaged(`IHDR has ${data.length} bytes instead of 13`, offset);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  const depth = view.getUint8(8);
  const colorType = view.getUint8(9);
  if (width === 0 || height === 0) throw damaged(`the PNG is ${width} x ${height} pixels`, offset);
  if (width * height > MAX_PIXELS) {
    throw damaged(`the PNG of ${width} x ${height} pixels is larger than the ${MAX_PIXELS} that are read`, offset);
  }
  const kind = COLOR_TYPES[colorType];
  if (!kind?.depths.includes(depth)) {
    throw damaged(`the PNG has colour type ${colorType} with ${depth} bits, which does not exist`, offset);
  }
  if (view.getUint8(10) !== 0 || view.getUint8(11) !== 0 || view.getUint8(12) > 1) {
    throw damaged('the PNG uses a compression, filter or interlacing that does not exist', offset);
  }
  if (view.getUint8(12) === 1) {
    throw new UnitscopeError('image-decode', 'interlaced PNG is not read', { offset }, 'save it without interlacing');
  }
  return { width, height, depth, colorType, samples: kind.samples };
}

/** The numbers of one row; 1, 2 and 4 bit samples are packed from the high end of each byte. */
function unpackSamples(row: Uint8Array, depth: number, samples: Uint16Array): void {
  for (let i = 0; i < samples.length; i++) {
    if (depth === 8) samples[i] = row[i] as number;
    else if (depth === 16) samples[i] = ((row[2 * i] as number) << 8) | (row[2 * i + 1] as number);
    else {
      const bit = i * depth;
      samples[i] = ((row[bit >> 3] as number) >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
  }
}

/** A function that turns the samples at `i` into the RGBA bytes at `o`. */
function pixelWriter(
  { depth, colorType, samples }: Header,
  chunks: readonly Chunk[],
  rgba: Uint8ClampedArray,
): (row: Uint16Array, i: number, o: number) => void {
  const transparency = chunks.find(({ type }) => type === 'tRNS');
  if (colorType === PALETTE) return paletteWriter(chunks, transparency, rgba);

  const scale = 255 / (2 ** depth - 1);
  const colors = samples < 3 ? 1 : 3;
  const hidden = transparency && samples === colors ? transparentColor(transparency, colors) : undefined;
  return (row, i, o) => {
    for (let c = 0; c < 3; c++) rgba[o + c] = (row[i + (colors === 1 ? 0 : c)] as number) * scale;
    if (samples > colors) rgba[o + 3] = (row[i + colors] as number) * scale;
    else if (hidden?.every((value, c) => row[i + c] === value)) rgba[o + 3] = 0;
  };
}

/** The one colour that tRNS declares transparent, in the samples' own scale. */
function transparentColor({ data, offset }: Chunk, colors: number): number[] {
  if (data.length !== 2 * colors) throw damaged(`tRNS has ${data.length} bytes instead of ${2 * colors}`, offset);
  return Array.from({ length: colors }, (_, c) => ((data[2 * c] as number) << 8) | (data[2 * c + 1] as number));
}

function paletteWriter(
  chunks: readonly Chunk[],
  transparency: Chunk | undefined,
  rgba: Uint8ClampedArray,
): (row: Uint16Array, i: number, o: number) => void {
  const palette = chunks.find(({ type }) => type === 'PLTE');
  if (!palette) throw damaged('the PNG has no palette', 0);
  const { data: colors, offset } = palette;
  if (colors.length === 0 || colors.length % 3 !== 0 || colors.length > 768) {
    throw damaged(`the palette of the PNG has ${colors.length} bytes`, offset);
  }
  return (row, i, o) => {
    const entry = row[i] as number;
    if (entry * 3 >= colors.length) throw damaged(`a pixel asks for palette entry ${entry}, which is not there`, offset);
    for (let c = 0; c < 3; c++) rgba[o + c] = colors[entry * 3 + c] as number;
    rgba[o + 3] = transparency?.data[entry] ?? 255;
  };
}
