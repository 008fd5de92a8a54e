/**
 * The score of each image: the sum of what its places have found.
 *   score[n] = sum over p of places[n, p, 0], plus what other objectives have left there
 *   places [N, P, 4] f32 (objective_places.wgsl.ts)    score [N] f32
 * One workgroup, one image; a fixed order of the sum.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FOLD, fold } from './ascent.wgsl.ts';
import { store } from './prelude.wgsl.ts';

export function objectiveScore({ plane, accumulate }: { readonly plane: number; readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> places: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> score: array<f32>;

var<workgroup> sums: array<f32, ${FOLD}>;

@compute @workgroup_size(${FOLD})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  var own = 0.0;
  for (var p = local; p < ${plane}u; p += ${FOLD}u) { own += places[n * ${plane}u + p].x; }
  sums[local] = own;
  ${fold((other) => `sums[local] += sums[${other}];`)}
  if (local == 0u) { ${store('score[n]', 'sums[0]', accumulate)} }
}`;
}
