/** Lp pooling: the p-norm of every window. */
import { lpPool as kernel, lpPoolBackward } from '../../shaders/lp_pool.wgsl.ts';
import { poolGrid } from '../../shaders/pool.wgsl.ts';
import type { Op } from './op.ts';
import { POOL, poolParameters, poolShape, type PoolAttributes } from './pool.ts';
import { elements } from './shape.ts';

export interface LpPoolAttributes extends PoolAttributes {
  /** Exponent of the norm, at least 1. */
  readonly p: number;
}

export const lpPool: Op<LpPoolAttributes> = {
  name: 'lp_pool',
  attributes: { ...POOL, p: 2 },
  weights: {},
  arity: [1, 1],
  shape([x], attributes, _weights, refuse) {
    if (attributes.p < 1) throw refuse(`p must be at least 1, got ${attributes.p}`);
    return poolShape(x!, attributes, refuse);
  },
  forward(c) {
    const x = c.x[0]!;
    const p = { ...poolParameters(x.shape, c.y.shape, c.attributes), p: c.attributes.p };
    c.dispatch({
      kernel: 'lp_pool',
      code: kernel(p),
      tensors: { x, y: c.y },
      grid: poolGrid(p, 'forward'),
      flops: 2 * elements(c.y.shape) * elements(c.attributes.kernel),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const x = c.x[0]!;
    const p = { ...poolParameters(x.shape, c.y.shape, c.attributes), p: c.attributes.p };
    c.dispatch({
      kernel: 'lp_pool',
      code: lpPoolBackward({ ...p, accumulate: target.accumulate }),
      tensors: { x, y: c.y, dy: c.dy, dx: target.tensor },
      grid: poolGrid(p, 'backward'),
      flops: 3 * elements(c.y.shape) * elements(c.attributes.kernel),
    });
  },
};
