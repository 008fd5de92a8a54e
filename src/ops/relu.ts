/** Rectified linear unit with the four backward rules. */
import { elementwiseGrid } from '../../shaders/prelude.wgsl.ts';
import { relu as kernel, reluBackward } from '../../shaders/relu.wgsl.ts';
import type { Op } from './op.ts';
import { passGradient } from './pass_gradient.ts';
import { elements } from './shape.ts';

export const relu: Op<Record<string, never>> = {
  name: 'relu',
  attributes: {},
  weights: {},
  arity: [1, 1],
  shape: ([x]) => x!,
  forward(c) {
    const count = elements(c.y.shape);
    c.dispatch({
      kernel: 'relu',
      code: kernel({ count }),
      tensors: { x: c.x[0]!, y: c.y },
      grid: elementwiseGrid(count),
      flops: count,
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    if (c.rule === 'linear') return passGradient(c, target);
    const count = elements(c.y.shape);
    c.dispatch({
      kernel: 'relu',
      code: reluBackward({ count, rule: c.rule, accumulate: target.accumulate }),
      tensors: { y: c.y, dy: c.dy, dx: target.tensor },
      grid: elementwiseGrid(count),
      flops: count,
    });
  },
};
