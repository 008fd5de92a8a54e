/** Records the steps around forward and backward of an attack on a picture: its change is shown, judged, and moved. */
import { crossEntropy } from '../../shaders/cross_entropy.wgsl.ts';
import { perturb, signStep } from '../../shaders/fgsm.wgsl.ts';
import { margin } from '../../shaders/margin.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

/**
 * What is climbed, of the class scores before softmax and one class: how much less likely the class is (`cross-entropy`, -ln p),
 * or how far the best other class leads over it (`margin`).
 */
export const ATTACK_LOSSES = ['cross-entropy', 'margin'] as const;
export type AttackLoss = (typeof ATTACK_LOSSES)[number];

/** x [N, C, H, W] = picture [1, C, H, W] + scale[c] change [N, C, H, W]; x and picture in network units, change in pixel levels. */
export function recordPerturb(recorder: Recorder, t: { readonly picture: TensorRef; readonly change: TensorRef; readonly x: TensorRef }, scale: readonly number[]): void {
  const [batch, , height, width] = t.x.shape as [number, number, number, number];
  recorder.dispatch({
    kernel: 'fgsm',
    part: 'perturb',
    code: perturb({ batch, plane: height * width, scale }),
    tensors: { x0: t.picture, d: t.change, x: t.x },
    grid: linearGrid(elements(t.picture.shape)),
    flops: 2 * elements(t.x.shape),
  });
}

export interface LossOfAttack {
  /** Class scores before softmax [N, K, ...ones]. */
  readonly logits: TensorRef;
  /** [N] u32. */
  readonly labels: TensorRef;
  /** Gets the gradient, of the shape of `logits`. */
  readonly gradient: TensorRef;
  /** [N, 4] f32: loss; 1 where the label is the argmax; 1 where something is not finite; 0. */
  readonly rows: TensorRef;
}

/** The gradient of cross-entropy is that of the mean over N images: it points the same way. */
export function recordAttackLoss(recorder: Recorder, loss: AttackLoss, { logits, labels, gradient, rows }: LossOfAttack): void {
  const images = logits.shape[0]!;
  const classes = elements(logits.shape) / images;
  recorder.dispatch({
    kernel: loss === 'margin' ? 'margin' : 'cross_entropy',
    code: loss === 'margin' ? margin({ images, classes }) : crossEntropy({ images, classes, smoothing: 0 }),
    tensors: { x: logits, labels, gradient, rows },
    grid: linearGrid(images),
    flops: 8 * images * classes,
  });
}

export interface SignStepTensors {
  /** [1, C, H, W] f32, pixel levels 0..255. */
  readonly levels: TensorRef;
  /** [N, C, H, W]: gradient in network units, and the change in pixel levels. */
  readonly dx: TensorRef;
  readonly change: TensorRef;
  /** [N, 2] f32, pixel levels: radius of the ball, and step. */
  readonly reach: TensorRef;
}

/** The change by one step up the sign of its gradient, projected to the ball and to valid pixels. */
export function recordSignStep(recorder: Recorder, { levels, dx, change, reach }: SignStepTensors): void {
  const picture = elements(levels.shape);
  recorder.dispatch({
    kernel: 'fgsm',
    part: 'step',
    code: signStep({ batch: change.shape[0]!, picture }),
    tensors: { p: levels, g: dx, reach, d: change },
    grid: linearGrid(picture),
    flops: 4 * elements(change.shape),
  });
}
