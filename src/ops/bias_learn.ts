/** The gradient of a bias, of a convolution or of a dense layer. */
import { biasGrid, biasLearn } from '../../shaders/bias_learn.wgsl.ts';
import { WORKGROUP } from '../../shaders/prelude.wgsl.ts';
import { inParts } from './learn_parts.ts';
import type { Recorder, TensorRef } from './op.ts';
import { elements } from './shape.ts';

/** Terms of one sum: longer ones are made in parts. */
const MOST_TERMS = 4096;
/** Sums that keep the processors of a software adapter busy. */
const BUSY = 256;

/** Records db [M], the sum of dy [N, M, ...] over all but its second axis. */
export function recordBias(recorder: Recorder, dy: TensorRef, db: TensorRef): void {
  const { software } = recorder.capabilities;
  const [images, channels, ...rest] = dy.shape as [number, number, ...number[]];
  const positions = elements(rest);
  const split = software ? 1 : WORKGROUP;
  const wanted = Math.max((images * positions) / (MOST_TERMS * split), software && positions > 1 ? BUSY / channels : 1);
  inParts(recorder, 'learn.bias', db, images, wanted, (target, parts, perPart) => {
    const parameters = { images, channels, positions, parts, perPart, split } as const;
    recorder.dispatch({
      kernel: 'bias_learn',
      part: 'bias',
      code: biasLearn(parameters),
      tensors: { dy, db: target },
      grid: biasGrid(parameters),
      flops: images * channels * positions,
    });
  });
}
