/**
 * Logarithm of softmax along one axis, and its gradient.
 *   y[k] = x[k] - max x - log(sum of exp(x - max x))      dx[k] = dy[k] - exp(y[k]) sum of dy
 *   x, y, dy, dx [outer, size, inner] f32, softmax over `size`.
 * One invocation per (outer, inner) walks its row three times, some classes a step.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain, store, sum } from './prelude.wgsl.ts';
import { from, topAndSum, walk, type SoftmaxParameters } from './softmax.wgsl.ts';

export function logSoftmax(p: SoftmaxParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(p.outer * p.inner)}
  ${from(p)}
  ${topAndSum(p)}
  let rest = log(sum);
  ${walk(p, (at) => at.map((k) => `y[${k}] = x[${k}] - top - rest;`).join(' '))}
}`;
}

export function logSoftmaxBackward(p: SoftmaxParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

${linearMain(p.outer * p.inner)}
  ${from(p)}
  var sum = 0.0;
  ${walk(p, (at) => `sum += ${sum(at.map((k) => `dy[${k}]`))};`)}
  ${walk(p, (at) => at.map((k) => store(`dx[${k}]`, `(dy[${k}] - exp(y[${k}]) * sum)`, p.accumulate)).join(' '))}
}`;
}
