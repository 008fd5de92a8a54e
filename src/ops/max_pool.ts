/** Max pooling; the first maximum of a window takes the whole gradient, or without switches the centre of the window. */
import { maxPool as kernel, maxPoolBackward, winnerWords } from '../../shaders/max_pool.wgsl.ts';
import { poolGrid } from '../../shaders/pool.wgsl.ts';
import type { Op } from './op.ts';
import { POOL, poolParameters, poolShape, type PoolAttributes } from './pool.ts';
import { poolTiles } from './pool_tile.ts';
import { elements } from './shape.ts';
import { unpoolCentre } from './unpool_centre.ts';

export const maxPool: Op<PoolAttributes> = {
  name: 'max_pool',
  attributes: POOL,
  weights: {},
  arity: [1, 1],
  shape: ([x], attributes, _weights, refuse) => poolShape(x!, attributes, refuse),
  forward(c) {
    const x = c.x[0]!;
    const sizes = poolParameters(x.shape, c.y.shape, c.attributes);
    const p = { ...sizes, tile: poolTiles(sizes, c.capabilities.software).forward };
    const winner = c.winners ? c.scratch(`${c.y.label}.winner`, [...c.y.shape.slice(0, 3), winnerWords(p)], 'u32') : undefined;
    if (winner) c.save('winner', winner);
    c.dispatch({
      kernel: 'max_pool',
      code: kernel({ ...p, winners: c.winners }),
      tensors: { x, y: c.y, ...(winner && { winner }) },
      grid: poolGrid(p, 'forward'),
      flops: elements(c.y.shape) * c.attributes.kernel[0] * c.attributes.kernel[1],
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const sizes = poolParameters(c.x[0]!.shape, c.y.shape, c.attributes);
    if (!c.switches) return unpoolCentre(c, target, sizes);
    const p = { ...sizes, tile: poolTiles(sizes, c.capabilities.software).backward };
    c.dispatch({
      kernel: 'max_pool',
      code: maxPoolBackward({ ...p, accumulate: target.accumulate }),
      tensors: { winner: c.saved('winner'), dy: c.dy, dx: target.tensor },
      grid: poolGrid(p, 'backward'),
      flops: elements(c.y.shape),
    });
  },
};
