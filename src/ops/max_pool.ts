/** Max pooling; the first maximum of a window takes the whole gradient. */
import { maxPool as kernel, maxPoolBackward, poolGrid } from '../../shaders/max_pool.wgsl.ts';
import type { Op } from './op.ts';
import { POOL, poolParameters, poolShape, type PoolAttributes } from './pool.ts';
import { elements } from './shape.ts';

export const maxPool: Op<PoolAttributes> = {
  name: 'max_pool',
  attributes: POOL,
  weights: {},
  arity: [1, 1],
  shape: ([x], attributes, _weights, refuse) => poolShape(x!, attributes, refuse),
  forward(c) {
    const x = c.x[0]!;
    const winner = c.training ? c.scratch(`${c.y.label}.winner`, c.y.shape, 'u32') : undefined;
    if (winner) c.save('winner', winner);
    c.dispatch({
      kernel: 'max_pool',
      code: kernel({ ...poolParameters(x.shape, c.y.shape, c.attributes), winners: c.training }),
      tensors: { x, y: c.y, ...(winner && { winner }) },
      grid: poolGrid(x.shape[0]! * x.shape[1]!, c.y.shape[2]! * c.y.shape[3]!),
      flops: elements(c.y.shape) * c.attributes.kernel[0] * c.attributes.kernel[1],
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const x = c.x[0]!;
    c.dispatch({
      kernel: 'max_pool',
      code: maxPoolBackward({ ...poolParameters(x.shape, c.y.shape, c.attributes), accumulate: target.accumulate }),
      tensors: { winner: c.saved('winner'), dy: c.dy, dx: target.tensor },
      grid: poolGrid(x.shape[0]! * x.shape[1]!, x.shape[2]! * x.shape[3]!),
      flops: elements(c.y.shape),
    });
  },
};
