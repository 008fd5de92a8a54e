/**
 * The convolution that a layer's forward pass or its gradient comes down to, in one form, so that every kernel serves
 * both: y[n, m, oy, ox] = act(bias[m] + sum over c, ky, kx of w[m, c, ky, kx] in[n, c, oy s + ky d - top, ...]).
 */
import type { Activation, Rule } from '../../shaders/activation.wgsl.ts';
import { activationOf, NO_ACTIVATION, type FusedAttributes } from './activation.ts';
import type { Tensor } from '../network/network.ts';
import type { BackwardContext, ForwardContext, TensorRef } from './op.ts';
import { elements } from './shape.ts';

export interface Conv2dAttributes extends FusedAttributes {
  readonly stride: Pair;
  /** Top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
  readonly dilation: Pair;
  readonly groups: number;
}

export type Pair = readonly [number, number];

export interface Problem {
  readonly pass: 'forward' | 'backward';
  readonly x: TensorRef;
  readonly y: TensorRef;
  readonly groups: number;
  /** Input and output channels of one group. */
  readonly channels: number;
  readonly outputs: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Zeros above and left of the input; negative crops. */
  readonly top: number;
  readonly left: number;
  /** Samples of the input lie this far apart, with zeros between. */
  readonly insert: Pair;
  readonly outHeight: number;
  readonly outWidth: number;
  /** The gradient of a strided layer: outputs of a group are phases of an image of this size, which begin at `origin`. */
  readonly shuffle?: { readonly phase: Pair; readonly origin: Pair; readonly height: number; readonly width: number };
  /** The input is a gradient that passes an activation first. */
  readonly gate?: { readonly by: TensorRef; readonly activation: Activation; readonly rule: Rule };
  readonly bias?: Float32Array;
  readonly activation: Activation;
  readonly accumulate: boolean;
  /** What it makes decides which way a gradient will go. */
  readonly decides: boolean;
  /** [groups, outputs, channels, KH, KW]; made when it is packed, not before. */
  readonly weights: () => Float32Array;
  /** Of the direct method. */
  readonly flops: number;
  /** The layer itself, for kernels that gather its gradient without turning it into a convolution. */
  readonly layer: Pick<Conv2dAttributes, 'stride' | 'padding' | 'dilation'> & { readonly weight: Tensor };
}

type Four = readonly [number, number, number, number];

export function forwardProblem(c: ForwardContext<Conv2dAttributes>): Problem {
  const { stride, padding, dilation, groups } = c.attributes;
  const { weight, bias } = c.node.weights;
  const [outputs, channels, ...kernel] = weight!.shape as Four;
  const [n, , outHeight, outWidth] = c.y.shape as Four;
  return {
    pass: 'forward',
    x: c.x[0]!,
    y: c.y,
    groups,
    channels,
    outputs: outputs / groups,
    kernel,
    stride,
    dilation,
    top: padding[0],
    left: padding[1],
    insert: [1, 1],
    outHeight,
    outWidth,
    ...(bias && { bias: bias.data }),
    activation: activationOf(c.attributes),
    accumulate: false,
    decides: c.training,
    weights: () => weight!.data,
    flops: 2 * n * outputs * outHeight * outWidth * channels * kernel[0] * kernel[1],
    layer: { stride, padding, dilation, weight: weight! },
  };
}

/**
 * The gradient with respect to the input is a convolution of dy with flipped, transposed weights. For stride s it
 * makes s s C channels, one per phase of the input grid, which the store interleaves. A dilated and strided layer
 * (rare) spreads dy with zeros instead.
 */
