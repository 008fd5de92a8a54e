/** 2-D convolution with stride, asymmetric padding, dilation, groups, bias and a fused activation. */
import { border, BORDER_SIZES, borderSizes } from '../../shaders/border.wgsl.ts';
import {
  conv2d as kernel,
  CONV2D_SIZES,
  conv2dPositions,
  conv2dSizes,
  type Conv2dSizes,
  type Conv2dVariant,
} from '../../shaders/conv2d.wgsl.ts';
import { linearGrid, WORKGROUP } from '../../shaders/prelude.wgsl.ts';
import { gateKernel } from '../../shaders/relu.wgsl.ts';
import { activationOf, FUSED, NO_ACTIVATION, type FusedAttributes } from './activation.ts';
import { chooseTile } from './conv2d_tile.ts';
import { packForward, packGradient, packRows } from './conv2d_weights.ts';
import type { BackwardContext, ForwardContext, Op, Recorder, TensorRef } from './op.ts';
import { elements } from './shape.ts';

export interface Conv2dAttributes extends FusedAttributes {
  readonly stride: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

type Pair = readonly [number, number];
type Layout = Pick<Conv2dSizes, 'height' | 'width'>;

/** Records the copy of x into phases with a border; the tensor itself where it already lies right. */
function layOut(
  recorder: Recorder,
  label: string,
  x: TensorRef,
  p: {
    top: number;
    left: number;
    /** Rows and columns that the convolution reads, before the split into phases. */
    rows: number;
    columns: number;
    stride: Pair;
    insert: Pair;
    gate?: { by: TensorRef; activation: Parameters<typeof border>[0]['activation']; rule: Parameters<typeof border>[0]['rule'] };
  },
): { tensor: TensorRef } & Layout {
  const [n, channels, inHeight, inWidth] = x.shape as [number, number, number, number];
  const height = Math.ceil(p.rows / p.stride[0]);
  const width = Math.ceil(p.columns / p.stride[1]);
  const phases = p.stride[0] * p.stride[1];
  const aligned =
    phases === 1 && p.insert[0] * p.insert[1] === 1 && p.top === 0 && p.left === 0 && height === inHeight && width === inWidth;
  if (aligned && !p.gate) return { tensor: x, height, width };
  if (aligned && p.gate) {
    // Nothing moves: the gate alone needs no coordinates.
    const gated = recorder.scratch(`${x.label}.gated`, x.shape);
    recorder.dispatch({
      kernel: 'relu',
      part: 'gate',
      code: gateKernel({ count: elements(x.shape), activation: p.gate.activation, rule: p.gate.rule, accumulate: false }),
      tensors: { y: p.gate.by, dy: x, dx: gated },
      grid: linearGrid(elements(x.shape)),
      flops: 0,
    });
    return { tensor: gated, height, width };
  }
  const y = recorder.scratch(`${x.label}.border`, [n, channels * phases, height, width]);
  const code = border({
    stride: p.stride,
    insert: p.insert,
    activation: p.gate?.activation ?? NO_ACTIVATION,
    rule: p.gate?.rule ?? 'gradient',
  });
  const sizes = recorder.constant(`${label}.border`, [BORDER_SIZES], () =>
    borderSizes({ channels, inHeight, inWidth, top: p.top, left: p.left, height, width }),
  );
  recorder.dispatch({
    kernel: 'border',
    part: 'border',
    code,
    tensors: p.gate ? { sizes, x, gateBy: p.gate.by, y } : { sizes, x, y },
    grid: [Math.ceil((height * width) / WORKGROUP), channels * phases, n],
    flops: 0,
  });
  return { tensor: y, height, width };
}

/** Records the convolution kernel itself over an input that is laid out. */
function convolve(
  recorder: Recorder,
  label: string,
  tensors: { x: TensorRef; w: TensorRef; bias?: TensorRef | undefined; y: TensorRef },
  sizes: Conv2dSizes,
  variant: Omit<Conv2dVariant, 'quad' | 'workgroup' | 'bias' | 'unroll'>,
  flops: number,
): void {
  const { x, w, bias, y } = tensors;
  const across = Math.ceil(conv2dPositions(sizes) / variant.tileP);
  const workgroup = across > 256 ? 64 : across > 64 ? 32 : 16;
  // A 1x1 kernel has too little to do per channel for a loop around it.
  const unroll = variant.kernel[0] * variant.kernel[1] === 1 && sizes.channels % 4 === 0 ? 4 : 1;
  const s = recorder.constant(`${label}.sizes`, [CONV2D_SIZES], () => conv2dSizes(sizes, variant.tileM));
  recorder.dispatch({
    kernel: 'conv2d',
    code: kernel({ ...variant, bias: bias !== undefined, workgroup, unroll, quad: recorder.capabilities.subgroups }),
    tensors: bias ? { sizes: s, x, w, bias, y } : { sizes: s, x, w, y },
    grid: [Math.ceil(across / workgroup), sizes.groups * Math.ceil(sizes.outputs / variant.tileM), x.shape[0]!],
    flops,
  });
}

function forward(c: ForwardContext<Conv2dAttributes>): void {
  const { stride, padding, dilation, groups } = c.attributes;
  const weight = c.node.weights.weight!;
  const [outputs, channels, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const [n, , outHeight, outWidth] = c.y.shape as [number, number, number, number];
  const input = layOut(c, 'forward', c.x[0]!, {
    top: padding[0],
    left: padding[1],
    rows: (outHeight - 1) * stride[0] + (kernelHeight - 1) * dilation[0] + 1,
    columns: (outWidth - 1) * stride[1] + (kernelWidth - 1) * dilation[1] + 1,
    stride,
    insert: [1, 1],
  });
  const perGroup = outputs / groups;
  const positions = conv2dPositions({ outHeight, outWidth, width: input.width });
  const { tileM, tileP } = chooseTile(perGroup, positions, [kernelHeight, kernelWidth]);
  const packed = { groups, outputs: perGroup, channels, kernel: [kernelHeight, kernelWidth] as const, tileM };
  const w = c.constant('weight', [groups, Math.ceil(perGroup / tileM), channels, kernelHeight * kernelWidth, tileM], () =>
    packForward(weight.data, packed),
  );
  const { bias } = c.node.weights;
  const b = bias && c.constant('bias', [groups * Math.ceil(perGroup / tileM) * tileM], () => packRows(bias.data, packed));
  convolve(
    c,
    'forward',
    { x: input.tensor, w, bias: b, y: c.y },
    { groups, channels, outputs: perGroup, height: input.height, width: input.width, outHeight, outWidth },
    { kernel: [kernelHeight, kernelWidth], stride, dilation, tileM, tileP, activation: activationOf(c.attributes), accumulate: false },
    2 * n * outputs * outHeight * outWidth * channels * kernelHeight * kernelWidth,
  );
}

/**
 * The gradient with respect to the input is a convolution of dy with flipped, transposed weights. For stride s it
 * makes s s C channels, one per phase of the input grid, which the store interleaves. A dilated and strided layer
 * (rare) spreads dy with zeros instead.
 */
function backward(c: BackwardContext<Conv2dAttributes>): void {
  const target = c.dx[0];
  if (!target) return;
  const { padding, dilation, groups } = c.attributes;
  const weight = c.node.weights.weight!;
  const [outputs, channels, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const [n, , inHeight, inWidth] = c.x[0]!.shape as [number, number, number, number];
  const activation = activationOf(c.attributes);
  const gate = activation.kind === 'none' ? undefined : { by: c.y, activation, rule: c.rule };
  const dilated = dilation[0] * dilation[1] > 1;
  const phase: Pair = dilated ? [1, 1] : c.attributes.stride;
  const insert: Pair = dilated ? c.attributes.stride : [1, 1];
  const phases = phase[0] * phase[1];
  const taps: Pair = [Math.ceil(kernelHeight / phase[0]), Math.ceil(kernelWidth / phase[1])];
  // Positions q of the phase grid: input row u - padding with u = q phase + r lies in 0 .. inHeight-1.
  const axis = (i: 0 | 1, size: number): { first: number; count: number } => {
    const first = Math.floor(padding[i] / phase[i]);
    return { first, count: Math.floor((padding[i] + size - 1) / phase[i]) - first + 1 };
  };
  const vertical = axis(0, inHeight);
  const horizontal = axis(1, inWidth);
  const reach: Pair = [(taps[0] - 1) * dilation[0], (taps[1] - 1) * dilation[1]];
  const input = layOut(c, 'backward', c.dy, {
    top: reach[0] - vertical.first,
    left: reach[1] - horizontal.first,
    rows: vertical.count + reach[0],
    columns: horizontal.count + reach[1],
    stride: [1, 1],
    insert,
    gate,
  });
  const perGroup = outputs / groups;
  const rows = channels * phases;
  const positions = conv2dPositions({ outHeight: vertical.count, outWidth: horizontal.count, width: input.width });
  const { tileM, tileP } = chooseTile(rows, positions, taps);
  const w = c.constant('weight.gradient', [groups, Math.ceil(rows / tileM), perGroup, taps[0] * taps[1], tileM], () =>
    packGradient(weight.data, { groups, outputs: perGroup, channels, kernel: [kernelHeight, kernelWidth], phase, taps, tileM }),
  );
  const interleaved = phases > 1 || vertical.first * phase[0] !== padding[0] || horizontal.first * phase[1] !== padding[1];
  convolve(
    c,
    'backward',
    { x: input.tensor, w, y: target.tensor },
    {
      groups,
      channels: perGroup,
      outputs: rows,
      height: input.height,
      width: input.width,
      outHeight: vertical.count,
      outWidth: horizontal.count,
      origin: [vertical.first * phase[0] - padding[0], horizontal.first * phase[1] - padding[1]],
      imageHeight: inHeight,
      imageWidth: inWidth,
    },
    {
      kernel: taps,
      stride: [1, 1],
      dilation,
      tileM,
      tileP,
      activation: NO_ACTIVATION,
      accumulate: target.accumulate,
      ...(interleaved && { shuffle: phase }),
    },
    2 * n * elements(c.y.shape.slice(1)) * channels * kernelHeight * kernelWidth,
  );
}

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
  forward,
  backward,
};
