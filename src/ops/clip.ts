/** Clip to an interval; ReLU6 is clip to 0..6. */
import { clip as kernel, clipBackward } from '../../shaders/clip.wgsl.ts';
import { elementwiseGrid } from '../../shaders/prelude.wgsl.ts';
import type { Op } from './op.ts';
import { passGradient } from './pass_gradient.ts';
import { elements } from './shape.ts';

export interface ClipAttributes {
  readonly min: number;
  readonly max: number;
}

export const clip: Op<ClipAttributes> = {
  name: 'clip',
  attributes: { min: -3.4028234663852886e38, max: 3.4028234663852886e38 },
  weights: {},
  arity: [1, 1],
  shape: ([x]) => x!,
  forward(c) {
    const count = elements(c.y.shape);
    c.dispatch({
      kernel: 'clip',
      code: kernel({ count, low: c.attributes.min, high: c.attributes.max }),
      tensors: { x: c.x[0]!, y: c.y },
      grid: elementwiseGrid(count),
      flops: 2 * count,
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    if (c.rule === 'linear') return passGradient(c, target);
    const count = elements(c.y.shape);
    c.dispatch({
      kernel: 'clip',
      code: clipBackward({
        count,
        low: c.attributes.min,
        high: c.attributes.max,
        rule: c.rule,
        accumulate: target.accumulate,
      }),
      tensors: { y: c.y, dy: c.dy, dx: target.tensor },
      grid: elementwiseGrid(count),
      flops: count,
    });
  },
};
