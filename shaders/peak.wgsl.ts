/**
 * The largest activation of each image's layer, in parts: what `observe` puts together.
 *   peaks[n, t] = (bits of max y, its first index, 1 where some y is not finite) over the values of invocation t
 *   y [N, L] f32, the target layer    peaks [N, T, 4] u32. The index of a maximum over nothing is 0xffffffff.
 * One invocation, its share of one image's layer.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32 } from './prelude.wgsl.ts';
import { walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

export const peakWalk = (layer: number): Walk => walk(layer, 16);

export function peak(p: { readonly layer: number }): string {
  const w = peakWalk(p.layer);
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<${w.float}>;
@group(0) @binding(1) var<storage, read_write> peaks: array<vec4u>;

${walkMain}
  // One running maximum per lane, of the loads at n L + place.
  var best = ${w.float}(${f32(-Infinity)});
  var place = ${w.bits}(0xffffffffu);
  var size = ${w.bits}(0);
  ${walkEach(w)} {
    let v = y[n * ${w.loads}u + i];
    let above = v > best;
    best = select(best, v, above);
    place = select(place, ${w.bits}(i), above);
    size = max(size, bitcast<${w.bits}>(v) & ${w.bits}(0x7fffffffu));
  }
#if ${w.lanes === 4}
  var top = best.x;
  var at = select(4u * place.x, 0xffffffffu, place.x == 0xffffffffu);
  for (var k = 1u; k < 4u; k++) {
    let here = select(4u * place[k] + k, 0xffffffffu, place[k] == 0xffffffffu);
    if (best[k] > top || (best[k] == top && here < at)) { top = best[k]; at = here; }
  }
#else
  let top = best;
  let at = place;
#endif
  let broken = any(size >= ${w.bits}(0x7f800000u));
  peaks[n * ${w.invocations}u + t] = vec4u(bitcast<u32>(top), at, select(0u, 1u, broken), 0u);
}`;
}
