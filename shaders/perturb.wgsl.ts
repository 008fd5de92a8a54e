/**
 * Moves every image a fixed distance along its gradient: the picture of that distance that the loss dreads most, to first order.
 *   x[n] = x[n] + size g[n] / |g[n]|      an image whose gradient is 0 or not finite stays as it is
 *   g, x [N, C, H, W] f32, network units    schedule [4] f32: its last word is the size, an L2 norm    parts [N, T] f32
 * `squares`: one invocation sums its share of one image. `perturb`: one invocation, its share of one image; each adds the parts of its
 * image up by itself, in a fixed order, so that equal runs give equal bits.
 * Source: Goodfellow et al. 2015, section 4, with the L2 norm of Miyato et al. 2017.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { total, walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

/** How an image of `size` numbers is walked: in few and long shares, since each adds all parts up. */
export const perturbWalk = (size: number): Walk => walk(size, 64);

export function squares(p: { readonly size: number }): string {
  const w = perturbWalk(p.size);
  return wgsl`
@group(0) @binding(0) var<storage, read> g: array<${w.float}>;
@group(0) @binding(1) var<storage, read_write> parts: array<f32>;

${walkMain}
  var sum = ${w.float}(0);
  ${walkEach(w)} { let slope = g[n * ${w.loads}u + i]; sum += slope * slope; }
  parts[n * ${w.invocations}u + t] = ${total(w, 'sum')};
}`;
}

export function perturb(p: { readonly size: number }): string {
  const w = perturbWalk(p.size);
  return wgsl`
@group(0) @binding(0) var<storage, read> g: array<${w.float}>;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read> schedule: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<${w.float}>;

${walkMain}
  var square = 0.0;
  for (var part = 0u; part < ${w.invocations}u; part++) { square += parts[n * ${w.invocations}u + part]; }
  let finite = (bitcast<u32>(square) & 0x7fffffffu) < 0x7f800000u;
  if (!finite || square == 0.0) { return; }
  let scale = schedule[3] / sqrt(square);
  ${walkEach(w)} { x[n * ${w.loads}u + i] += scale * g[n * ${w.loads}u + i]; }
}`;
}
