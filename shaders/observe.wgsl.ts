/**
 * Looks at one image's iteration: the unit's score, the layer's maximum, the image's norm; decides what the
 * snapshots keep; writes one row of the progress ring.
 *   y [N, L] f32 the target layer    xx, x0 [N, P] f32 the image and where it started
 *   unit [N] u32 index into L    state [N, STATE.words] u32    progress [ROWS, N, PROGRESS.words] f32
 * One workgroup, one image; reductions in a fixed tree, so that equal runs give equal bits.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { PROGRESS, PROGRESS_ROWS, REDUCE, SETTING, STATE, STOP, tree } from './ascent.wgsl.ts';
import { f32 } from './prelude.wgsl.ts';

export function observe(p: { readonly batch: number; readonly layer: number; readonly image: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> xx: array<f32>;
@group(0) @binding(2) var<storage, read> x0: array<f32>;
@group(0) @binding(3) var<storage, read> unit: array<u32>;
@group(0) @binding(4) var<storage, read> settings: array<f32>;
@group(0) @binding(5) var<storage, read_write> state: array<u32>;
@group(0) @binding(6) var<storage, read_write> progress: array<f32>;

var<workgroup> top: array<f32, ${REDUCE}>;
var<workgroup> place: array<u32, ${REDUCE}>;
var<workgroup> sums: array<vec3f, ${REDUCE}>;
var<workgroup> broken: array<u32, ${REDUCE}>;

fn notFinite(v: f32) -> u32 { return select(0u, 1u, (bitcast<u32>(v) & 0x7fffffffu) >= 0x7f800000u); }

@compute @workgroup_size(${REDUCE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  var best = ${f32(-Infinity)};
  var at = 0xffffffffu;
  var bad = 0u;
  for (var i = local; i < ${p.layer}u; i += ${REDUCE}u) {
    let v = y[n * ${p.layer}u + i];
    bad |= notFinite(v);
    if (v > best) { best = v; at = i; }
  }
  var sum = vec3f(0);
  for (var i = local; i < ${p.image}u; i += ${REDUCE}u) {
    let v = xx[n * ${p.image}u + i];
    let d = v - x0[n * ${p.image}u + i];
    bad |= notFinite(v);
    sum += vec3f(v * v, d * d, v);
  }
  top[local] = best;
  place[local] = at;
  sums[local] = sum;
  broken[local] = bad;
  ${tree(
    (other) => `
      if (top[${other}] > top[local] || (top[${other}] == top[local] && place[${other}] < place[local])) {
        top[local] = top[${other}];
        place[local] = place[${other}];
      }
      sums[local] += sums[${other}];
      broken[local] |= broken[${other}];`,
  )}
  if (local != 0u) { return; }

  let s = n * ${STATE.words}u;
  let step = state[s + ${STATE.next}u];
  let seen = f32(step) < settings[n * ${SETTING.words}u + ${SETTING.iterations}u];
  state[s + ${STATE.improved}u] = 0u;
  state[s + ${STATE.crowned}u] = 0u;
  state[s + ${STATE.step}u] = step;
  state[s + ${STATE.next}u] = step + 1u;
  let score = y[n * ${p.layer}u + unit[n]];
  if (broken[0] != 0u && state[s + ${STATE.status}u] == 0u) { state[s + ${STATE.status}u] = ${STOP.notFinite}u; }
  if (seen && state[s + ${STATE.status}u] == 0u) {
    if (step == 0u || score > bitcast<f32>(state[s + ${STATE.best}u])) {
      state[s + ${STATE.best}u] = bitcast<u32>(score);
      state[s + ${STATE.improved}u] = 1u;
    }
    if (place[0] == unit[n] && state[s + ${STATE.argmax}u] == 0u) {
      state[s + ${STATE.argmax}u] = 1u;
      state[s + ${STATE.crowned}u] = 1u;
    }
  }
  let row = ((step % ${PROGRESS_ROWS}u) * ${p.batch}u + n) * ${PROGRESS.words}u;
  let mean = sums[0].z / ${f32(p.image)};
  progress[row + ${PROGRESS.score}u] = score;
  progress[row + ${PROGRESS.top}u] = top[0];
  progress[row + ${PROGRESS.argmax}u] = f32(place[0]);
  progress[row + ${PROGRESS.norm}u] = sqrt(sums[0].x);
  progress[row + ${PROGRESS.distance}u] = sqrt(sums[0].y);
  progress[row + ${PROGRESS.std}u] = sqrt(max(sums[0].x / ${f32(p.image)} - mean * mean, 0.0));
}`;
}
