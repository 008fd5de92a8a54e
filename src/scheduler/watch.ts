/** Records the measurements that a person watches a training by: norms of weights and their updates, outputs that are zero. */
import { copy } from '../../shaders/copy.wgsl.ts';
import { norms, normsFold, normsWalk } from '../../shaders/norms.wgsl.ts';
import { elementwiseGrid } from '../../shaders/prelude.wgsl.ts';
import { walkGrid } from '../../shaders/walk.wgsl.ts';
import { zeros, zerosGrid } from '../../shaders/zeros.wgsl.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

/** One tensor of weights around a step: three tensors of one shape. */
export interface Watched {
  /** The gradient that the step used. */
  readonly g: TensorRef;
  readonly w: TensorRef;
  /** The weights as they were before the step. */
  readonly before: TensorRef;
}

/** out [4] f32 = sum of g^2 (of those that are finite), sum of w^2, sum of (w - before)^2, number of g that are not finite. */
export function recordNorms(recorder: Recorder, { g, w, before }: Watched, out: TensorRef): void {
  const count = elements(w.shape);
  const walk = normsWalk(count);
  const parts = recorder.scratch(`${w.label}.norms`, [walk.invocations, 4]);
  recorder.dispatch({ kernel: 'norms', part: 'parts', code: norms({ count }), tensors: { g, w, before, parts }, grid: walkGrid(walk, 1), flops: 7 * count });
  recorder.dispatch({ kernel: 'norms', part: 'fold', code: normsFold({ count }), tensors: { parts, out }, grid: [1, 1, 1], flops: 4 * walk.invocations });
}

/** to = from, bit by bit; of one number of elements. */
export function recordCopy(recorder: Recorder, from: TensorRef, to: TensorRef): void {
  const count = elements(from.shape);
  recorder.dispatch({ kernel: 'copy', code: copy({ count }), tensors: { x: from, y: to }, grid: elementwiseGrid(count), flops: 0 });
}

/** out [C, 2] u32 = for each channel (axis 1) of y how many elements are above 0, and how many are not finite. */
export function recordZeros(recorder: Recorder, y: TensorRef, out: TensorRef): void {
  const [batch, channels, ...rest] = y.shape as [number, number, ...number[]];
  const p = { batch, channels, plane: elements(rest) };
  recorder.dispatch({ kernel: 'zeros', code: zeros(p), tensors: { y, out }, grid: zerosGrid(p), flops: 2 * elements(y.shape) });
}
