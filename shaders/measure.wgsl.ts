/**
 * The squared norm of the gradient in pixel units, in parts: what `rate` puts together.
 *   norms[n, t] = (sum of (scale[c] dx)^2, 1 where some dx is not finite) over the pixels of invocation t
 *   dx [N, C, H, W] f32, network units
 * One invocation, its share of one image.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32 } from './prelude.wgsl.ts';
import { channelwise, planeAt, total, walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

export const measureWalk = (plane: number): Walk => walk(plane, 8);

export function measure(p: { readonly plane: number; readonly scale: readonly number[] }): string {
  const w = measureWalk(p.plane);
  return wgsl`
@group(0) @binding(0) var<storage, read> dx: array<${w.float}>;
@group(0) @binding(1) var<storage, read_write> norms: array<vec2f>;

${walkMain}
  var squares = ${w.float}(0);
  var size = ${w.bits}(0);
  ${walkEach(w)} {
    ${channelwise(
      p.scale.length,
      (c) => `
      let g = dx[${planeAt(w, p.scale.length, c)} + i] * ${f32(p.scale[c]!)};
      size = max(size, bitcast<${w.bits}>(g) & ${w.bits}(0x7fffffffu));
      squares += g * g;`,
    )}
  }
  let broken = any(size >= ${w.bits}(0x7f800000u));
  norms[n * ${w.invocations}u + t] = vec2f(${total(w, 'squares')}, select(0.0, 1.0, broken));
}`;
}
