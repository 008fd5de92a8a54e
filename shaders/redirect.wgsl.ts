/**
 * Redirects blocked gradients: an image whose gradient is 0 everywhere takes the one that passed its ReLUs as if they were open.
 *   dx[n, i] = open[n, i] where length[n] = 0, else dx[n, i]
 *   dx, open [N, I] f32    length [N] f32: the norm of dx (lengths.wgsl.ts)
 * A start image at which every path to the unit is shut would else stay what it is. One invocation, one element.
 * Source: Lucid (Olah, Mordvintsev and Schubert 2017), redirected ReLU, which decides for every ReLU by itself.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain } from './prelude.wgsl.ts';

export function redirect({ batch, image }: { readonly batch: number; readonly image: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> open: array<f32>;
@group(0) @binding(1) var<storage, read> length: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

${linearMain(batch * image)}
  if (length[i / ${image}u] == 0.0) { dx[i] = open[i]; }
}`;
}
