/**
 * Softmax along one axis, and its gradient.
 *   y[k] = exp(x[k] - max x) / sum of exp(x - max x)      dx[k] = y[k] (dy[k] - sum of y dy)
 *   x, y, dy, dx [outer, size, inner] f32, softmax over `size`.
 * One invocation per (outer, inner) walks its row three times, some classes a step.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain, plus, range, store, sum } from './prelude.wgsl.ts';

export interface SoftmaxParameters {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

/** Classes of one step of a walk. */
const STEP = 8;

/** Runs `body` over the row that begins at `first`, in steps of several classes whose indices it gets. */
export function walk(p: SoftmaxParameters, body: (at: readonly string[]) => string): string {
  const rest = p.size % STEP;
  const indices = (start: string, count: number): string[] => range(count).map((k) => plus(start, k * p.inner));
  return `${rest ? body(indices('first', rest)) : ''}
  for (var k = ${rest}u; k < ${p.size}u; k += ${STEP}u) {
    let at = first + k * ${p.inner}u;
    ${body(indices('at', STEP))}
  }`;
}

/** Binds `first`, the index of the first class of row `i`. */
export const from = (p: SoftmaxParameters): string =>
  `let first = (i / ${p.inner}u) * ${p.size * p.inner}u + i % ${p.inner}u;`;

/** Binds `top`, the largest of the row, and `sum`, that of exp(x - top). */
export const topAndSum = (p: SoftmaxParameters): string => `
  var top = x[first];
  ${walk(p, (at) => `top = ${at.reduce((top, k) => `max(${top}, x[${k}])`, 'top')};`)}
  var sum = 0.0;
  ${walk(p, (at) => `sum += ${sum(at.map((k) => `exp(x[${k}] - top)`))};`)}`;

export function softmax(p: SoftmaxParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(p.outer * p.inner)}
  ${from(p)}
  ${topAndSum(p)}
  ${walk(p, (at) => at.map((k) => `y[${k}] = exp(x[${k}] - top) / sum;`).join(' '))}
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
  ${walk(p, (at) => `dot += ${sum(at.map((k) => `y[${k}] * dy[${k}]`))};`)}
  ${walk(p, (at) => at.map((k) => store(`dx[${k}]`, `(y[${k}] * (dy[${k}] - dot))`, p.accumulate)).join(' '))}
}`;
}
