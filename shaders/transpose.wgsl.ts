/**
 * A tensor with its axes in another order, and its gradient.
 *   y[j0, j1, ...] = x[k0, k1, ...]   where k[order[axis]] = j[axis]; dx is dy with the axes put back
 *   x, y, dy, dx f32 of any rank; axes that stay together are walked as one.
 * One invocation writes one element, or four where the last axis stays the last.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { offset, quads, sizeOf, stridesOf, type Quads } from './axes.wgsl.ts';
import { linearGrid, linearMain, store } from './prelude.wgsl.ts';

export interface TransposeParameters {
  /** Shape of what is read. */
  readonly from: readonly number[];
  /** Axis of `from` for each axis of what is written. */
  readonly order: readonly number[];
}

const walk = ({ from, order }: TransposeParameters): Quads => {
  const strides = stridesOf(from);
  return quads(order.map((axis) => ({ size: from[axis]!, strides: [strides[axis]!] })), 1);
};

/** Whether what is written is what is read, element by element. */
export const isCopy = (p: TransposeParameters): boolean => offset('i', walk(p).axes, 0) === 'i';

export const transposeGrid = (p: TransposeParameters): [number, number, number] => linearGrid(sizeOf(walk(p).axes));

/** y from x; `sink` and `source` name them: dx from dy backward. */
export function transpose(p: TransposeParameters & { readonly source: 'x' | 'dy'; readonly sink: 'y' | 'dx'; readonly accumulate: boolean }): string {
  const { axes, types } = walk(p);
  return wgsl`
@group(0) @binding(0) var<storage, read> ${p.source}: array<${types[0]}>;
@group(0) @binding(1) var<storage, read_write> ${p.sink}: array<${types[0]}>;

${linearMain(sizeOf(axes))}
  ${store(`${p.sink}[i]`, `${p.source}[${offset('i', axes, 0)}]`, p.accumulate)}
}`;
}
