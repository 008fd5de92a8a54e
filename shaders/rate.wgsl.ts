/**
 * The step size, from the norm of the gradient that `measure` has left in parts.
 *   |g|^2 = sum of norms
 *   constant: rate      progress: min(maxRate, desired / |g|^2)
 *   progress01: desired = min(early, late (1 - score)), then as progress
 *   normalized: rate sqrt(C H W) / |g|, a step of `rate` pixel levels root mean square
 *   norms [N, T, 2] f32    state [N, STATE.words] u32    progress [ROWS, N, PROGRESS.words] f32
 * A gradient of zero stops the image (nothing can move it); so does one that is not finite.
 * One workgroup, one image; a fixed order of the sum. Source: the learning-rate policies of Yosinski et al. 2015, and
 * normalized gradient ascent for networks of any scale.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FOLD, fold, POLICY, PROGRESS, PROGRESS_ROWS, SETTING, STATE, STOP } from './ascent.wgsl.ts';
import { measureWalk } from './measure.wgsl.ts';
import { f32 } from './prelude.wgsl.ts';

export function rate(p: { readonly batch: number; readonly channels: number; readonly plane: number }): string {
  const parts = measureWalk(p.plane).invocations;
  return wgsl`
@group(0) @binding(0) var<storage, read> norms: array<vec2f>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> progress: array<f32>;

var<workgroup> sum: array<vec2f, ${FOLD}>;

@compute @workgroup_size(${FOLD})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  var own = vec2f(0);
  for (var i = local; i < ${parts}u; i += ${FOLD}u) { own += norms[n * ${parts}u + i]; }
  sum[local] = own;
  ${fold((other) => `sum[local] += sum[${other}];`)}
  if (local != 0u) { return; }

  let s = n * ${STATE.words}u;
  let q = n * ${SETTING.words}u;
  let row = ((state[s + ${STATE.step}u] % ${PROGRESS_ROWS}u) * ${p.batch}u + n) * ${PROGRESS.words}u;
  let square = sum[0].x;
  let policy = settings[q + ${SETTING.policy}u];
  var desired = settings[q + ${SETTING.desired}u];
  if (policy == ${POLICY.progress01}.0) {
    desired = min(settings[q + ${SETTING.early}u], settings[q + ${SETTING.late}u] * (1.0 - progress[row + ${PROGRESS.score}u]));
  }
  var rate = settings[q + ${SETTING.rate}u];
  if (policy == ${POLICY.normalized}.0) { rate = rate * ${f32(Math.sqrt(p.channels * p.plane))} / max(sqrt(square), 1e-30); }
  else if (policy != ${POLICY.constant}.0) { rate = min(settings[q + ${SETTING.maxRate}u], desired / square); }
  if (state[s + ${STATE.status}u] == 0u) {
    if (sum[0].y != 0.0) { state[s + ${STATE.status}u] = ${STOP.notFinite}u; }
    else if (square == 0.0) { state[s + ${STATE.status}u] = ${STOP.noGradient}u; }
  }
  state[s + ${STATE.rate}u] = bitcast<u32>(rate);
  progress[row + ${PROGRESS.gradient}u] = sqrt(square);
  progress[row + ${PROGRESS.rate}u] = rate;
  progress[row + ${PROGRESS.status}u] = f32(state[s + ${STATE.status}u]);
}`;
}
