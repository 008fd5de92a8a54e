/** Sum of two tensors, or of a tensor and a constant `addend`, with numpy broadcasting and a fused activation. */
import { add as kernel, addBackward, addGrid } from '../../shaders/add.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { activationOf, FUSED, gatedGradient, type FusedAttributes } from './activation.ts';
import type { Op } from './op.ts';
import { broadcast, elements, rank4 } from './shape.ts';

export const add: Op<FusedAttributes> = {
  name: 'add',
  attributes: FUSED,
  weights: { addend: false },
  arity: [1, 2],
  shape([a, b], _attributes, { addend }, refuse) {
    const other = b ?? addend?.shape;
    if (!other) throw refuse('add needs a second input or a constant addend');
    if (b && addend) throw refuse('add takes a second input or a constant addend, not both');
    const shape = broadcast(a!, other, refuse);
    if (shape.length > 4) throw refuse(`at most 4 axes, got ${shape.length}`);
    return shape;
  },
  forward(c) {
    const { addend } = c.node.weights;
    const a = c.x[0]!;
    const b = c.x[1] ?? c.constant('addend', addend!.shape, () => addend!.data);
    const parameters = { a: rank4(a.shape), b: rank4(b.shape), y: rank4(c.y.shape), activation: activationOf(c.attributes) };
    c.dispatch({
      kernel: 'add',
      code: kernel(parameters),
      tensors: { a, b, y: c.y },
      grid: addGrid(parameters),
      flops: elements(c.y.shape),
    });
  },
  backward(c) {
    if (c.dx.every((target) => !target)) return;
    const dy = gatedGradient(c);
    c.dx.forEach((target, index) => {
      if (!target) return;
      const x = c.x[index]!;
      c.dispatch({
        kernel: 'add',
        code: addBackward({ x: rank4(x.shape), y: rank4(c.y.shape), accumulate: target.accumulate }),
        tensors: { dy, dx: target.tensor },
        grid: linearGrid(elements(x.shape)),
        flops: elements(c.y.shape),
        ...(elements(x.shape) === elements(c.y.shape) && !target.accumulate && { copy: { from: dy, to: target.tensor, at: 0, pieces: 1 } }),
      });
    });
  },
};
