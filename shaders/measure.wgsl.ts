/**
 * The norm of the gradient in pixel units, and from it the step size.
 *   |g|^2 = sum of (scale[c] dx)^2
 *   constant: rate      progress: min(maxRate, desired / |g|^2)
 *   progress01: desired = min(early, late (1 - score)), then as progress
 *   normalized: rate sqrt(C H W) / |g|, a step of `rate` pixel levels root mean square
 *   dx [N, C, H, W] f32, network units    state [N, STATE.words] u32    progress [ROWS, N, PROGRESS.words] f32
 * A gradient of zero stops the image (nothing can move it); so does one that is not finite.
 * One workgroup, one image; a fixed tree. Source: the learning-rate policies of
 * Yosinski et al. 2015, and normalized gradient ascent for networks of any scale.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { channelScale, POLICY, PROGRESS, PROGRESS_ROWS, REDUCE, SETTING, STATE, STOP, tree } from './ascent.wgsl.ts';
import { f32 } from './prelude.wgsl.ts';

export function measure(p: { readonly batch: number; readonly plane: number; readonly scale: readonly number[] }): string {
  const image = p.scale.length * p.plane;
  return wgsl`
@group(0) @binding(0) var<storage, read> dx: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> progress: array<f32>;
${channelScale(p.scale)}

var<workgroup> sums: array<f32, ${REDUCE}>;
var<workgroup> broken: array<u32, ${REDUCE}>;

@compute @workgroup_size(${REDUCE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  var sum = 0.0;
  var bad = 0u;
  for (var i = local; i < ${image}u; i += ${REDUCE}u) {
    let g = dx[n * ${image}u + i] * SCALE[i / ${p.plane}u];
    bad |= select(0u, 1u, (bitcast<u32>(g) & 0x7fffffffu) >= 0x7f800000u);
    sum += g * g;
  }
  sums[local] = sum;
  broken[local] = bad;
  ${tree((other) => `sums[local] += sums[${other}]; broken[local] |= broken[${other}];`)}
  if (local != 0u) { return; }

  let s = n * ${STATE.words}u;
  let q = n * ${SETTING.words}u;
  let row = ((state[s + ${STATE.step}u] % ${PROGRESS_ROWS}u) * ${p.batch}u + n) * ${PROGRESS.words}u;
  let square = sums[0];
  let policy = settings[q + ${SETTING.policy}u];
  var desired = settings[q + ${SETTING.desired}u];
  if (policy == ${POLICY.progress01}.0) {
    desired = min(settings[q + ${SETTING.early}u], settings[q + ${SETTING.late}u] * (1.0 - progress[row + ${PROGRESS.score}u]));
  }
  var rate = settings[q + ${SETTING.rate}u];
  if (policy == ${POLICY.normalized}.0) { rate = rate * ${f32(Math.sqrt(image))} / max(sqrt(square), 1e-30); }
  else if (policy != ${POLICY.constant}.0) { rate = min(settings[q + ${SETTING.maxRate}u], desired / square); }
  if (state[s + ${STATE.status}u] == 0u) {
    if (broken[0] != 0u) { state[s + ${STATE.status}u] = ${STOP.notFinite}u; }
    else if (square == 0.0) { state[s + ${STATE.status}u] = ${STOP.noGradient}u; }
  }
  state[s + ${STATE.rate}u] = bitcast<u32>(rate);
  progress[row + ${PROGRESS.gradient}u] = sqrt(square);
  progress[row + ${PROGRESS.rate}u] = rate;
  progress[row + ${PROGRESS.status}u] = f32(state[s + ${STATE.status}u]);
}`;
}
