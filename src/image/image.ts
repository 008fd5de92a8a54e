/**
 * Pictures in memory and their geometry: cutting, scaling, laying over a colour.
 * It decodes no file format (see png.ts) and knows nothing of networks (see preprocess.ts).
 */
import { UnitscopeError } from '../errors.ts';

/** 8 bit sRGB, four bytes a pixel (RGBA), alpha not multiplied in, rows from the top. A browser's ImageData is one. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** Red, green, blue in 0..255. */
export type Color = readonly [number, number, number];

/** No picture that we read or compose has more pixels than this (256 MiB of RGBA). */
export const MAX_PIXELS = 64 * 1024 * 1024;

/** A rectangle of source pixels; fractions are allowed. */
interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A blank picture (all bytes 0, or one opaque colour). Throws `usage` for a size that is no size. */
export function createImage(width: number, height: number, color?: Color): Image {
  checkSize(width, height);
  const data = new Uint8ClampedArray(width * height * 4);
  if (color) {
    for (let i = 0; i < data.length; i += 4) {
      data[i] = color[0];
      data[i + 1] = color[1];
      data[i + 2] = color[2];
      data[i + 3] = 255;
    }
  }
  return { width, height, data };
}

/** Throws `usage` unless the bytes fit the size. */
export function checkImage(image: Image): void {
  checkSize(image.width, image.height);
  if (image.data.length !== image.width * image.height * 4) {
    throw new UnitscopeError(
      'usage',
      `an image of ${image.width} x ${image.height} needs ${image.width * image.height * 4} bytes of RGBA, got ${image.data.length}`,
    );
  }
}

/**
 * The picture at exactly `width` x `height`. `crop` scales the shorter side and cuts the centre, `stretch`
 * scales both sides. A picture that has that size already comes back untouched (the same object).
 */
export function fitImage(image: Image, width: number, height: number, fit: 'crop' | 'stretch'): Image {
  checkImage(image);
  checkSize(width, height);
  if (image.width === width && image.height === height) return image;
  if (fit === 'stretch') return resample(image, width, height, wholeOf(image));
  const scale = Math.min(image.width / width, image.height / height);
  const box = { left: 0, top: 0, width: width * scale, height: height * scale };
  box.left = (image.width - box.width) / 2;
  box.top = (image.height - box.height) / 2;
  return resample(image, width, height, box);
}

/** A copy of a rectangle; what lies outside the picture is transparent black. */
export function cropImage(image: Image, left: number, top: number, width: number, height: number): Image {
  checkImage(image);
  const result = createImage(width, height);
  const from = Math.max(0, left);
  const to = Math.min(image.width, left + width);
  for (let y = Math.max(0, top); y < Math.min(image.height, top + height) && from < to; y++) {
    const row = image.data.subarray((y * image.width + from) * 4, (y * image.width + to) * 4);
    result.data.set(row, ((y - top) * width + from - left) * 4);
  }
  return result;
}

/** Every pixel repeated `factor` x `factor` times, so that small maps can be seen. */
export function enlarge(image: Image, factor: number): Image {
  checkImage(image);
  if (!Number.isInteger(factor) || factor < 1) {
    throw new UnitscopeError('usage', `the enlargement must be a whole number from 1 on, got ${factor}`);
  }
  if (factor === 1) return image;
  const result = createImage(image.width * factor, image.height * factor);
  const source = new Uint32Array(image.data.slice().buffer);
  const target = new Uint32Array(result.data.buffer);
  for (let y = 0, i = 0; y < result.height; y++) {
    const row = Math.floor(y / factor) * image.width;
    for (let x = 0; x < image.width; x++, i += factor) target.fill(source[row + x] ?? 0, i, i + factor);
  }
  return result;
}

/** The picture laid over an opaque colour. An opaque picture comes back untouched (the same object). */
export function overColor(image: Image, color: Color): Image {
  checkImage(image);
  if (isOpaque(image)) return image;
  const data = new Uint8ClampedArray(image.data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = (image.data[i + 3] ?? 0) / 255;
    for (let c = 0; c < 3; c++) data[i + c] = (image.data[i + c] ?? 0) * alpha + (color[c] ?? 0) * (1 - alpha);
    data[i + 3] = 255;
  }
  return { width: image.width, height: image.height, data };
}

/** Whether every alpha is 255. */
export function isOpaque(image: Image): boolean {
  for (let i = 3; i < image.data.length; i += 4) if (image.data[i] !== 255) return false;
  return true;
}

/** Throws `usage` unless both are positive whole numbers whose product stays within MAX_PIXELS. */
export function checkSize(width: number, height: number): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new UnitscopeError('usage', `an image needs a positive whole width and height, got ${width} x ${height}`);
  }
  if (width * height > MAX_PIXELS) {
    throw new UnitscopeError('usage', `${width} x ${height} pixels are more than the ${MAX_PIXELS} that are allowed`);
  }
}

function wholeOf(image: Image): Box {
  return { left: 0, top: 0, width: image.width, height: image.height };
}

/**
 * Separable scaling with a triangle filter: bilinear where the picture grows, and as wide as the
 * reduction where it shrinks, so that every source pixel counts. It works on the sRGB values as they are
 * (as the pipelines do that networks are trained with) and weighs colours by their alpha.
 */
function resample(image: Image, width: number, height: number, box: Box): Image {
  const columns = triangleTaps(image.width, box.left, box.width, width);
  const rows = triangleTaps(image.height, box.top, box.height, height);
  const firstRow = rows[0]?.first ?? 0;
  const last = rows[height - 1];
  const rowCount = last ? last.first + last.weights.length - firstRow : 0;

  const narrow = new Float32Array(rowCount * width * 4);
  for (let y = 0; y < rowCount; y++) {
    const row = (firstRow + y) * image.width * 4;
    for (let x = 0; x < width; x++) {
      const { first, weights } = columns[x] as Taps;
      let r = 0;
      let g = 0;
      let b = 0;
      let a = 0;
      for (let k = 0, i = row + first * 4; k < weights.length; k++, i += 4) {
        const weight = (weights[k] as number) * (image.data[i + 3] as number);
        r += weight * (image.data[i] as number);
        g += weight * (image.data[i + 1] as number);
        b += weight * (image.data[i + 2] as number);
        a += weight;
      }
      narrow.set([r, g, b, a], (y * width + x) * 4);
    }
  }

  const result = createImage(width, height);
  for (let y = 0; y < height; y++) {
    const { first, weights } = rows[y] as Taps;
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0, 0];
      for (let k = 0; k < weights.length; k++) {
        const i = ((first - firstRow + k) * width + x) * 4;
        for (let c = 0; c < 4; c++) sum[c] = (sum[c] as number) + (weights[k] as number) * (narrow[i + c] as number);
      }
      const alpha = sum[3] as number;
      const o = (y * width + x) * 4;
      if (alpha > 0) for (let c = 0; c < 3; c++) result.data[o + c] = (sum[c] as number) / alpha;
      result.data[o + 3] = alpha;
    }
  }
  return result;
}

/** The source pixels that one target pixel reads, and their weights, which add up to 1. */
interface Taps {
  first: number;
  weights: Float64Array;
}

/** Taps of a triangle filter that scales `length` source pixels from `start` on to `count` target pixels. */
function triangleTaps(available: number, start: number, length: number, count: number): Taps[] {
  const scale = length / count;
  const support = Math.max(scale, 1);
  return Array.from({ length: count }, (_, i) => {
    const centre = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(available, Math.floor(centre + support + 0.5));
    const weights = Float64Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / support),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}
