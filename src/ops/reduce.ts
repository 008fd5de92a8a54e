/** Sum and mean of a tensor over some of its axes. */
import { reduce as kernel, reduceBackward, reduceBackwardGrid, reduceGrid, type ReduceParameters } from '../../shaders/reduce.wgsl.ts';
import type { Capabilities, Op, TensorRef } from './op.ts';
import { checkAxis, elements } from './shape.ts';

export interface ReduceAttributes {
  /** Empty: all of them. */
  readonly axes: readonly number[];
  /** The axes stay, with the size 1. */
  readonly keep: boolean;
}

const parameters = (mean: boolean, x: TensorRef, { axes }: ReduceAttributes, { software }: Capabilities): ReduceParameters => ({
  x: x.shape,
  axes: axes.length > 0 ? axes : [...x.shape.keys()],
  mean,
  software,
});

const reduceOp = (name: string, mean: boolean): Op<ReduceAttributes> => ({
  name,
  attributes: { axes: [], keep: true },
  weights: {},
  arity: [1, 1],
  shape([x], { axes, keep }, _weights, refuse) {
    for (const axis of axes) checkAxis(axis, x!.length, refuse);
    if (new Set(axes).size < axes.length) throw refuse(`axes [${axes}] name one twice`);
    const isSummed = (axis: number): boolean => axes.length === 0 || axes.includes(axis);
    return keep ? x!.map((size, axis) => (isSummed(axis) ? 1 : size)) : x!.filter((_, axis) => !isSummed(axis));
  },
  forward(c) {
    const x = c.x[0]!;
    const p = parameters(mean, x, c.attributes, c.capabilities);
    c.dispatch({ kernel: 'reduce', code: kernel(p), tensors: { x, y: c.y }, grid: reduceGrid(p), flops: elements(x.shape) });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const p = parameters(mean, c.x[0]!, c.attributes, c.capabilities);
    c.dispatch({
      kernel: 'reduce',
      code: reduceBackward({ ...p, accumulate: target.accumulate }),
      tensors: { dy: c.dy, dx: target.tensor },
      grid: reduceBackwardGrid(p),
      flops: mean ? elements(c.x[0]!.shape) : 0,
    });
  },
});

export const reductions: readonly Op<ReduceAttributes>[] = [reduceOp('reduce_mean', true), reduceOp('reduce_sum', false)];
