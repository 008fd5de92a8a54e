/** A tensor with its axes in another order. */
import { isCopy, transpose as kernel, transposeGrid } from '../../shaders/transpose.wgsl.ts';
import type { Op, Recorder, TensorRef } from './op.ts';

export interface TransposeAttributes {
  /** Axis of x for each axis of y. */
  readonly order: readonly number[];
}

/** Records y = x transposed, or dx = dy transposed back. */
function record(c: Recorder, names: { readonly source: 'x' | 'dy'; readonly sink: 'y' | 'dx' }, from: TensorRef, to: TensorRef, order: readonly number[], accumulate: boolean): void {
  const p = { from: from.shape, order };
  c.dispatch({
    kernel: 'transpose',
    code: kernel({ ...p, ...names, accumulate }),
    tensors: { [names.source]: from, [names.sink]: to },
    grid: transposeGrid(p),
    flops: 0,
    ...(isCopy(p) && !accumulate && { copy: { from, to, at: 0, pieces: 1 } }),
  });
}

export const transpose: Op<TransposeAttributes> = {
  name: 'transpose',
  attributes: { order: [] },
  weights: {},
  arity: [1, 1],
  shape([x], { order }, _weights, refuse) {
    const isPermutation = order.length === x!.length && x!.every((_, axis) => order.includes(axis));
    if (!isPermutation) throw refuse(`order must name each of the ${x!.length} axes once, got [${order}]`);
    return order.map((axis) => x![axis]!);
  },
  forward(c) {
    record(c, { source: 'x', sink: 'y' }, c.x[0]!, c.y, c.attributes.order, false);
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const { order } = c.attributes;
    const back = order.map((_, axis) => order.indexOf(axis));
    record(c, { source: 'dy', sink: 'dx' }, c.dy, target.tensor, back, target.accumulate);
  },
};
