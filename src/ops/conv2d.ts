/** 2-D convolution with stride, asymmetric padding, dilation, groups, bias and a fused activation. */
import { FUSED } from './activation.ts';
import { recordChosen } from './conv2d_choice.ts';
import { learnConv2d } from './conv2d_learn.ts';
import { backwardOperands, convolution, forwardOperands, transposed, type Conv2dAttributes } from './conv2d_problem.ts';
import type { Op } from './op.ts';

export type { Conv2dAttributes } from './conv2d_problem.ts';

export const conv2d: Op<Conv2dAttributes> = {
  name: 'conv2d',
  attributes: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, ...FUSED },
  weights: { weight: true, bias: false },
  arity: [1, 1],
  shape([x], { stride, padding, dilation, groups }, { weight, bias }, refuse) {
    if (x!.length !== 4) throw refuse(`conv2d takes [N, C, H, W], got ${x!.length} axes`);
    if (weight!.shape.length !== 4) throw refuse(`weight must be [M, C/groups, KH, KW], got [${weight!.shape}]`);
    const [outputs, channels, kernelHeight, kernelWidth] = weight!.shape as [number, number, number, number];
    if (!(groups >= 1) || x![1] !== channels * groups || outputs % groups !== 0) {
      throw refuse(`weight [${weight!.shape}] with ${groups} group(s) does not fit an input of ${x![1]} channels`);
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outputs)) {
      throw refuse(`bias must be [${outputs}], got [${bias.shape}]`);
    }
    if (Math.min(...stride, ...dilation, kernelHeight, kernelWidth) < 1) throw refuse('stride, dilation and kernel must be at least 1');
    const size = (axis: 0 | 1, kernelSize: number): number =>
      Math.floor((x![2 + axis]! + padding[axis] + padding[axis + 2]! - (kernelSize - 1) * dilation[axis] - 1) / stride[axis]) + 1;
    const [height, width] = [size(0, kernelHeight), size(1, kernelWidth)];
    if (height < 1 || width < 1) throw refuse(`a ${kernelHeight}x${kernelWidth} kernel does not fit an input of ${x![2]}x${x![3]}`);
    return [x![0]!, outputs, height, width];
  },
  forward(c) {
    recordChosen(c, convolution(forwardOperands(c)));
  },
  backward(c) {
    const [dx] = c.dx;
    if (dx) recordChosen(c, transposed(backwardOperands(c, dx)));
  },
  learn: learnConv2d,
};
