/** Logarithm of softmax along one axis. */
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { logSoftmax as kernel, logSoftmaxBackward } from '../../shaders/log_softmax.wgsl.ts';
import type { Op } from './op.ts';
import { checkAxis, elements } from './shape.ts';
import { rowsOf, type SoftmaxAttributes } from './softmax.ts';

export const logSoftmax: Op<SoftmaxAttributes> = {
  name: 'log_softmax',
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
      kernel: 'log_softmax',
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
      kernel: 'log_softmax',
      code: logSoftmaxBackward({ ...p, accumulate: target.accumulate }),
      tensors: { y: c.y, dy: c.dy, dx: target.tensor },
      grid: linearGrid(p.outer * p.inner),
      flops: 4 * elements(c.y.shape),
    });
  },
};
