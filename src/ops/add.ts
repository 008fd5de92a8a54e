/** Sum of two tensors, or of a tensor and a constant `addend`, with numpy broadcasting. */
import { add as kernel, addBackward } from '../../shaders/add.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import type { Op } from './op.ts';
import { broadcast, elements, rank4 } from './shape.ts';

export const add: Op<Record<string, never>> = {
  name: 'add',
  attributes: {},
  weights: { addend: false },
  arity: [1, 2],
  shape([a, b], _attributes, { addend }, refuse) {
    const other = b ?? addend?.shape;
    if (!other) throw refuse('add needs a second input or a constant addend');
    if (b && addend) throw refuse('add takes a second input or a constant addend, not both');
    return broadcast(a!, other, refuse);
  },
  forward(c) {
    const { addend } = c.node.weights;
    const a = c.x[0]!;
    const b = c.x[1] ?? c.constant('addend', addend!.shape, () => addend!.data);
    const count = elements(c.y.shape);
    c.dispatch({
      kernel: 'add',
      code: kernel({ a: rank4(a.shape), b: rank4(b.shape), y: rank4(c.y.shape) }),
      tensors: { a, b, y: c.y },
      grid: linearGrid(count),
      flops: count,
    });
  },
  backward(c) {
    c.dx.forEach((target, index) => {
      if (!target) return;
      const x = c.x[index]!;
      c.dispatch({
        kernel: 'add',
        code: addBackward({ x: rank4(x.shape), y: rank4(c.y.shape), accumulate: target.accumulate }),
        tensors: { dy: c.dy, dx: target.tensor },
        grid: linearGrid(elements(x.shape)),
        flops: elements(c.y.shape),
        ...(elements(x.shape) === elements(c.y.shape) && !target.accumulate && { copy: { from: c.dy, to: target.tensor, at: 0 } }),
      });
    });
  },
};
