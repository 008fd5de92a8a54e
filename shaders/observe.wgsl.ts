/**
 * Looks at one image's iteration: puts the parts together that `present` and `peak` have left, decides what the
 * snapshots keep, and writes one row of the progress ring.
 *   score = y[unit]    top, argmax = the layer's maximum    norm = |xx|    distance = |xx - x0|
 *   std = sqrt(sum of xx^2 / P - (sum of xx / P)^2)
 *   y [N, L] f32 the target layer    unit [N] u32 index into L    sums [N, T, 4] f32    peaks [N, T', 4] u32
 *   state [N, STATE.words] u32    progress [ROWS, N, PROGRESS.words] f32
 * One workgroup, one image; a fixed order of the sums, so that equal runs give equal bits.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FOLD, fold, PROGRESS, PROGRESS_ROWS, SETTING, STATE, STOP } from './ascent.wgsl.ts';
import { peakWalk } from './peak.wgsl.ts';
import { f32 } from './prelude.wgsl.ts';
import { presentWalk } from './present.wgsl.ts';

export function observe(p: { readonly batch: number; readonly layer: number; readonly channels: number; readonly plane: number }): string {
  const image = p.channels * p.plane;
  const parts = { sums: presentWalk(p.plane).invocations, peaks: peakWalk(p.layer).invocations };
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> sums: array<vec4f>;
@group(0) @binding(2) var<storage, read> peaks: array<vec4u>;
@group(0) @binding(3) var<storage, read> unit: array<u32>;
@group(0) @binding(4) var<storage, read> settings: array<f32>;
@group(0) @binding(5) var<storage, read_write> state: array<u32>;
@group(0) @binding(6) var<storage, read_write> progress: array<f32>;

/** The lanes' sums, and after them their peaks. */
var<workgroup> part: array<vec4u, ${FOLD}>;

fn added(a: vec4u, b: vec4u) -> vec4u { return bitcast<vec4u>(bitcast<vec4f>(a) + bitcast<vec4f>(b)); }

/** The larger maximum, the first index where they are equal, and whether either saw a value that is not finite. */
fn higher(a: vec4u, b: vec4u) -> vec4u {
  let p = bitcast<f32>(a.x);
  let q = bitcast<f32>(b.x);
  let second = q > p || (q == p && b.y < a.y);
  return vec4u(select(a.xy, b.xy, second), a.z | b.z, 0u);
}

fn finite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) < 0x7f800000u; }

@compute @workgroup_size(${FOLD})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  var own = vec4f(0);
  for (var i = local; i < ${parts.sums}u; i += ${FOLD}u) { own += sums[n * ${parts.sums}u + i]; }
  part[local] = bitcast<vec4u>(own);
  ${fold((other) => `part[local] = added(part[local], part[${other}]);`)}
  let sum = bitcast<vec4f>(part[0]);
  workgroupBarrier();
  var highest = vec4u(bitcast<u32>(${f32(-Infinity)}), 0xffffffffu, 0u, 0u);
  for (var i = local; i < ${parts.peaks}u; i += ${FOLD}u) { highest = higher(highest, peaks[n * ${parts.peaks}u + i]); }
  part[local] = highest;
  ${fold((other) => `part[local] = higher(part[local], part[${other}]);`)}
  if (local != 0u) { return; }
  let peak = part[0];

  let s = n * ${STATE.words}u;
  let step = state[s + ${STATE.next}u];
  let seen = f32(step) < settings[n * ${SETTING.words}u + ${SETTING.iterations}u];
  state[s + ${STATE.improved}u] = 0u;
  state[s + ${STATE.crowned}u] = 0u;
  state[s + ${STATE.step}u] = step;
  state[s + ${STATE.next}u] = step + 1u;
  let score = y[n * ${p.layer}u + unit[n]];
  if ((peak.z != 0u || !finite(sum.x)) && state[s + ${STATE.status}u] == 0u) { state[s + ${STATE.status}u] = ${STOP.notFinite}u; }
  if (seen && state[s + ${STATE.status}u] == 0u) {
    if (step == 0u || score > bitcast<f32>(state[s + ${STATE.best}u])) {
      state[s + ${STATE.best}u] = bitcast<u32>(score);
      state[s + ${STATE.improved}u] = 1u;
    }
    if (peak.y == unit[n] && state[s + ${STATE.argmax}u] == 0u) {
      state[s + ${STATE.argmax}u] = 1u;
      state[s + ${STATE.crowned}u] = 1u;
    }
  }
  let row = ((step % ${PROGRESS_ROWS}u) * ${p.batch}u + n) * ${PROGRESS.words}u;
  let mean = sum.z / ${f32(image)};
  progress[row + ${PROGRESS.score}u] = score;
  progress[row + ${PROGRESS.top}u] = bitcast<f32>(peak.x);
  progress[row + ${PROGRESS.argmax}u] = f32(peak.y);
  progress[row + ${PROGRESS.norm}u] = sqrt(sum.x);
  progress[row + ${PROGRESS.distance}u] = sqrt(sum.y);
  progress[row + ${PROGRESS.std}u] = sqrt(max(sum.x / ${f32(image)} - mean * mean, 0.0));
}`;
}
