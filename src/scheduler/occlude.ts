/** Records what occlusion adds around a network: the covered pictures before it, one score of each behind it. */
import { gather, gatherGrid } from '../../shaders/gather.wgsl.ts';
import { occlude } from '../../shaders/occlude.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

export interface OccludeTensors {
  /** [1, C, H, W]. */
  readonly picture: TensorRef;
  /** What a patch shows, of the picture's shape. */
  readonly fill: TensorRef;
  /** [N, 2] u32: top row and left column of each patch. */
  readonly places: TensorRef;
  /** [N, C, H, W], the network's input. */
  readonly x: TensorRef;
}

/** x = the picture N times, each with a patch of `patch` x `patch` pixels over it. */
export function recordOcclude(recorder: Recorder, { picture, fill, places, x }: OccludeTensors, { patch }: { readonly patch: number }): void {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  recorder.dispatch({
    kernel: 'occlude',
    code: occlude({ batch, channels, height, width, patch }),
    tensors: { x: picture, fill, places, y: x },
    grid: linearGrid(elements(picture.shape)),
    flops: 0,
  });
}

/** scores[n] = the element of y, any shape, that at[n] - 1 counts to; of as many as `scores` has. */
export function recordPick(recorder: Recorder, { y, at, scores }: { readonly y: TensorRef; readonly at: TensorRef; readonly scores: TensorRef }): void {
  const count = elements(scores.shape);
  recorder.dispatch({ kernel: 'gather', code: gather({ count }), tensors: { w: y, at, y: scores }, grid: gatherGrid(count), flops: 0 });
}
