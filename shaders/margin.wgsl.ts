/**
 * By how much the best other class leads over a given one, and its gradient by the class scores.
 *   J = max over k != label of x[k] - x[label]      gradient[n, k] = 1 at the first such k, -1 at the label, 0 elsewhere
 *   x (the logits), gradient [N, K] f32    labels [N] u32
 *   rows [N, 4] f32: J; 1 where the largest logit, the first of equal ones, is the label's; 1 where a logit is not finite; 0.
 * Unlike that of cross-entropy the gradient does not vanish where the network is certain. A label that names no class has no
 * gradient, and counts as not finite. One invocation, one image. Source: Carlini and Wagner 2017, section 5.1, f6 without its floor.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearMain } from './prelude.wgsl.ts';

export function margin(p: { readonly images: number; readonly classes: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> rows: array<vec4f>;

${linearMain(p.images)}
  let first = i * ${p.classes}u;
  let label = labels[i];
  let isClass = label < ${p.classes}u;
  var lead = ${f32(-Infinity)};
  var other = ${p.classes}u;
  var size = 0u;
  for (var k = 0u; k < ${p.classes}u; k++) {
    let v = x[first + k];
    size = max(size, bitcast<u32>(v) & 0x7fffffffu);
    let leads = k != label && (v > lead || other == ${p.classes}u);
    other = select(other, k, leads);
    lead = select(lead, v, leads);
    gradient[first + k] = 0.0;
  }
  let broken = !isClass || size >= 0x7f800000u;
  if (!isClass || other == ${p.classes}u) {
    rows[i] = vec4f(0.0, select(0.0, 1.0, isClass), select(0.0, 1.0, broken), 0.0);
    return;
  }
  let own = x[first + label];
  gradient[first + other] = 1.0;
  gradient[first + label] = -1.0;
  let wins = own > lead || (own == lead && label < other);
  rows[i] = vec4f(lead - own, select(0.0, 1.0, wins), select(0.0, 1.0, broken), 0.0);
}`;
}
