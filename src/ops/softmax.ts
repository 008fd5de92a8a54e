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
const rowsOf = (shape: Shape, axis: number): SoftmaxParameters => ({
  outer: elements(shape.slice(0, axis)),
  size: shape[axis]!,
  inner: elements(shape.slice(axis + 1)),
});

type RowKernel = (p: SoftmaxParameters) => string;
type RowGradient = (p: SoftmaxParameters & { readonly accumulate: boolean }) => string;

/** An op that treats every row along an axis for itself, by a kernel forward and one backward from its result. */
export const rowwise = (name: string, forward: RowKernel, backward: RowGradient): Op<SoftmaxAttributes> => ({
  name,
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
      kernel: name,
      code: forward(p),
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
      kernel: name,
      code: backward({ ...p, accumulate: target.accumulate }),
      tensors: { y: c.y, dy: c.dy, dx: target.tensor },
      grid: linearGrid(p.outer * p.inner),
      flops: 4 * elements(c.y.shape),
    });
  },
});

export const softmax = rowwise('softmax', kernel, softmaxBackward);
