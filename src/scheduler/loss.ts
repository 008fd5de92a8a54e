/** The loss of a training step: softmax cross-entropy of the class scores, and what is kept of it between steps. */
import { crossEntropy, tally as tallyKernel } from '../../shaders/cross_entropy.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

export interface LossTensors {
  /** Class scores before softmax [N, K, ...ones]. */
  readonly logits: TensorRef;
  /** [N] u32, each below K. */
  readonly labels: TensorRef;
  /** Gets the gradient of the mean loss, of the shape of `logits`. */
  readonly gradient: TensorRef;
  /** [4] f32, added to: sum of mean losses, correct answers, images, steps. */
  readonly tally: TensorRef;
  /** [2] u32: 1 and the number of the first step whose loss was not finite, or whose label was no class; else 0, 0. */
  readonly halt: TensorRef;
  /** [4] u32: number of the step, ... */
  readonly clock: TensorRef;
}

export interface LossOptions {
  /** The part of every target that is shared out among all classes, from 0 to below 1. */
  readonly smoothing: number;
}

/**
 * Records loss and gradient, and what is kept of them by a recorder of its own: of a pass that some steps leave out.
 * @throws usage for a smoothing out of its range
 */
export function recordLoss(recorder: Recorder, keeper: Recorder, { logits, labels, gradient, tally, halt, clock }: LossTensors, { smoothing }: LossOptions): void {
  if (!(smoothing >= 0 && smoothing < 1)) throw new UnitscopeError('usage', `label smoothing must be from 0 to below 1, got ${smoothing}`, { attribute: 'smoothing' });
  const images = logits.shape[0]!;
  const classes = elements(logits.shape) / images;
  const rows = recorder.scratch('losses', [images, 4]);
  recorder.dispatch({
    kernel: 'cross_entropy',
    code: crossEntropy({ images, classes, smoothing }),
    tensors: { x: logits, labels, gradient, rows },
    grid: linearGrid(images),
    flops: 8 * images * classes,
  });
  keeper.dispatch({
    kernel: 'cross_entropy',
    part: 'tally',
    code: tallyKernel({ images }),
    tensors: { rows, clock, tally, halt },
    grid: [1, 1, 1],
    flops: 4 * images,
  });
}
