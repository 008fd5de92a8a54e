/**
 * A step of given size up the gradient, whatever its scale.
 *   w[n, i] = w[n, i] + rate g[n, i] sqrt(I) / length[n]: a change of `rate`, root mean square; none where the length is 0
 *   w, g [N, I] f32    length [N] f32: norm of g    schedule [4] f32: rate, 0, 0, 0
 * One invocation, one element. Source: normalized gradient ascent, as DeepDream has it (Mordvintsev et al. 2015).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearMain } from './prelude.wgsl.ts';

export function stride({ batch, image }: { readonly batch: number; readonly image: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> length: array<f32>;
@group(0) @binding(2) var<storage, read> schedule: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<f32>;

${linearMain(batch * image)}
  let size = length[i / ${image}u];
  if (size > 0.0) { w[i] += schedule[0] * g[i] * (${f32(Math.sqrt(image))} / size); }
}`;
}
