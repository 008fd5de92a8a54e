/**
 * The change that an attack lays over a picture, in pixel levels: shown to the network, and moved by the sign of a gradient within
 * a ball of the largest norm and within valid pixels.
 *   perturb:   x[n, c, i] = x0[c, i] + scale[c] d[n, c, i]
 *   signStep:  d = min(max(d + step[n] sign(g), max(-ball[n], -p)), min(ball[n], 255 - p))
 *   p, x0 [1, C, H, W] f32: the picture in pixel levels 0..255 and in network units    d [N, C, H, W] f32, pixel levels
 *   x, g [N, C, H, W] f32, network units    reach [N, 2] f32, pixel levels: ball and step; a negative step goes down the gradient
 * |d| <= ball holds to the bit, for d is what is kept and not p + d. sign(0) is 0, and so is that of a gradient that is no number.
 * One invocation, one element of the picture in all N images: it is loaded once.
 * Sources: Goodfellow et al. 2015 (one step), Kurakin et al. 2017 and Madry et al. 2018 (many, projected).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearMain } from './prelude.wgsl.ts';

export interface PerturbParameters {
  readonly batch: number;
  /** Elements of one plane. */
  readonly plane: number;
  /** Per channel, the factor from pixel levels to network units. */
  readonly scale: readonly number[];
}

export function perturb(p: PerturbParameters): string {
  const channels = p.scale.length;
  const picture = channels * p.plane;
  return wgsl`
@group(0) @binding(0) var<storage, read> x0: array<f32>;
@group(0) @binding(1) var<storage, read> d: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;

${linearMain(picture)}
  let c = i / ${p.plane}u;
  var scale = ${f32(p.scale[0]!)};
  ${p.scale.map((scale, c) => (c === 0 ? '' : `if (c == ${c}u) { scale = ${f32(scale)}; }`)).join(' ')}
  let open = x0[i];
  for (var n = 0u; n < ${p.batch}u; n++) {
    x[n * ${picture}u + i] = open + scale * d[n * ${picture}u + i];
  }
}`;
}

export function signStep(p: { readonly batch: number; readonly picture: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> p: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> reach: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> d: array<f32>;

${linearMain(p.picture)}
  let level = p[i];
  for (var n = 0u; n < ${p.batch}u; n++) {
    let at = n * ${p.picture}u + i;
    let ball = reach[n].x;
    let slope = g[at];
    let step = select(select(0.0, -reach[n].y, slope < 0.0), reach[n].y, slope > 0.0);
    let low = max(-ball, -level);
    let high = min(ball, 255.0 - level);
    d[at] = min(max(d[at] + step, low), high);
  }
}`;
}
