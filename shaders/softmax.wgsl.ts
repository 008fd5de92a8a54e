/**
 * Softmax along one axis, and its gradient.
 *   y[k] = exp(x[k] - max x) / sum of exp(x - max x)      dx[k] = y[k] (dy[k] - sum of y dy)
 *   x, y, dy, dx [outer, size, inner] f32, softmax over `size`.
 * One invocation per (outer, inner) walks its row three times.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain, store } from './prelude.wgsl.ts';

export interface SoftmaxParameters {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

const walk = (p: SoftmaxParameters, body: string): string =>
  `for (var k = 0u; k < ${p.size}u; k++) { let at = first + k * ${p.inner}u; ${body} }`;

const from = (p: SoftmaxParameters): string =>
  `let first = (i / ${p.inner}u) * ${p.size * p.inner}u + i % ${p.inner}u;`;

export function softmax(p: SoftmaxParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(p.outer * p.inner)}
  ${from(p)}
  var top = x[first];
  ${walk(p, 'top = max(top, x[at]);')}
  var sum = 0.0;
  ${walk(p, 'let e = exp(x[at] - top); y[at] = e; sum += e;')}
  ${walk(p, 'y[at] = y[at] / sum;')}
}`;
}

export function softmaxBackward(p: SoftmaxParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

${linearMain(p.outer * p.inner)}
  ${from(p)}
  var dot = 0.0;
  ${walk(p, 'dot += y[at] * dy[at];')}
  ${walk(p, store('dx[at]', '(y[at] * (dy[at] - dot))', p.accumulate))}
}`;
}
