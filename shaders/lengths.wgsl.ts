/**
 * The Euclidean norm of every image of a batch, put together from what measure.wgsl.ts left in parts.
 *   length[n] = sqrt(sum over t of norms[n, t, 0]); -1 where a value of the image is not finite
 *   norms [N, T, 2] f32    length [N] f32
 * One workgroup, one image; a fixed order of the sum.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FOLD, fold } from './ascent.wgsl.ts';

export function lengths({ parts }: { readonly parts: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> norms: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> length: array<f32>;

var<workgroup> sums: array<vec2f, ${FOLD}>;

@compute @workgroup_size(${FOLD})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  var own = vec2f(0);
  for (var i = local; i < ${parts}u; i += ${FOLD}u) { own += norms[n * ${parts}u + i]; }
  sums[local] = own;
  ${fold((other) => `sums[local] += sums[${other}];`)}
  if (local == 0u) { length[n] = select(sqrt(sums[0].x), -1.0, sums[0].y > 0.0); }
}`;
}
