/**
 * Softmax cross-entropy against labels, with label smoothing, its gradient, and the tally of a step.
 *   p[k] = exp(x[k] - max x) / sum of exp(x - max x)      t[k] = (1 - smoothing) (k == label) + smoothing / K
 *   loss = -sum of t ln p      gradient[n, k] = (p[k] - t[k]) / N
 *   x (the logits), gradient [N, K] f32    labels [N] u32
 *   rows [N, 4] f32: loss; 1 where the largest logit, the first of equal ones, is the label's; 1 where loss or logits
 *   are not finite; 0. A label that names no class has the probability 0, and so an infinite loss.
 *   clock [4] u32: step, ...    tally [4] f32: sum of mean losses, correct answers, images, steps    halt [2] u32
 * `crossEntropy`: one invocation, one image. `tally`: one workgroup adds the images up in a fixed order; a mean that is
 * not finite sets halt to (1, step) and is not tallied, nor is any step after it.
 * Source: Szegedy et al. 2016, section 7 (label smoothing).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearMain, WORKGROUP } from './prelude.wgsl.ts';
import { from, walk } from './softmax.wgsl.ts';

export interface CrossEntropyParameters {
  readonly images: number;
  readonly classes: number;
  readonly smoothing: number;
}

/** WGSL compilers may take every number for a finite one: its bits tell. */
const MAGNITUDE = '0x7fffffffu';
const NOT_FINITE = '0x7f800000u';

export function crossEntropy(p: CrossEntropyParameters): string {
  const row = { outer: p.images, size: p.classes, inner: 1 };
  const [own, other] = [1 - p.smoothing, p.smoothing / p.classes];
  const less = other > 0 ? ` - ${f32(other / p.images)}` : '';
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> rows: array<vec4f>;

${linearMain(p.images)}
  ${from(row)}
  var top = x[first];
  var winner = first;
  var size = 0u;
  ${walk(row, (at) =>
    at.map((k) => `{ let v = x[${k}]; size = max(size, bitcast<u32>(v) & ${MAGNITUDE}); winner = select(winner, ${k}, v > top); top = select(top, v, v > top); }`).join('\n  '))}
  var sum = 0.0;
  var total = 0.0;
  ${walk(row, (at) => at.map((k) => `{ let d = x[${k}] - top; sum += exp(d); total += d; }`).join('\n  '))}
  let label = labels[i];
  let isClass = label < ${p.classes}u;
  let mine = first + min(label, ${p.classes - 1}u);
  let lead = x[mine] - top;
  let loss = log(sum) - ${f32(own)} * lead${other > 0 ? ` - ${f32(other)} * total` : ''};
  size = max(size, bitcast<u32>(loss) & ${MAGNITUDE});
  rows[i] = vec4f(loss, select(0.0, 1.0, isClass && winner == mine), select(0.0, 1.0, !isClass || size >= ${NOT_FINITE}), 0.0);
  let share = 1.0 / (sum * ${f32(p.images)});
  ${walk(row, (at) => at.map((k) => `gradient[${k}] = exp(x[${k}] - top) * share${less};`).join('\n  '))}
  if (isClass) { gradient[mine] = exp(lead) * share - ${f32((own + other) / p.images)}; }
}`;
}

export function tally(p: Pick<CrossEntropyParameters, 'images'>): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read> clock: array<u32>;
@group(0) @binding(2) var<storage, read_write> tally: array<f32>;
@group(0) @binding(3) var<storage, read_write> halt: array<u32>;
var<workgroup> parts: array<vec4f, ${WORKGROUP}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(local_invocation_index) local: u32) {
  var sum = vec4f(0);
  for (var n = local; n < ${p.images}u; n += ${WORKGROUP}u) { sum += rows[n]; }
  parts[local] = sum;
  workgroupBarrier();
  if (local > 0u || halt[0] != 0u) { return; }
  for (var part = 1u; part < ${Math.min(p.images, WORKGROUP)}u; part++) { sum += parts[part]; }
  let mean = sum.x * ${f32(1 / p.images)};
  if (sum.z > 0.0 || (bitcast<u32>(mean) & ${MAGNITUDE}) >= ${NOT_FINITE}) {
    halt[0] = 1u;
    halt[1] = clock[0];
    return;
  }
  tally[0] += mean;
  tally[1] += sum.y;
  tally[2] += ${f32(p.images)};
  tally[3] += 1.0;
}`;
}
