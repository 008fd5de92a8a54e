/** PNG's row filters: a row is stored as its difference from what lies to the left, above, or both. */
import { damaged } from './png_chunk.ts';

const FILTERS = 5;

/** A guess at a byte from those at its left `a`, above `b`, above left `c`. One switch, so that engines inline it. */
function predict(filter: number, a: number, b: number, c: number): number {
  switch (filter) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return (a + b) >> 1;
    case 4:
      return paeth(a, b, c);
    default:
      return 0;
  }
}

/** The neighbour that is nearest to a + b - c; ties go to a, then b. */
function paeth(a: number, b: number, c: number): number {
  const toA = Math.abs(b - c);
  const toB = Math.abs(a - c);
  const toC = Math.abs(a + b - 2 * c);
  return toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
}

/**
 * Filtered rows, each with its filter's number in front. Per row the filter whose differences, as signed bytes,
 * have the smallest sum of magnitudes. `stride`: bytes of a row, `step`: bytes of a pixel.
 */
export function filterRows(rows: Uint8Array, stride: number, step: number): Uint8Array {
  const height = rows.length / stride;
  const result = new Uint8Array(height * (stride + 1));
  const trial = new Uint8Array(stride);
  const blank = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const row = rows.subarray(y * stride, (y + 1) * stride);
    const above = y > 0 ? rows.subarray((y - 1) * stride, y * stride) : blank;
    let least = Infinity;
    for (let filter = 0; filter < FILTERS; filter++) {
      let cost = 0;
      for (let x = 0; x < stride; x++) {
        const left = x >= step;
        const a = left ? (row[x - step] as number) : 0;
        const c = left ? (above[x - step] as number) : 0;
        const difference = ((row[x] as number) - predict(filter, a, above[x] as number, c)) & 255;
        trial[x] = difference;
        cost += difference < 128 ? difference : 256 - difference;
      }
      if (cost >= least) continue;
      least = cost;
      result[y * (stride + 1)] = filter;
      result.set(trial, y * (stride + 1) + 1);
    }
  }
  return result;
}

/** Undoes `filterRows`, in place. Throws `image-decode` for a filter that does not exist. */
export function unfilterRows(filtered: Uint8Array, stride: number, step: number, offset: number): void {
  let above = new Uint8Array(stride);
  for (let start = 0; start < filtered.length; start += stride + 1) {
    const filter = filtered[start] as number;
    if (filter >= FILTERS) throw damaged(`the PNG uses a row filter ${filter}, which does not exist`, offset);
    const row = filtered.subarray(start + 1, start + 1 + stride);
    for (let x = 0; x < stride; x++) {
      const left = x >= step;
      const a = left ? (row[x - step] as number) : 0;
      const c = left ? (above[x - step] as number) : 0;
      row[x] = (row[x] as number) + predict(filter, a, above[x] as number, c);
    }
    above = row as Uint8Array<ArrayBuffer>;
  }
}
