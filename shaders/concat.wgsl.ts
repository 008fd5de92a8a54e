/**
 * One part of a concatenation, and its gradient: both copy a block of rows.
 *   forward   y[outer, offset + r] = x[outer, r]      backward   dx[outer, r] = dy[outer, offset + r]
 *   x, dx [outer, rows] f32    y, dy [outer, total] f32, where a row is everything from the axis on.
 * One invocation, one element of the part; four in one piece where all rows are whole fours.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { MAX_GROUPS, store, WORKGROUP } from './prelude.wgsl.ts';

export interface ConcatParameters {
  readonly outer: number;
  /** Elements of one outer index: of this part, before it, and of the whole. */
  readonly rows: number;
  readonly offset: number;
  readonly total: number;
}

/** Elements of one access. */
const widthOf = ({ rows, offset, total }: ConcatParameters): 1 | 4 => ([rows, offset, total].every((size) => size % 4 === 0) ? 4 : 1);

const typeOf = (p: ConcatParameters): string => (widthOf(p) === 4 ? 'vec4f' : 'f32');

/** The same in accesses. */
function inAccesses(p: ConcatParameters): ConcatParameters {
  const width = widthOf(p);
  return { outer: p.outer, rows: p.rows / width, offset: p.offset / width, total: p.total / width };
}

/** Grid: the accesses of a row block along x, outer indices along y. */
export const concatGrid = (p: ConcatParameters): [number, number, number] => [Math.ceil(inAccesses(p).rows / WORKGROUP), Math.min(p.outer, MAX_GROUPS), Math.ceil(p.outer / MAX_GROUPS)];

const main = (p: ConcatParameters, body: string): string => `
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let outer = id.z * ${MAX_GROUPS}u + id.y;
  if (id.x >= ${p.rows}u || outer >= ${p.outer}u) { return; }
  let part = outer * ${p.rows}u + id.x;
  let whole = outer * ${p.total}u + ${p.offset}u + id.x;
  ${body}
}`;

export function concat(p: ConcatParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${typeOf(p)}>;
@group(0) @binding(1) var<storage, read_write> y: array<${typeOf(p)}>;
${main(inAccesses(p), 'y[whole] = x[part];')}`;
}

export function concatBackward(p: ConcatParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<${typeOf(p)}>;
@group(0) @binding(1) var<storage, read_write> dx: array<${typeOf(p)}>;
${main(inAccesses(p), store('dx[part]', 'dy[whole]', p.accumulate))}`;
}
