/** Local response normalization across channels. */
import { lrn as kernel, lrnBackward, lrnGrid, type LrnParameters } from '../../shaders/lrn.wgsl.ts';
import type { Op, TensorRef } from './op.ts';
import { passGradient } from './pass_gradient.ts';
import { elements } from './shape.ts';

export interface LrnAttributes {
  /** Channels in the window. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

const parameters = (x: TensorRef, attributes: LrnAttributes): LrnParameters => ({
  batch: x.shape[0]!,
  channels: x.shape[1]!,
  plane: elements(x.shape.slice(2)),
  ...attributes,
});

export const lrn: Op<LrnAttributes> = {
  name: 'lrn',
  attributes: { size: 5, alpha: 1e-4, beta: 0.75, k: 1 },
  weights: {},
  arity: [1, 1],
  shape([x], { size }, _weights, refuse) {
    if (x!.length < 2) throw refuse('lrn takes [N, C, ...]');
    if (!Number.isInteger(size) || size < 1) throw refuse(`size must be a positive whole number, got ${size}`);
    return x!;
  },
  forward(c) {
    const x = c.x[0]!;
    const p = parameters(x, c.attributes);
    c.dispatch({
      kernel: 'lrn',
      code: kernel(p),
      tensors: { x, y: c.y },
      grid: lrnGrid(p),
      flops: elements(x.shape) * (2 * c.attributes.size + 4),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    if (c.lrn === 'identity') return passGradient(c, target);
    const x = c.x[0]!;
    const p = parameters(x, c.attributes);
    c.dispatch({
      kernel: 'lrn',
      code: lrnBackward({ ...p, accumulate: target.accumulate }),
      tensors: { x, dy: c.dy, dx: target.tensor },
      grid: lrnGrid(p),
      flops: elements(x.shape) * (3 * c.attributes.size + 6),
    });
  },
};
