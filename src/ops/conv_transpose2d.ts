/**
 * Transposed 2-D convolution: the gradient of a convolution as a layer of its own, so that the kernels of convolution
 * serve it both ways. Weights are [C, M / groups, KH, KW], those of the convolution that takes y to x.
 */
import { FUSED } from './activation.ts';
import { recordChosen } from './conv2d_choice.ts';
import { backwardOperands, convolution, forwardOperands, transposed, type Conv2dAttributes, type Pair } from './conv2d_problem.ts';
import type { Op } from './op.ts';

export interface ConvTranspose2dAttributes extends Conv2dAttributes {
  /** Rows and columns more at the bottom and on the right. Where no window reaches them they hold the bias alone. */
  readonly output_padding: Pair;
}

export const convTranspose2d: Op<ConvTranspose2dAttributes> = {
  name: 'conv_transpose2d',
  attributes: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, output_padding: [0, 0], ...FUSED },
  weights: { weight: true, bias: false },
  arity: [1, 1],
  shape([x], { stride, padding, dilation, groups, output_padding }, { weight, bias }, refuse) {
    if (x!.length !== 4) throw refuse(`conv_transpose2d takes [N, C, H, W], got ${x!.length} axes`);
    if (weight!.shape.length !== 4) throw refuse(`weight must be [C, M/groups, KH, KW], got [${weight!.shape}]`);
    const [channels, perGroup, ...kernel] = weight!.shape as [number, number, number, number];
    if (!(groups >= 1) || x![1] !== channels || channels % groups !== 0) {
      throw refuse(`weight [${weight!.shape}] with ${groups} group(s) does not fit an input of ${x![1]} channels`);
    }
    const outputs = perGroup * groups;
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outputs)) throw refuse(`bias must be [${outputs}], got [${bias.shape}]`);
    if (Math.min(...stride, ...dilation, ...kernel) < 1) throw refuse('stride, dilation and kernel must be at least 1');
    if (Math.min(...output_padding) < 0) throw refuse(`output_padding must not be negative, got [${output_padding}]`);
    const size = (axis: 0 | 1): number =>
      (x![2 + axis]! - 1) * stride[axis] - padding[axis] - padding[axis + 2]! + dilation[axis] * (kernel[axis] - 1) + output_padding[axis] + 1;
    const [height, width] = [size(0), size(1)];
    if (height < 1 || width < 1) throw refuse(`its padding [${padding}] leaves nothing of ${x![2]}x${x![3]}`);
    return [x![0]!, outputs, height, width];
  },
  forward(c) {
    recordChosen(c, transposed(forwardOperands(c)));
  },
  backward(c) {
    const [dx] = c.dx;
    if (dx) recordChosen(c, convolution(backwardOperands(c, dx)));
  },
};
