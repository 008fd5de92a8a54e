/**
 * What max and average pooling share. Loads are what these kernels cost, so one invocation makes a tile of neighbouring
 * outputs and keeps what their windows have in common in registers; its gradient makes the block of inputs whose last
 * window is in the tile. Everything is unrolled, and who covers whom is known here: a test is written only where a
 * window or a block can leave the image. Coordinates are u32 and wrap below zero, so `at < size` tests both ends; what
 * is read outside is not used.
 */
import { linearGrid, linearMain, named, plus, range, within, type Edge } from './prelude.wgsl.ts';

/** Rows and columns. */
export type Pair = readonly [number, number];

export interface PoolParameters {
  /** Planes: N C. */
  readonly planes: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly top: number;
  readonly left: number;
  readonly dilation: Pair;
  /** Outputs of one invocation; none where the windows are too large to unroll: loops, one element an invocation. */
  readonly tile?: Pair | undefined;
}

/** Pooling along one axis: output o reads o stride - before + k dilation, k < kernel. */
export interface Axis {
  readonly size: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly dilation: number;
  /** Neighbouring outputs of one invocation. */
  readonly tile: number;
}

export function axesOf(p: PoolParameters): [Axis, Axis] {
  const [rows, columns] = p.tile ?? [1, 1];
  return [
    { size: p.inHeight, out: p.outHeight, kernel: p.kernel[0], stride: p.stride[0], before: p.top, dilation: p.dilation[0], tile: rows },
    { size: p.inWidth, out: p.outWidth, kernel: p.kernel[1], stride: p.stride[1], before: p.left, dilation: p.dilation[1], tile: columns },
  ];
}

/** Tiles that hold all outputs. */
export const tilesOf = ({ out, tile }: Axis): number => Math.ceil(out / tile);

/** Inputs of one block. */
export const blockOf = ({ stride, tile }: Axis): number => stride * tile;

/** Blocks that hold all inputs. */
export const blocksOf = (axis: Axis): number => Math.ceil((axis.size + axis.before) / blockOf(axis));

/** A position of a tile and the tap of its window, by the position of the input in the tile. */
export const tapAt = ({ stride, dilation }: Axis, output: number, k: number): number => output * stride + k * dilation;

/** Positions that the windows of one tile read, from the first tap of the first one. */
export const inputsOf = (axis: Axis): number[] =>
  [...new Set(range(axis.tile).flatMap((output) => range(axis.kernel).map((k) => tapAt(axis, output, k))))].sort((a, b) => a - b);

/** The window `output` of a tile and its tap on position `input` of the block; undefined where it has none there. */
export function tapOn({ stride, dilation, kernel }: Axis, output: number, input: number): number | undefined {
  const k = (input - output * stride) / dilation;
  return Number.isInteger(k) && k >= 0 && k < kernel ? k : undefined;
}

/** Windows that cover some input of a block, the last one first; those before the tile are negative. */
export function windowsOf(axis: Axis): number[] {
  const first = -Math.floor(((axis.kernel - 1) * axis.dilation) / axis.stride);
  const covers = (output: number): boolean => range(blockOf(axis)).some((input) => tapOn(axis, output, input) !== undefined);
  return range(axis.tile - first, first).filter(covers).reverse();
}

/** True where tap k of output `output` of some tile lies outside of the image. */
export function tapLeaves(axis: Axis, output: number, k: number): boolean {
  const at = tapAt(axis, output, k) - axis.before;
  const last = Math.floor((axis.out - 1 - output) / axis.tile) * blockOf(axis);
  return at < 0 || at + last >= axis.size;
}

/** Positions of a tile of which some tap leaves the image. */
export const leaving = (axis: Axis): number[] =>
  inputsOf(axis).filter((at) => range(axis.tile).some((output) => range(axis.kernel).some((k) => tapAt(axis, output, k) === at && tapLeaves(axis, output, k))));

