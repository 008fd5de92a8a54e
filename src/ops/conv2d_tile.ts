/** Register tiles of the direct convolution kernel, and the shape of its workgroups. */

export interface Tile {
  /** Output channels and neighbouring positions of one invocation. */
  readonly tileM: number;
  readonly tileP: number;
}

/**
 * The workgroup for `across` invocations in a row. A processor that plays the GPU runs four at a time whatever the
 * workgroup is, and idle ones at its end are pure loss there; a GPU wants whole warps.
 */
export function workgroupFor(across: number, software: boolean): number {
  if (software) return 4;
  return across > 256 ? 64 : across > 64 ? 32 : 16;
}

/** Tiles that are tried, the largest first: more rows or positions load less per multiply-add. */
export function tilesFor(outputs: number, positions: number, taps: number, software: boolean): Tile[] {
  if (outputs === 1) return [{ tileM: 1, tileP: 8 }];
  const rows = software ? [32, 16, 8, 4] : [16, 12, 8, 4];
  const wide = [8, 4, 2, 1];
  const fits = (tileM: number): boolean => tileM === rows.at(-1) || tileM < 2 * outputs;
  // Twice the accumulators double the time to compile; that pays for one tap, where there is little else to share.
  const most = (software ? 128 : 64) * (taps > 1 ? 1 : 2);
  return rows.flatMap((tileM) => wide.map((tileP) => ({ tileM, tileP }))).filter(({ tileM, tileP }) => fits(tileM) && tileM * tileP <= most && (tileP === 1 || positions >= 2 * tileP));
}
