/**
 * Keeps the best pictures of every channel: the peaks of a batch go into the lists that earlier batches have left.
 *   lists[c] = the first K of lists[c] and (key, pictures[n], place) = peaks[n, c] over the batch's images n,
 *              by falling value; of equal values the earlier picture first; what has no number is never in it
 *   peaks [N, C, 2] u32 key, place (see channel_peak.wgsl.ts)    pictures [1 + N] u32: how many images there are, then
 *   the number of each, rising within and between batches    lists [C, K, 3] u32 key, picture, place; all 0 at first
 * One invocation, one channel. Source: nine top activations of a feature map, Zeiler and Fergus 2014, section 4.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearGrid, linearMain } from './prelude.wgsl.ts';

/** u32 words of an entry. */
export const ENTRY = { key: 0, picture: 1, place: 2, words: 3 } as const;

export interface TopParameters {
  readonly channels: number;
  /** K. */
  readonly count: number;
}

export const topPatchesGrid = ({ channels }: TopParameters): [number, number, number] => linearGrid(channels);

export function topPatches({ channels, count }: TopParameters): string {
  const { key, picture, place, words } = ENTRY;
  return wgsl`
@group(0) @binding(0) var<storage, read> peaks: array<vec2u>;
@group(0) @binding(1) var<storage, read> pictures: array<u32>;
@group(0) @binding(2) var<storage, read_write> lists: array<u32>;

${linearMain(channels)}
  let first = i * ${count * words}u;
  let used = pictures[0];
  for (var n = 0u; n < used; n++) {
    let peak = peaks[n * ${channels}u + i];
    // Pictures come in their order, so one that only equals the last entry stays outside.
    if (peak.x <= lists[first + ${(count - 1) * words + key}u]) { continue; }
    var k = ${count - 1}u;
    for (; k > 0u; k--) {
      let above = first + (k - 1u) * ${words}u;
      if (lists[above + ${key}u] >= peak.x) { break; }
      for (var word = 0u; word < ${words}u; word++) { lists[above + ${words}u + word] = lists[above + word]; }
    }
    let entry = first + k * ${words}u;
    lists[entry + ${key}u] = peak.x;
    lists[entry + ${picture}u] = pictures[1u + n];
    lists[entry + ${place}u] = peak.y;
  }
}`;
}
