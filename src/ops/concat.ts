/** Concatenation along one axis. */
import { concat as kernel, concatBackward, concatGrid, type ConcatParameters } from '../../shaders/concat.wgsl.ts';
import type { Shape } from '../network/network.ts';
import type { Op, TensorRef } from './op.ts';
import { checkAxis, elements } from './shape.ts';

export interface ConcatAttributes {
  readonly axis: number;
}

/** Kernel parameters of every part. */
function parts(x: readonly TensorRef[], y: Shape, axis: number): ConcatParameters[] {
  let offset = 0;
  return x.map((part) => {
    const rows = elements(part.shape.slice(axis));
    const parameters = { outer: elements(y.slice(0, axis)), rows, offset, total: elements(y.slice(axis)) };
    offset += rows;
    return parameters;
  });
}

export const concat: Op<ConcatAttributes> = {
  name: 'concat',
  attributes: { axis: 1 },
  weights: {},
  arity: [1, Infinity],
  shape(inputs, { axis }, _weights, refuse) {
    const [first] = inputs;
    checkAxis(axis, first!.length, refuse);
    for (const shape of inputs) {
      if (shape.length !== first!.length || shape.some((size, i) => i !== axis && size !== first![i])) {
        throw refuse(`shapes ${inputs.map((s) => `[${s}]`).join(', ')} differ outside axis ${axis}`);
      }
    }
    return first!.map((size, i) => (i === axis ? inputs.reduce((sum, shape) => sum + shape[axis]!, 0) : size));
  },
  forward(c) {
    parts(c.x, c.y.shape, c.attributes.axis).forEach((parameters, index) => {
      const x = c.x[index]!;
      c.dispatch({
        kernel: 'concat',
        part: `part${index}`,
        code: kernel(parameters),
        tensors: { x, y: c.y },
        grid: concatGrid(parameters),
        flops: 0,
        copy: { from: x, to: c.y, at: parameters.offset, pieces: parameters.outer },
      });
    });
  },
  backward(c) {
    parts(c.x, c.y.shape, c.attributes.axis).forEach((parameters, index) => {
      const target = c.dx[index];
      if (!target) return;
      c.dispatch({
        kernel: 'concat',
        part: `part${index}`,
        code: concatBackward({ ...parameters, accumulate: target.accumulate }),
        tensors: { dy: c.dy, dx: target.tensor },
        grid: concatGrid(parameters),
        flops: 0,
        ...(!target.accumulate && { copy: { from: c.dy, to: target.tensor, at: parameters.offset, pieces: parameters.outer } }),
      });
    });
  },
};
