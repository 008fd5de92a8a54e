/** Local response normalization within a channel, over a square of positions. */
import { lrnWithin as kernel, lrnWithinBackward, lrnWithinCount, type LrnWithinParameters } from '../../shaders/lrn_within.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import type { Op, TensorRef } from './op.ts';
import { passGradient } from './pass_gradient.ts';

export interface LrnWithinAttributes {
  /** Rows and columns of the window, odd. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
}

const parameters = (x: TensorRef, attributes: LrnWithinAttributes): LrnWithinParameters => {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  return { planes: n * channels, height, width, ...attributes };
};

export const lrnWithin: Op<LrnWithinAttributes> = {
  name: 'lrn_within',
  attributes: { size: 5, alpha: 1, beta: 0.75 },
  weights: {},
  arity: [1, 1],
  shape([x], { size }, _weights, refuse) {
    if (x!.length !== 4) throw refuse(`lrn_within takes [N, C, H, W], got ${x!.length} axes`);
    if (!Number.isInteger(size) || size < 1 || size % 2 === 0) throw refuse(`size must be an odd whole number, got ${size}`);
    return x!;
  },
  forward(c) {
    const x = c.x[0]!;
    const p = parameters(x, c.attributes);
    const s = c.training ? c.scratch(`${c.y.label}.scale`, x.shape) : undefined;
    if (s) c.save('scale', s);
    c.dispatch({
      kernel: 'lrn_within',
      code: kernel({ ...p, keep: c.training }),
      tensors: { x, y: c.y, ...(s && { s }) },
      grid: linearGrid(lrnWithinCount(p)),
      flops: lrnWithinCount(p) * (2 * c.attributes.size ** 2 + 4),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    if (c.lrn === 'identity') return passGradient(c, target);
    const x = c.x[0]!;
    const p = parameters(x, c.attributes);
    c.dispatch({
      kernel: 'lrn_within',
      code: lrnWithinBackward({ ...p, accumulate: target.accumulate }),
      tensors: { x, s: c.saved('scale'), dy: c.dy, dx: target.tensor },
      grid: linearGrid(lrnWithinCount(p)),
      flops: lrnWithinCount(p) * (7 * c.attributes.size ** 2 + 5),
    });
  },
};
