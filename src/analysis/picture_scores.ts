/** Numbers by which the pictures of a search are compared. */

/** 8-bit RGBA, rows from the top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/**
 * How much a picture varies from pixel to pixel: the mean of |difference| over all pairs of neighbours, beside and below each
 * other, and over R, G and B; in levels. 0 for a single pixel.
 */
export function totalVariation({ width, height, data }: Pixels): number {
  const pairs = width * (height - 1) + (width - 1) * height;
  if (pairs === 0) return 0;
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const at = 4 * (y * width + x) + c;
        if (x + 1 < width) sum += Math.abs(data[at + 4]! - data[at]!);
        if (y + 1 < height) sum += Math.abs(data[at + 4 * width]! - data[at]!);
      }
    }
  }
  return sum / (3 * pairs);
}

/** Share of the pixels whose R, G and B all lie within `levels` of a colour. */
export function shareNear({ width, height, data }: Pixels, color: ArrayLike<number>, levels: number): number {
  let near = 0;
  for (let at = 0; at < 4 * width * height; at += 4) {
    if ([0, 1, 2].every((c) => Math.abs(data[at + c]! - color[c]!) <= levels)) near++;
  }
  return near / (width * height);
}

/**
 * [3, side, side]: the means of R, G and B over side x side equal boxes, in levels; a pixel on a border counts for each box by the
 * part of it that lies inside. Where the shapes of two pictures lie, without their grain.
 */
export function thumbnail({ width, height, data }: Pixels, side: number): Float64Array {
  const result = new Float64Array(3 * side * side);
  const [rows, columns] = [boxes(height, side), boxes(width, side)];
  rows.forEach((row, v) =>
    columns.forEach((column, u) => {
      for (const [y, tall] of row) {
        for (const [x, wide] of column) {
          for (let c = 0; c < 3; c++) result[(c * side + v) * side + u]! += tall * wide * data[4 * (y * width + x) + c]!;
        }
      }
    }),
  );
  return result;
}

/** For each of `count` boxes over `length` pixels: the pixels in it, and the share of the box that each fills. */
function boxes(length: number, count: number): (readonly [pixel: number, share: number])[][] {
  const size = length / count;
  return Array.from({ length: count }, (_, box) => {
    const [from, to] = [box * size, (box + 1) * size];
    const first = Math.floor(from);
    const pixels = Array.from({ length: Math.min(length, Math.ceil(to)) - first }, (_unused, i) => first + i);
    return pixels.map((pixel) => [pixel, Math.max(0, Math.min(pixel + 1, to) - Math.max(pixel, from)) / size] as const);
  });
}

/** 1 + how many of the values are larger than the one at `index`; NaN where that is no number. */
export function rankOf(values: ArrayLike<number>, index: number): number {
  const own = values[index]!;
  if (Number.isNaN(own)) return NaN;
  let larger = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > own) larger++;
  return larger + 1;
}

/** exp(values[index]) / sum of exp(values). */
export function softmaxOf(values: ArrayLike<number>, index: number): number {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  let total = 0;
  for (let i = 0; i < values.length; i++) total += Math.exp(values[i]! - most);
  return Math.exp(values[index]! - most) / total;
}
