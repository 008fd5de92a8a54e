/**
 * Sets to zero (the mean colour) what ranks below the threshold; strictly below, so that once more than the
 * percentile is zero nothing else is cut.
 *   xx[n, c, i] = 0 where the float of key < threshold[n]
 *   xx [N, C, H, W] f32    keys [N, C H W] or [N, H W] u32    search [N, SEARCH.words] u32 (rank.wgsl.ts)
 * One invocation, its share of one image. Source: Yosinski et al. 2015, section 3.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { bitsOf, word } from './rank.wgsl.ts';
import { walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

export const cutWalk = (count: number): Walk => walk(count, 8);

/** @param count keys per image, `channels` values under each, a plane of keys apart */
export function cut(p: { readonly count: number; readonly channels: number }): string {
  const w = cutWalk(p.count);
  /** Stores of the zeros alone: to load the others only to store them again would double the work. */
  const zero = (lane: number): string =>
    Array.from({ length: p.channels }, (_, c) => `xx[at + ${c * p.count + lane}u] = 0.0;`).join(' ');
  const cuts = w.lanes === 4 ? ['x', 'y', 'z', 'w'].map((lane, k) => `if (below.${lane}) { ${zero(k)} }`) : [`if (below) { ${zero(0)} }`];
  return wgsl`
@group(0) @binding(0) var<storage, read> keys: array<${w.bits}>;
@group(0) @binding(1) var<storage, read> search: array<u32>;
@group(0) @binding(2) var<storage, read_write> xx: array<f32>;

${walkMain}
  if (${word('wanted')} == 0u) { return; }
  let threshold = ${w.float}(bitcast<f32>(${word('threshold')}));
  ${walkEach(w)} {
    let key = keys[n * ${w.loads}u + i];
    let below = bitcast<${w.float}>(${bitsOf(w.bits, 'key')}) < threshold;
    let at = n * ${p.channels * p.count}u + i * ${w.lanes}u;
    ${cuts.join('\n    ')}
  }
}`;
}
