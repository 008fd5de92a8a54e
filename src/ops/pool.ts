/** What max and average pooling share: attributes, output shape, kernel parameters. */
import type { PoolParameters } from '../../shaders/pool.wgsl.ts';
import type { Shape } from '../network/network.ts';
import type { Refuse } from './op.ts';

export interface PoolAttributes {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
  /** Round the output size up: the last window may run past the border. */
  readonly ceil: boolean;
}

export const POOL = {
  kernel: [1, 1],
  stride: [1, 1],
  padding: [0, 0, 0, 0],
  dilation: [1, 1],
  ceil: false,
} as const;

export function poolShape(x: Shape, attributes: PoolAttributes, refuse: Refuse): Shape {
  if (x.length !== 4) throw refuse(`pooling takes [N, C, H, W], got ${x.length} axes`);
  const { kernel, stride, padding, dilation, ceil } = attributes;
  if (Math.min(...kernel, ...stride, ...dilation) < 1) throw refuse('kernel, stride and dilation must be at least 1');
  const size = (axis: 0 | 1): number => {
    const input = x[2 + axis]!;
    const reach = (kernel[axis] - 1) * dilation[axis] + 1;
    const steps = (input + padding[axis] + padding[axis + 2]! - reach) / stride[axis];
    if (steps < 0) throw refuse(`a window of ${reach} does not fit ${input} with its padding`);
    let count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that would start past the image and its leading border is dropped (Caffe, ONNX and PyTorch agree).
    if (ceil && (count - 1) * stride[axis] >= input + padding[axis]) count--;
    return count;
  };
  return [x[0]!, x[1]!, size(0), size(1)];
}

export function poolParameters(x: Shape, y: Shape, { kernel, stride, padding, dilation }: Omit<PoolAttributes, 'ceil'>): PoolParameters {
  return {
    planes: x[0]! * x[1]!,
    inHeight: x[2]!,
    inWidth: x[3]!,
    outHeight: y[2]!,
    outWidth: y[3]!,
    kernel,
    stride,
    top: padding[0],
    left: padding[1],
    dilation,
  };
}