export function backwardProblem(c: BackwardContext<Conv2dAttributes>, dx: { readonly tensor: TensorRef; readonly accumulate: boolean }): Problem {
  const { padding, dilation, groups } = c.attributes;
  const weight = c.node.weights.weight!;
  const [outputs, channels, ...kernel] = weight.shape as Four;
  const [n, , inHeight, inWidth] = c.x[0]!.shape as Four;
  const activation = activationOf(c.attributes);
  const dilated = dilation[0] * dilation[1] > 1;
  const phase: Pair = dilated ? [1, 1] : c.attributes.stride;
  const taps: Pair = [Math.ceil(kernel[0] / phase[0]), Math.ceil(kernel[1] / phase[1])];
  // Positions q of the phase grid: input row u - padding with u = q phase + r lies in 0 .. inHeight-1.
  const axis = (i: 0 | 1, size: number): { first: number; count: number } => {
    const first = Math.floor(padding[i] / phase[i]);
    return { first, count: Math.floor((padding[i] + size - 1) / phase[i]) - first + 1 };
  };
  const vertical = axis(0, inHeight);
  const horizontal = axis(1, inWidth);
  const origin: Pair = [vertical.first * phase[0] - padding[0], horizontal.first * phase[1] - padding[1]];
  const perGroup = outputs / groups;
  return {
    pass: 'backward',
    x: c.dy,
    y: dx.tensor,
    groups,
    channels: perGroup,
    outputs: channels * phase[0] * phase[1],
    kernel: taps,
    stride: [1, 1],
    dilation,
    top: (taps[0] - 1) * dilation[0] - vertical.first,
    left: (taps[1] - 1) * dilation[1] - horizontal.first,
    insert: dilated ? c.attributes.stride : [1, 1],
    outHeight: vertical.count,
    outWidth: horizontal.count,
    ...((phase[0] * phase[1] > 1 || origin[0] !== 0 || origin[1] !== 0) && { shuffle: { phase, origin, height: inHeight, width: inWidth } }),
    ...(activation.kind !== 'none' && { gate: { by: c.y, activation, rule: c.rule } }),
    activation: NO_ACTIVATION,
    accumulate: dx.accumulate,
    decides: false,
    weights: () => gradientWeights(weight.data, { groups, outputs: perGroup, channels, kernel, phase, taps }),
    flops: 2 * n * elements(c.y.shape.slice(1)) * channels * kernel[0] * kernel[1],
    layer: { stride: c.attributes.stride, padding, dilation, weight },
  };
}

/**
 * The weights of the gradient: input and output channels exchange roles and the taps turn round. Row
 * (c, ry, rx) of a group holds the taps ky = ry + phase j of channel c (kx likewise), last j first.
 */
export function gradientWeights(
  weight: Float32Array,
  p: { readonly groups: number; readonly outputs: number; readonly channels: number; readonly kernel: Pair; readonly phase: Pair; readonly taps: Pair },
): Float32Array {
  const [kernelHeight, kernelWidth] = p.kernel;
  const rows = p.channels * p.phase[0] * p.phase[1];
  const taps = p.taps[0] * p.taps[1];
  const turned = new Float32Array(p.groups * rows * p.outputs * taps);
  for (let group = 0; group < p.groups; group++) {
    for (let m = 0; m < p.outputs; m++) {
      for (let c = 0; c < p.channels; c++) {
        const from = ((group * p.outputs + m) * p.channels + c) * kernelHeight * kernelWidth;
        for (let ky = 0; ky < kernelHeight; ky++) {
          for (let kx = 0; kx < kernelWidth; kx++) {
            const row = (c * p.phase[0] + (ky % p.phase[0])) * p.phase[1] + (kx % p.phase[1]);
            const ty = p.taps[0] - 1 - Math.floor(ky / p.phase[0]);
            const tx = p.taps[1] - 1 - Math.floor(kx / p.phase[1]);
            turned[((group * rows + row) * p.outputs + m) * taps + ty * p.taps[1] + tx] = weight[from + ky * kernelWidth + kx]!;
          }
        }
      }
    }
  }
  return turned;
}

/** The same problem for a kernel that reads phases of a strided input as channels: stride 1, ceil(k / s) taps. */
export function phaseWeights(p: Problem): { readonly channels: number; readonly taps: Pair; readonly weights: () => Float32Array } {
  const [sy, sx] = p.stride;
  const [kernelHeight, kernelWidth] = p.kernel;
  const taps: Pair = [Math.ceil(kernelHeight / sy), Math.ceil(kernelWidth / sx)];
  if (sy * sx === 1) return { channels: p.channels, taps, weights: p.weights };
  const channels = p.channels * sy * sx;
  const weights = (): Float32Array => {
    const from = p.weights();
    const to = new Float32Array(p.groups * p.outputs * channels * taps[0] * taps[1]);
    for (let row = 0; row < p.groups * p.outputs; row++) {
      for (let c = 0; c < p.channels; c++) {
        for (let ky = 0; ky < kernelHeight; ky++) {
          for (let kx = 0; kx < kernelWidth; kx++) {
            const channel = (c * sy + (ky % sy)) * sx + (kx % sx);
            const tap = Math.floor(ky / sy) * taps[1] + Math.floor(kx / sx);
            to[(row * channels + channel) * taps[0] * taps[1] + tap] = from[((row * p.channels + c) * kernelHeight + ky) * kernelWidth + kx]!;
          }
        }
      }
    }
    return to;
  };
  return { channels, taps, weights };
}
