/**
 * How kernels walk that look at every channel of every image by itself. A row is one channel of one image. Large maps have
 * a workgroup of FOLD lanes for each row; of small ones, and of layers without maps, an invocation takes a row alone.
 */
import { FOLD, fold } from './ascent.wgsl.ts';
import { linearGrid, linearMain, MAX_GROUPS } from './prelude.wgsl.ts';

export interface Rows {
  readonly batch: number;
  readonly channels: number;
  /** Elements of a row. */
  readonly plane: number;
}

/** Elements that one invocation takes alone. */
const ALONE = 64;

/** Invocations of a row. */
export const lanesOf = ({ plane }: Rows): number => (plane > ALONE ? FOLD : 1);

/** Workgroups, one for each of `count` things, folded into y past the limit of x. */
export function groupGrid(count: number): [number, number, number] {
  const rows = Math.ceil(count / MAX_GROUPS);
  return [Math.ceil(count / rows), rows, 1];
}

/** Entry point of a kernel with a workgroup of `size` for each of `count` things: binds its number and the `local` invocation. */
export const groupMain = (name: string, count: number, size: number): string => `@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let ${name} = group.x + group.y * groups.x;
  if (${name} >= ${count}u) { return; }`;

export const rowsGrid = (r: Rows): [number, number, number] => (lanesOf(r) === 1 ? linearGrid : groupGrid)(r.batch * r.channels);

/** Entry point: binds `row` and the `local` lane. */
export const rowsMain = (r: Rows): string =>
  lanesOf(r) === 1 ? `${linearMain(r.batch * r.channels)}\n  let row = i;\n  let local = 0u;` : groupMain('row', r.batch * r.channels, FOLD);

/** Before the entry point: memory where the lanes of a row meet. */
export const rowsShared = (r: Rows, name: string, type: string): string => (lanesOf(r) === 1 ? '' : `var<workgroup> ${name}: array<${type}, ${FOLD}>;`);

/** For every element of the row: binds `at`, its place in the map. */
export const rowsEach = (r: Rows): string => `for (var at = local; at < ${r.plane}u; at += ${lanesOf(r)}u)`;

/** Puts what the lanes have in `own` together, in a fixed order; every lane has the result in `own` then. */
export const rowsFold = (r: Rows, name: string, own: string, joined: (a: string, b: string) => string): string =>
  lanesOf(r) === 1
    ? ''
    : `${name}[local] = ${own};
  ${fold((other) => `${name}[local] = ${joined(`${name}[local]`, `${name}[${other}]`)};`)}
  workgroupBarrier();
  ${own} = ${name}[0];`;
