/**
 * The gradient of a bias: the sum of what comes from above over images and positions.
 *   db[part, m] = sum over n of the part, p of dy[n, m, p]
 *   dy [N, M, P] f32, P positions (1 of a dense layer)    db [parts, M] f32
 * Where a processor plays the GPU one invocation makes a sum; on a GPU a workgroup shares it and adds up in a fixed order.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearGrid, MAX_GROUPS, WORKGROUP } from './prelude.wgsl.ts';

export interface BiasParameters {
  readonly images: number;
  readonly channels: number;
  readonly positions: number;
  /** Parts, and images of one. */
  readonly parts: number;
  readonly perPart: number;
  /** Invocations that share a sum. */
  readonly split: 1 | typeof WORKGROUP;
}

export function biasGrid({ channels, parts, split }: BiasParameters): [number, number, number] {
  const sums = channels * parts;
  if (split === 1) return linearGrid(sums);
  const rows = Math.ceil(sums / MAX_GROUPS);
  return [Math.ceil(sums / rows), rows, 1];
}

/** Positions that one turn adds up. */
const RUN = 4;

export function biasLearn({ images, channels, positions, parts, perPart, split }: BiasParameters): string {
  const whole = positions - (positions % RUN);
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> db: array<f32>;
#if ${split > 1}
var<workgroup> sums: array<f32, ${split}>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) job: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = job.x + job.y * groups.x;
  let i = ${split > 1 ? 'block' : `block * ${WORKGROUP}u + local`};
  if (i >= ${channels * parts}u) { return; }
  let part = i / ${channels}u;
  let m = i - part * ${channels}u;
  let first = part * ${perPart}u;
  let end = min(first + ${perPart}u, ${images}u);
  var sum = 0.0;
#if ${split > 1}
  for (var r = first * ${positions}u + local; r < end * ${positions}u; r += ${split}u) {
    let n = r / ${positions}u;
    sum += dy[(n * ${channels}u + m) * ${positions}u + r - n * ${positions}u];
  }
  sums[local] = sum;
  workgroupBarrier();
  if (local > 0u) { return; }
  sum = 0.0;
  for (var s = 0u; s < ${split}u; s++) { sum += sums[s]; }
#else
  for (var n = first; n < end; n++) {
    let at = (n * ${channels}u + m) * ${positions}u;
    // Sums of images are added up, not one long sum: it rounds less.
    var image = 0.0;
#if ${whole > 0}
    for (var p = 0u; p < ${whole}u; p += ${RUN}u) { image += (dy[at + p] + dy[at + p + 1u]) + (dy[at + p + 2u] + dy[at + p + 3u]); }
#endif
    ${Array.from({ length: positions - whole }, (_, p) => `image += dy[at + ${whole + p}u];`).join('\n    ')}
    sum += image;
  }
#endif
  db[i] = sum;
}`;
}
