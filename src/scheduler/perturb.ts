/** Adversarial training: images that have been moved along the gradient of their own loss. */
import { perturb, perturbWalk, squares } from '../../shaders/perturb.wgsl.ts';
import { walkGrid } from '../../shaders/walk.wgsl.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

export interface PerturbTensors {
  /** Images [N, C, H, W], moved in place. */
  readonly x: TensorRef;
  /** Gradient of the loss, of x's shape. */
  readonly g: TensorRef;
  /** [4] f32: the last word is the distance that each image is moved, L2, network units. */
  readonly schedule: TensorRef;
}

export function recordPerturb(recorder: Recorder, { x, g, schedule }: PerturbTensors): void {
  const images = x.shape[0]!;
  const size = elements(x.shape) / images;
  const walk = perturbWalk(size);
  const parts = recorder.scratch('squares', [images, walk.invocations]);
  recorder.dispatch({ kernel: 'perturb', part: 'squares', code: squares({ size }), tensors: { g, parts }, grid: walkGrid(walk, images), flops: 2 * elements(x.shape) });
  recorder.dispatch({ kernel: 'perturb', code: perturb({ size }), tensors: { g, parts, schedule, x }, grid: walkGrid(walk, images), flops: 2 * elements(x.shape) });
}
