/** Maximum of every plane: max pooling whose one window is the plane; the first maximum, or the centre, takes the whole gradient. */
import { maxPool, maxPoolBackward, winnerWords } from '../../shaders/max_pool.wgsl.ts';
import { poolGrid, type PoolParameters } from '../../shaders/pool.wgsl.ts';
import type { Op, TensorRef } from './op.ts';
import { poolParameters } from './pool.ts';
import { poolTiles } from './pool_tile.ts';
import { elements } from './shape.ts';
import { unpoolCentre } from './unpool_centre.ts';

const parameters = (x: TensorRef, y: TensorRef, pass: 'forward' | 'backward', software: boolean): PoolParameters => {
  const plane = [x.shape[2]!, x.shape[3]!] as const;
  const sizes = poolParameters(x.shape, y.shape, { kernel: plane, stride: plane, padding: [0, 0, 0, 0], dilation: [1, 1] });
  return { ...sizes, tile: poolTiles(sizes, software)[pass] };
};

export const globalMaxPool: Op<Record<string, never>> = {
  name: 'global_max_pool',
  attributes: {},
  weights: {},
  arity: [1, 1],
  shape([x], _attributes, _weights, refuse) {
    if (x!.length !== 4) throw refuse(`global_max_pool takes [N, C, H, W], got ${x!.length} axes`);
    return [x![0]!, x![1]!, 1, 1];
  },
  forward(c) {
    const x = c.x[0]!;
    const p = parameters(x, c.y, 'forward', c.capabilities.software);
    const winner = c.winners ? c.scratch(`${c.y.label}.winner`, [...c.y.shape.slice(0, 3), winnerWords(p)], 'u32') : undefined;
    if (winner) c.save('winner', winner);
    c.dispatch({
      kernel: 'max_pool',
      code: maxPool({ ...p, winners: c.winners }),
      tensors: { x, y: c.y, ...(winner && { winner }) },
      grid: poolGrid(p, 'forward'),
      flops: elements(x.shape),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const p = parameters(c.x[0]!, c.y, 'backward', c.capabilities.software);
    if (!c.switches) return unpoolCentre(c, target, p);
    c.dispatch({
      kernel: 'max_pool',
      code: maxPoolBackward({ ...p, accumulate: target.accumulate }),
      tensors: { winner: c.saved('winner'), dy: c.dy, dx: target.tensor },
      grid: poolGrid(p, 'backward'),
      flops: elements(c.y.shape),
    });
  },
};
