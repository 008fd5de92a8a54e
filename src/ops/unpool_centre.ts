/** What max pooling of windows and of whole planes share where the gradient goes to the centres of the windows. */
import { poolGrid, type PoolParameters } from '../../shaders/pool.wgsl.ts';
import { unpoolCentre as kernel } from '../../shaders/unpool_centre.wgsl.ts';
import type { BackwardContext, GradientTarget } from './op.ts';
import { elements } from './shape.ts';

export function unpoolCentre(c: Pick<BackwardContext<unknown>, 'dispatch' | 'dy'>, { tensor, accumulate }: GradientTarget, { tile: _, ...p }: PoolParameters): void {
  c.dispatch({
    kernel: 'unpool_centre',
    code: kernel({ ...p, accumulate }),
    tensors: { dy: c.dy, dx: tensor },
    grid: poolGrid(p, 'backward'),
    flops: elements(c.dy.shape),
  });
}
