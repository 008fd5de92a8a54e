/**
 * The convolution that a layer's forward pass or its gradient comes down to, in one form, so that every kernel serves
 * both, of convolutions and of transposed ones:
 *   y[n, m, oy, ox] = act(bias[m] + sum over c, ky, kx of w[m, c, ky, kx] in[n, c, oy s + ky d - top, ...])
 */
import type { Activation, Rule } from '../../shaders/activation.wgsl.ts';
import { activationOf, NO_ACTIVATION, type FusedAttributes } from './activation.ts';
import type { Tensor } from '../network/network.ts';
import type { BackwardContext, ForwardContext, GradientTarget, TensorRef } from './op.ts';
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
  /** The transpose of a strided convolution: outputs of a group are phases of an image of this size, which begin at `origin`. */
  readonly shuffle?: { readonly phase: Pair; readonly origin: Pair; readonly height: number; readonly width: number };
  /** The input is a gradient that passes an activation first. */
  readonly gate?: { readonly by: TensorRef; readonly activation: Activation; readonly rule: Rule };
  /** [groups, outputs]. */
  readonly bias?: Float32Array;
  readonly activation: Activation;
  readonly accumulate: boolean;
  /** What it makes decides which way a gradient will go. */
  readonly decides: boolean;
  /** [groups, outputs, channels, KH, KW]; made when it is packed, not before. */
  readonly weights: () => Float32Array;
  /** Of the direct method. */
  readonly flops: number;
  /** The convolution itself, or the one that this is the transpose of, for kernels that gather it without turning it round. */
  readonly layer: Pick<Conv2dAttributes, 'stride' | 'padding' | 'dilation'> & { readonly weight: Tensor; readonly transposed: boolean };
}

type Four = readonly [number, number, number, number];

/** A layer's window: what a convolution and its transpose have in common. */
export type Window = Pick<Conv2dAttributes, 'stride' | 'padding' | 'dilation' | 'groups'>;

/** A convolution with `weight` [M, C / groups, KH, KW], or its transpose, from the tensor x to the tensor y. */
interface Operands extends Pick<Problem, 'pass' | 'x' | 'y' | 'gate' | 'activation' | 'accumulate' | 'decides'> {
  readonly window: Window;
  readonly weight: Tensor;
  /** One value per channel of y. */
  readonly bias?: Float32Array | undefined;
}

/** The operands of a layer's forward pass. */
export const forwardOperands = (c: ForwardContext<Conv2dAttributes>): Operands => ({
  pass: 'forward',
  x: c.x[0]!,
  y: c.y,
  window: c.attributes,
  weight: c.node.weights.weight!,
  bias: c.node.weights.bias?.data,
  activation: activationOf(c.attributes),
  accumulate: false,
  decides: c.training,
});

/** The operands of a layer's gradient with respect to its input. */
export function backwardOperands(c: BackwardContext<Conv2dAttributes>, dx: GradientTarget): Operands {
  const activation = activationOf(c.attributes);
  return {
    pass: 'backward',
    x: c.dy,
    y: dx.tensor,
    window: c.attributes,
    weight: c.node.weights.weight!,
    ...(activation.kind !== 'none' && c.rule !== 'linear' && { gate: { by: c.y, activation, rule: c.rule } }),
    activation: NO_ACTIVATION,
    accumulate: dx.accumulate,
    decides: false,
  };
}

/** The forward pass of a convolution, and the gradient of a transposed one. */
export function convolution({ window, weight, bias, ...operands }: Operands): Problem {
  const { stride, padding, dilation, groups } = window;
  const [outputs, channels, ...kernel] = weight.shape as Four;
  const [n, , outHeight, outWidth] = operands.y.shape as Four;
  return {
    ...operands,
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
    ...(bias && { bias }),
    weights: () => weight.data,
    flops: 2 * n * outputs * outHeight * outWidth * channels * kernel[0] * kernel[1],
    layer: { stride, padding, dilation, weight, transposed: false },
  };
}

/** Turned weights may be so many times larger than the weights themselves: a stride past the kernel leaves phases without a tap. */
const MOST_TURNED = 16;

/**
 * The transpose of a convolution, which takes [N, M, OH, OW] to [N, C, H, W]: the gradient of a convolution, and the
 * forward pass of a transposed one. It is a convolution with flipped, transposed weights. For stride s it makes s s C
 * channels, one per phase of the grid of y, which the store interleaves. A dilated and strided layer, and a stride far
 * past the kernel (both rare), spread x with zeros instead.
 */
export function transposed({ window, weight, bias, ...operands }: Operands): Problem {
  const { stride, padding, dilation, groups } = window;
  const [outputs, channels, ...kernel] = weight.shape as Four;
  const [n, , height, width] = operands.y.shape as Four;
  const growth = elements(stride.map((s, i) => Math.ceil(kernel[i]! / s) * s)) / elements(kernel);
  const spread = dilation[0] * dilation[1] > 1 || growth > MOST_TURNED;
  const phase: Pair = spread ? [1, 1] : stride;
  const phases = phase[0] * phase[1];
  const taps: Pair = [Math.ceil(kernel[0] / phase[0]), Math.ceil(kernel[1] / phase[1])];
  // Positions q of the phase grid: row u - padding of y with u = q phase + r lies in 0 .. size-1.
  const axis = (i: 0 | 1, size: number): { first: number; count: number } => {
    const first = Math.floor(padding[i] / phase[i]);
    return { first, count: Math.floor((padding[i] + size - 1) / phase[i]) - first + 1 };
  };
  const vertical = axis(0, height);
  const horizontal = axis(1, width);
  const origin: Pair = [vertical.first * phase[0] - padding[0], horizontal.first * phase[1] - padding[1]];
  const perGroup = outputs / groups;
  return {
    ...operands,
    groups,
    channels: perGroup,
    outputs: channels * phases,
    kernel: taps,
    stride: [1, 1],
    dilation,
    top: (taps[0] - 1) * dilation[0] - vertical.first,
    left: (taps[1] - 1) * dilation[1] - horizontal.first,
    insert: spread ? stride : [1, 1],
    outHeight: vertical.count,
    outWidth: horizontal.count,
    ...((phases > 1 || origin[0] !== 0 || origin[1] !== 0) && { shuffle: { phase, origin, height, width } }),
    ...(bias && { bias: Float32Array.from({ length: bias.length * phases }, (_, row) => bias[Math.floor(row / phases)]!) }),
    weights: () => gradientWeights(weight.data, { groups, outputs: perGroup, channels, kernel, phase, taps }),
    flops: 2 * n * elements(operands.x.shape.slice(1)) * channels * kernel[0] * kernel[1],
    layer: { stride, padding, dilation, weight, transposed: true },
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
