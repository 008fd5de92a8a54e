/** Softmax along one axis. */
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { softmax as kernel, softmaxBackward, type SoftmaxParameters } from '../../shaders/softmax.wgsl.ts';
import type { Shape } from '../network/network.ts';
import type { Op } from './op.ts';
import { checkAxis, elements } from './shape.ts';

export interface SoftmaxAttributes {
  readonly axis: number;
}

/** The rows along an axis. */
export const rowsOf = (shape: Shape, axis: number): SoftmaxParameters => ({
  outer: elements(shape.slice(0, axis)),
  size: shape[axis]!,
  inner: elements(shape.slice(axis + 1)),
});

export const softmax: Op<SoftmaxAttributes> = {
  name: 'softmax',
  attributes: { axis: 1 },
  weights: {},
  arity: [1, 1],
  shape([x], { axis }, _weights, refuse) {
    checkAxis(axis, x!.length, refuse);
    return x!;
  },
  forward(c) {
    const p = rowsOf(c.y.shape, c.attributes.axis);
    c.dispatch({
      kernel: 'softmax',
      code: kernel(p),
      tensors: { x: c.x[0]!, y: c.y },
      grid: linearGrid(p.outer * p.inner),
      flops: 5 * elements(c.y.shape),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const p = rowsOf(c.y.shape, c.attributes.axis);
    c.dispatch({
      kernel: 'softmax',
      code: softmaxBackward({ ...p, accumulate: target.accumulate }),
      tensors: { y: c.y, dy: c.dy, dx: target.tensor },
      grid: linearGrid(p.outer * p.inner),
      flops: 4 * elements(c.y.shape),
    });
  },
};
