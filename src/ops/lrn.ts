/** Local response normalization across channels. */
import { lrn as kernel, lrnBackward, type LrnParameters } from '../../shaders/lrn.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import type { Op, TensorRef } from './op.ts';
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
    const s = c.training ? c.scratch(`${c.y.label}.scale`, x.shape) : undefined;
    if (s) c.save('scale', s);
    c.dispatch({
      kernel: 'lrn',
      code: kernel({ ...parameters(x, c.attributes), scales: c.training }),
      tensors: { x, y: c.y, ...(s && { s }) },
      grid: linearGrid(elements(x.shape)),
      flops: elements(x.shape) * (2 * c.attributes.size + 4),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const x = c.x[0]!;
    c.dispatch({
      kernel: 'lrn',
      code: lrnBackward({ ...parameters(x, c.attributes), accumulate: target.accumulate }),
      tensors: { x, y: c.y, s: c.saved('scale'), dy: c.dy, dx: target.tensor },
      grid: linearGrid(elements(x.shape)),
      flops: elements(x.shape) * (3 * c.attributes.size + 6),
    });
  },
};
