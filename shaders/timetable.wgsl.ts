/**
 * What changes from iteration to iteration and was decided beforehand (random transforms, step sizes): a table with a row for
 * each, and the clock that says which one it is. So no number need be sent to the GPU between two iterations.
 *   `timetableRow`: row[j] = table[clock, j], that of the last iteration past the end
 *   `timetableTick`: clock += 1
 *   table [T, J] f32    row [J] f32    clock [1] u32: iterations done
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain } from './prelude.wgsl.ts';

/** One invocation, one number of the row. */
export function timetableRow({ rows, width }: { readonly rows: number; readonly width: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read> clock: array<u32>;
@group(0) @binding(2) var<storage, read_write> row: array<f32>;

${linearMain(width)}
  row[i] = table[min(clock[0], ${rows - 1}u) * ${width}u + i];
}`;
}

export function timetableTick(): string {
  return wgsl`
@group(0) @binding(0) var<storage, read_write> clock: array<u32>;

@compute @workgroup_size(1)
fn main() { clock[0] += 1u; }`;
}
