/** Batch normalization: an affine map per channel, by the running moments or, while the network learns, by those of the batch. */
import { batchNorm as kernel, batchNormBackward, batchNormGrid, type BatchNormParameters } from '../../shaders/batch_norm.wgsl.ts';
import type { Tensor } from '../network/network.ts';
import { backwardLearning, forwardLearning, learnAffine } from './batch_norm_learning.ts';
import type { Op, TensorRef } from './op.ts';
import { elements } from './shape.ts';

export interface BatchNormAttributes {
  readonly epsilon: number;
}

/** y = a x + b per channel, in double precision. */
export function batchNormAffine(
  weights: Readonly<Record<string, Tensor>>,
  epsilon: number,
): { a: Float64Array; b: Float64Array } {
  const [scale, shift, mean, variance] = ['scale', 'shift', 'mean', 'variance'].map((role) => weights[role]!.data);
  const a = Float64Array.from(scale!, (value, c) => value / Math.sqrt(variance![c]! + epsilon));
  return { a, b: a.map((value, c) => shift![c]! - value * mean![c]!) };
}

const parameters = (x: TensorRef): BatchNormParameters => ({
  batch: x.shape[0]!,
  channels: x.shape[1]!,
  plane: elements(x.shape.slice(2)),
});

export const batchNorm: Op<BatchNormAttributes> = {
  name: 'batch_norm',
  attributes: { epsilon: 1e-5 },
  weights: { scale: true, shift: true, mean: true, variance: true },
  arity: [1, 1],
  shape([x], _attributes, weights, refuse) {
    if (x!.length < 2) throw refuse('batch_norm takes [N, C, ...]');
    for (const [role, { shape }] of Object.entries(weights)) {
      if (shape.length !== 1 || shape[0] !== x![1]) throw refuse(`${role} must be [${x![1]}], got [${shape}]`);
    }
    return x!;
  },
  forward(c) {
    const x = c.x[0]!;
    if (c.learning) return forwardLearning(c, c.learning, parameters(x));
    const affine = (): { a: Float64Array; b: Float64Array } => batchNormAffine(c.node.weights, c.attributes.epsilon);
    c.dispatch({
      kernel: 'batch_norm',
      code: kernel(parameters(x)),
      tensors: {
        x,
        a: c.constant('a', [x.shape[1]!], () => Float32Array.from(affine().a)),
        b: c.constant('b', [x.shape[1]!], () => Float32Array.from(affine().b)),
        y: c.y,
      },
      grid: batchNormGrid(parameters(x)),
      flops: 2 * elements(x.shape),
    });
  },
  backward(c) {
    const x = c.x[0]!;
    if (c.learning) return backwardLearning(c, parameters(x));
    const target = c.dx[0];
    if (!target) return;
    c.dispatch({
      kernel: 'batch_norm',
      code: batchNormBackward({ ...parameters(x), accumulate: target.accumulate }),
      tensors: {
        a: c.constant('a', [x.shape[1]!], () => Float32Array.from(batchNormAffine(c.node.weights, c.attributes.epsilon).a)),
        dy: c.dy,
        dx: target.tensor,
      },
      grid: batchNormGrid(parameters(x)),
      flops: elements(x.shape),
    });
  },
  learn: (c) => learnAffine(c, parameters(c.x[0]!)),
  state: ['mean', 'variance'],
};
