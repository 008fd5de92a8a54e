/**
 * The gradients of a dense layer's weights, dw[m, k] = sum over n of dy[n, m] x[n, k], and of its bias: those of a
 * convolution with one tap over images of one pixel, whose channels are the inputs.
 */
import { gatedGradient, type FusedAttributes } from './activation.ts';
import { recordBias } from './bias_learn.ts';
import { recordLearn } from './conv2d_learn.ts';
import type { LearnContext } from './op.ts';

/** Height, width, kernel and strides of a pixel. */
const PIXEL = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], top: 0, left: 0, height: 1, width: 1, outHeight: 1, outWidth: 1 } as const;

/** Records the gradients of a dense layer's weights. */
export function learnDense(c: LearnContext<FusedAttributes>): void {
  const { weight, bias } = c.dw;
  const dy = gatedGradient(c);
  if (weight) {
    const [outputs, channels] = weight.shape as [number, number];
    recordLearn(c, { ...PIXEL, images: dy.shape[0]!, groups: 1, channels, outputs }, { x: c.x[0]!, dy, dw: weight });
  }
  if (bias) recordBias(c, dy, bias);
}
