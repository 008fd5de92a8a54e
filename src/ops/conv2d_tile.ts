/** Which register tile the convolution kernel uses for a shape: the one place where that is decided. */

export interface Tile {
  /** Output channels and neighbouring positions of one invocation. */
  readonly tileM: number;
  readonly tileP: number;
}

/** Rows that a tile may have; the loads of the inputs are shared by all rows of a tile. */
const ROWS = [16, 12, 8, 4] as const;

/**
 * Larger tiles load less per multiply-add, until the rows past the last output are waste, or too few
 * invocations are left to fill a GPU.
 */
export function chooseTile(outputs: number, positions: number, kernel: readonly [number, number]): Tile {
  if (outputs === 1) return { tileM: 1, tileP: 8 };
  const waste = (rows: number): number => Math.ceil(outputs / rows) * rows - outputs;
  const tileM = ROWS.find((rows) => waste(rows) <= outputs / 16) ?? [...ROWS].sort((a, b) => waste(a) - waste(b))[0]!;
  // Eight positions load a little less per multiply-add than four, and take twice as long to compile where every
  // tap is unrolled: only a 1x1 kernel, which has one, is worth it.
  const wide = kernel[0] * kernel[1] === 1 && positions >= 512;
  const tileP = positions < 16 ? 1 : positions < 64 ? 2 : wide ? 8 : 4;
  return { tileM, tileP };
}
