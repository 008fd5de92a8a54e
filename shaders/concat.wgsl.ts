/**
 * One part of a concatenation, and its gradient: both copy a block of rows.
 *   forward   y[outer, offset + r] = x[outer, r]      backward   dx[outer, r] = dy[outer, offset + r]
 *   x, dx [outer, rows] f32    y, dy [outer, total] f32, where a row is everything from the axis on.
 * One invocation, one element of the part.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain, store } from './prelude.wgsl.ts';

export interface ConcatParameters {
  readonly outer: number;
  /** Elements of one outer index: of this part, before it, and of the whole. */
  readonly rows: number;
  readonly offset: number;
  readonly total: number;
}

export function concat(p: ConcatParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(p.outer * p.rows)}
  y[(i / ${p.rows}u) * ${p.total}u + ${p.offset}u + i % ${p.rows}u] = x[i];
}`;
}

export function concatBackward(p: ConcatParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

${linearMain(p.outer * p.rows)}
  ${store('dx[i]', `dy[(i / ${p.rows}u) * ${p.total}u + ${p.offset}u + i % ${p.rows}u]`, p.accumulate)}
}`;
}
