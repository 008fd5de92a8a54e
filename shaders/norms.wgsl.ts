/**
 * What a step of training did to one tensor of weights, as sums over its elements.
 *   out = (sum of g^2, sum of w^2, sum of (w - before)^2, number of g that are not finite)
 *   g, w, before [...] f32 of one shape: gradient, weights now and before the step    out [4] f32
 * `norms`: one invocation sums its share into parts [T, 4] f32. `normsFold`: one workgroup adds the parts, in a fixed
 * order, so that equal runs give equal bits. A g that is not finite is counted and left out of the sum of squares.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FOLD, fold } from './ascent.wgsl.ts';
import { total, walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

/** How a tensor of `count` elements is walked. */
export const normsWalk = (count: number): Walk => walk(count, 8);

export function norms(p: { readonly count: number }): string {
  const part = normsWalk(p.count);
  return wgsl`
@group(0) @binding(0) var<storage, read> g: array<${part.float}>;
@group(0) @binding(1) var<storage, read> w: array<${part.float}>;
@group(0) @binding(2) var<storage, read> before: array<${part.float}>;
@group(0) @binding(3) var<storage, read_write> parts: array<vec4f>;

${walkMain}
  var gradient = ${part.float}(0);
  var weight = ${part.float}(0);
  var change = ${part.float}(0);
  var broken = ${part.float}(0);
  ${walkEach(part)} {
    let slope = g[i];
    let value = w[i];
    let step = value - before[i];
    let finite = (bitcast<${part.bits}>(slope) & ${part.bits}(0x7fffffffu)) < ${part.bits}(0x7f800000u);
    let kept = select(${part.float}(0), slope, finite);
    gradient += kept * kept;
    weight += value * value;
    change += step * step;
    broken += select(${part.float}(1), ${part.float}(0), finite);
  }
  parts[t] = vec4f(${total(part, 'gradient')}, ${total(part, 'weight')}, ${total(part, 'change')}, ${total(part, 'broken')});
}`;
}

export function normsFold(p: { readonly count: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> parts: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

var<workgroup> sums: array<vec4f, ${FOLD}>;

@compute @workgroup_size(${FOLD})
fn main(@builtin(local_invocation_index) local: u32) {
  var own = vec4f(0);
  for (var i = local; i < ${normsWalk(p.count).invocations}u; i += ${FOLD}u) { own += parts[i]; }
  sums[local] = own;
  ${fold((other) => `sums[local] += sums[${other}];`)}
  if (local == 0u) { out[0] = sums[0]; }
}`;
}
