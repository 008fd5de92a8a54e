/**
 * Batch normalization at inference, folded to one multiply-add per element, and its gradient.
 *   y = a[c] x + b[c]      a = scale / sqrt(variance + epsilon), b = shift - a mean
 *   dx = a[c] dy
 *   x, y, dy, dx [N, C, ...] f32    a, b [C] f32. One invocation, one element.
 * Source: Ioffe and Szegedy 2015, algorithm 2.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain, store } from './prelude.wgsl.ts';

export interface BatchNormParameters {
  readonly batch: number;
  readonly channels: number;
  /** Elements of one channel of one image. */
  readonly plane: number;
}

export function batchNorm(p: BatchNormParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

${linearMain(p.batch * p.channels * p.plane)}
  let c = (i / ${p.plane}u) % ${p.channels}u;
  y[i] = a[c] * x[i] + b[c];
}`;
}

export function batchNormBackward(p: BatchNormParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

${linearMain(p.batch * p.channels * p.plane)}
  let c = (i / ${p.plane}u) % ${p.channels}u;
  ${store('dx[i]', 'a[c] * dy[i]', p.accumulate)}
}`;
}