/** True where window `output` of some tile is none of the outputs. */
export const windowLeaves = (axis: Axis, output: number): boolean => output < 0 || (blocksOf(axis) - 1) * axis.tile + output >= axis.out;

export type AxisName = 'Y' | 'X';
export const NAMES: readonly [AxisName, AxisName] = ['Y', 'X'];

/** Declares `in<axis><offset>`: whether the offset from `from` is below `size`, for each of the given offsets. */
export const insides = (axis: AxisName, offsets: readonly number[], from: string, size: number): string =>
  offsets.map((offset) => `let in${axis}${named(offset)} = ${plus(from, offset)} < ${size}u;`).join('\n  ');

/** Rows and columns of invocations over one plane. */
function invocations(p: PoolParameters, pass: 'forward' | 'backward'): Pair {
  const [Y, X] = axesOf(p);
  if (!p.tile) return pass === 'forward' ? [Y.out, X.out] : [Y.size, X.size];
  return pass === 'forward' ? [tilesOf(Y), tilesOf(X)] : [blocksOf(Y), blocksOf(X)];
}

export function poolGrid(p: PoolParameters, pass: 'forward' | 'backward'): [number, number, number] {
  const [rows, columns] = invocations(p, pass);
  return linearGrid(p.planes * rows * columns);
}

/** Entry point: binds the plane, and row and column (u32) of the tile or block, or without tiles of the element `i`. */
export function poolMain(p: PoolParameters, pass: 'forward' | 'backward'): string {
  const [rows, columns] = invocations(p, pass);
  return `
${linearMain(p.planes * rows * columns)}
  let line = i / ${columns}u;
  let column = i - line * ${columns}u;
  let plane = line / ${rows}u;
  let row = line - plane * ${rows}u;`;
}

/** The edges of outputs in tiles, and of inputs in blocks. */
const outputEdge = (axis: Axis): Edge => ({ count: axis.tile, size: axis.out, before: 0, blocks: tilesOf(axis) });
const inputEdge = (axis: Axis): Edge => ({ count: blockOf(axis), size: axis.size, before: axis.before, blocks: blocksOf(axis) });

/** A statement for every output of the tile at (row0, column0) that there is, and for every input of the block there. */
export const outputs = ([Y, X]: readonly [Axis, Axis], statement: (row: number, column: number) => string): string =>
  within('row0', outputEdge(Y), (row) => within('column0', outputEdge(X), (column) => statement(row, column)));

export const inputs = ([Y, X]: readonly [Axis, Axis], statement: (row: number, column: number) => string): string =>
  within('row0', inputEdge(Y), (row) => within('column0', inputEdge(X), (column) => statement(row, column)));

/** A statement for every row of the tile that there is. */
export const outputRows = (Y: Axis, statement: (row: number) => string): string => within('row0', outputEdge(Y), statement);

/**
 * The windows whose tap (ky, kx) lies on input (row, column), in loops, the last one first: `body` runs for each with
 * its index `o`.
 */
export function coveringWindows(p: PoolParameters, body: string): string {
  const [Y, X] = axesOf(p);
  // The last window that starts at or before the input, and the number of windows from there that reach it.
  const loop = (axis: Axis, name: 'y' | 'x', at: string, inner: string): string => {
    const last = (axis.kernel - 1) * axis.dilation;
    const offset = `reach${name} - o${name} * ${axis.stride}u`;
    return `
  let reach${name} = ${at} + ${axis.before}u;
  for (var o${name} = min(reach${name} / ${axis.stride}u, ${axis.out - 1}u); o${name} < ${axis.out}u && ${offset} <= ${last}u; o${name}--) {
    let k${name} = (${offset}) / ${axis.dilation}u;
    if (k${name} * ${axis.dilation}u != ${offset}) { continue; }
    ${inner}
  }`;
  };
  return loop(Y, 'y', 'row', loop(X, 'x', 'column', `let o = (plane * ${Y.out}u + oy) * ${X.out}u + ox;\n    ${body}`));
}
