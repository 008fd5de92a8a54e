/**
 * Sum or mean of a tensor over some of its axes, and its gradient.
 *   y[i] = scale sum over r of x[i, r]      dx[i, r] = scale dy[i]     scale: 1, or 1 / number of terms
 *   x, dx f32 of any rank; y, dy f32: its axes without those that are summed over.
 * Forward is a reduction. Backward: one invocation per element, or per four where they lie side by side.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { offset, quads, repeatedAxes, sizeOf, stridesOf } from './axes.wgsl.ts';
import { f32, linearGrid, linearMain, store } from './prelude.wgsl.ts';
import { reductionGrid, reductionMain, splitOf, type Reduction } from './reduction.wgsl.ts';

export interface ReduceParameters {
  readonly x: readonly number[];
  /** Axes that are summed over. */
  readonly axes: readonly number[];
  readonly mean: boolean;
  readonly software: boolean;
}

function reduction({ x, axes, software }: ReduceParameters): Reduction {
  const strides = stridesOf(x);
  const all = x.map((size, axis) => ({ size, strides: [strides[axis]!] }));
  const sums = { kept: all.filter((_, axis) => !axes.includes(axis)), summed: all.filter((_, axis) => axes.includes(axis)) };
  return { ...sums, split: splitOf(sums, software) };
}

const scaled = (p: ReduceParameters, value: string): string => (p.mean ? `${value} * ${f32(1 / sizeOf(reduction(p).summed))}` : value);

export const reduceGrid = (p: ReduceParameters): [number, number, number] => reductionGrid(reduction(p));

export function reduce(p: ReduceParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
${reductionMain(reduction(p), [0], 'x[at0]', `y[i] = ${scaled(p, 'sum')};`)}`;
}

/** The walk over dx, and dy that is repeated along it. */
const spreadWalk = ({ x, axes }: ReduceParameters): ReturnType<typeof quads> =>
  quads(repeatedAxes(x, [x, x.map((size, axis) => (axes.includes(axis) ? 1 : size))]), 2);

export const reduceBackwardGrid = (p: ReduceParameters): [number, number, number] => linearGrid(sizeOf(spreadWalk(p).axes));

export function reduceBackward(p: ReduceParameters & { readonly accumulate: boolean }): string {
  const { axes, types } = spreadWalk(p);
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<${types[1]}>;
@group(0) @binding(1) var<storage, read_write> dx: array<${types[0]}>;

${linearMain(sizeOf(axes))}
  ${store('dx[i]', scaled(p, `${types[0]}(dy[${offset('i', axes, 1)}])`), p.accumulate)}
}`;
}
