/**
 * Shows the image to the network: clips it to what a pixel can be, scales it to network units, and adds up what the
 * progress record tells of it, in one pass.
 *   xx[n, c, i] = min(max(xx + mean, 0), 255) - mean      x[n, c, i] = scale[c] xx[n, c, i]
 *   sums[n, t] = (sum of xx^2, of (xx - x0)^2, of xx) over the pixels of invocation t
 *   xx, x0 [N, C, H, W] f32, pixels of 0..255 with the mean subtracted; x [N, C, H, W] f32, network units
 * A value that is not finite stays what it is and so do the sums: the record tells.
 * One invocation, its share of one image. Source: Yosinski et al. 2015, section 3.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32 } from './prelude.wgsl.ts';
import { channelwise, planeAt, total, walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

/** Eight loads of each plane: few partial sums, and still a wide dispatch. */
export const presentWalk = (plane: number): Walk => walk(plane, 8);

export function present(p: {
  readonly plane: number;
  /** Per channel: the mean in 0..255, and the factor to network units. */
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}): string {
  const w = presentWalk(p.plane);
  const channels = p.mean.length;
  return wgsl`
@group(0) @binding(0) var<storage, read> x0: array<${w.float}>;
@group(0) @binding(1) var<storage, read_write> xx: array<${w.float}>;
@group(0) @binding(2) var<storage, read_write> x: array<${w.float}>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;

${walkMain}
  var squares = ${w.float}(0);
  var moves = ${w.float}(0);
  var values = ${w.float}(0);
  ${walkEach(w)} {
    ${channelwise(
      channels,
      (c) => `
      let at = ${planeAt(w, channels, c)} + i;
      let v = xx[at];
      // NaN passes through min and max unseen; keep it, so that the next step reports it.
      let finite = (bitcast<${w.bits}>(v) & ${w.bits}(0x7fffffffu)) < ${w.bits}(0x7f800000u);
      let clipped = select(v, min(max(v, ${w.float}(${f32(-p.mean[c]!)})), ${w.float}(${f32(255 - p.mean[c]!)})), finite);
      // Rarely: most pixels are valid, and a store costs as much as all the rest.
      if (any(clipped != v)) { xx[at] = clipped; }
      x[at] = clipped * ${f32(p.scale[c]!)};
      let moved = clipped - x0[at];
      squares += clipped * clipped;
      moves += moved * moved;
      values += clipped;`,
    )}
  }
  sums[n * ${w.invocations}u + t] = vec4f(${total(w, 'squares')}, ${total(w, 'moves')}, ${total(w, 'values')}, 0.0);
}`;
}
