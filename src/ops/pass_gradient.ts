/** The gradient of a layer that passes it on as it is. */
import { concatBackward, concatGrid } from '../../shaders/concat.wgsl.ts';
import type { BackwardContext, GradientTarget } from './op.ts';
import { elements } from './shape.ts';

/** Records dx = dy, for any two shapes of as many elements; nothing is left of it where both can share memory. */
export function passGradient(c: Pick<BackwardContext<unknown>, 'dispatch' | 'dy'>, { tensor, accumulate }: GradientTarget): void {
  // Maps are rows of their own: all elements in one row could be more than one axis of the grid holds.
  const outer = tensor.shape.length > 2 ? elements(tensor.shape.slice(0, 2)) : 1;
  const rows = elements(tensor.shape) / outer;
  const whole = { outer, rows, offset: 0, total: rows };
  c.dispatch({
    kernel: 'concat',
    code: concatBackward({ ...whole, accumulate }),
    tensors: { dy: c.dy, dx: tensor },
    grid: concatGrid(whole),
    flops: 0,
    ...(!accumulate && { copy: { from: c.dy, to: tensor, at: 0, pieces: 1 } }),
  });
}
