/**
 * A sum for every element of a smaller tensor, over the elements of a larger one that belong to it.
 *   y[i] = sum over r of term(i, r)
 * Where a processor plays the GPU, and where neighbouring invocations read side by side anyway, one invocation makes a
 * whole sum; else the invocations of a workgroup share it and add their parts in a fixed order.
 */
import { offset, sizeOf, type Axis } from './axes.wgsl.ts';
import { linearGrid, MAX_GROUPS, WORKGROUP } from './prelude.wgsl.ts';

export interface Reduction {
  /** Axes of the smaller tensor, and axes that are summed over; the strides are those of the same tensors. */
  readonly kept: readonly Axis[];
  readonly summed: readonly Axis[];
  /** Invocations that share a sum. */
  readonly split: 1 | typeof WORKGROUP;
}

/** Sums that fill a GPU, one invocation each. */
const MANY = 4096;

/** Invocations for each sum of a tensor whose strides stand first. */
export function splitOf({ kept, summed }: Omit<Reduction, 'split'>, software: boolean): Reduction['split'] {
  const innermost = summed.some(({ size, strides }) => size > 1 && strides[0] === 1);
  return !software && sizeOf(summed) >= WORKGROUP / 2 && (innermost || sizeOf(kept) < MANY) ? WORKGROUP : 1;
}

export function reductionGrid({ kept, split }: Reduction): [number, number, number] {
  const sums = sizeOf(kept);
  if (split === 1) return linearGrid(sums);
  const rows = Math.ceil(sums / MAX_GROUPS);
  return [Math.ceil(sums / rows), rows, 1];
}

/**
 * Entry point: `term` reads the elements at at0, at1, ... of as many `tensors`, and `save` stores `sum`, that of index i.
 */
export function reductionMain({ kept, summed, split }: Reduction, tensors: readonly number[], term: string, save: string): string {
  return `${split > 1 ? `var<workgroup> parts: array<f32, ${split}>;` : ''}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  ${split > 1 ? 'let i = block;' : `let i = block * ${WORKGROUP}u + local;`}
  if (i >= ${sizeOf(kept)}u) { return; }
  ${tensors.map((tensor) => `let from${tensor} = ${offset('i', kept, tensor)};`).join(' ')}
  var sum = 0.0;
  for (var r = ${split > 1 ? 'local' : '0u'}; r < ${sizeOf(summed)}u; r += ${split}u) {
    ${tensors.map((tensor) => `let at${tensor} = from${tensor} + ${offset('r', summed, tensor)};`).join(' ')}
    sum += ${term};
  }
  ${split > 1 ? `parts[local] = sum;
  workgroupBarrier();
  if (local > 0u) { return; }
  sum = 0.0;
  for (var part = 0u; part < ${split}u; part++) { sum += parts[part]; }` : ''}
  ${save}
}`;
}

/** WGSL function: the sum of the values of the `split` invocations of a workgroup, for each of them; of one, its own. */
export const total = (split: number): string =>
  split === 1
    ? 'fn total(value: f32, local: u32) -> f32 { return value; }'
    : `var<workgroup> parts: array<f32, ${split}>;
fn total(value: f32, local: u32) -> f32 {
  parts[local] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var part = 0u; part < ${split}u; part++) { sum += parts[part]; }
  workgroupBarrier();
  return sum;
}`;
