/** The direct convolution: the input is laid out once (border, phases, gate), then register tiles run over it. */
import { border, borderGrid, BORDER_SIZES, borderSizes } from '../../shaders/border.wgsl.ts';
import { conv2d as kernel, CONV2D_SIZES, conv2dPositions, conv2dSizes, type Conv2dSizes, type Conv2dVariant } from '../../shaders/conv2d.wgsl.ts';
import { elementwiseGrid } from '../../shaders/prelude.wgsl.ts';
import { gateKernel } from '../../shaders/relu.wgsl.ts';
import { NO_ACTIVATION } from './activation.ts';
import type { Problem } from './conv2d_problem.ts';
import { workgroupFor, type Tile } from './conv2d_tile.ts';
import { packRows, packWeights } from './conv2d_weights.ts';
import type { Choice, Recorder, TensorRef } from './op.ts';
import { elements } from './shape.ts';

/** Accumulators from which stores are a loop on a software adapter, whose compiler is slow. */
export const LOOP_STORES = 128;

export interface Layout {
  /** Rows and columns of one phase plane of the input, border included. */
  readonly height: number;
  readonly width: number;
  /** True where the input already lies so. */
  readonly aligned: boolean;
}

/** How the kernel wants its input to lie. */
export function layoutOf(p: Pick<Problem, 'x' | 'kernel' | 'stride' | 'dilation' | 'insert' | 'top' | 'left' | 'outHeight' | 'outWidth'>): Layout {
  const [, , inHeight, inWidth] = p.x.shape as [number, number, number, number];
  const height = Math.ceil(((p.outHeight - 1) * p.stride[0] + (p.kernel[0] - 1) * p.dilation[0] + 1) / p.stride[0]);
  const width = Math.ceil(((p.outWidth - 1) * p.stride[1] + (p.kernel[1] - 1) * p.dilation[1] + 1) / p.stride[1]);
  const plain = p.stride[0] * p.stride[1] * p.insert[0] * p.insert[1] === 1;
  return { height, width, aligned: plain && p.top === 0 && p.left === 0 && height === inHeight && width === inWidth };
}

/** Records the copy of x into phases with a border, under a `label` of its own; the tensor itself where it already lies right. */
export function layOut(
  recorder: Recorder,
  label: string,
  p: Pick<Problem, 'x' | 'gate' | 'stride' | 'insert' | 'top' | 'left'>,
  { height, width, aligned }: Layout,
): TensorRef {
  const { x, gate } = p;
  const [n, channels, inHeight, inWidth] = x.shape as [number, number, number, number];
  const phases = p.stride[0] * p.stride[1];
  if (aligned && !gate) return x;
  if (aligned && gate) {
    // Nothing moves: the gate alone needs no coordinates.
    const gated = recorder.scratch(`${x.label}.gated`, x.shape);
    recorder.dispatch({
      kernel: 'relu',
      part: 'gate',
      code: gateKernel({ count: elements(x.shape), activation: gate.activation, rule: gate.rule, accumulate: false }),
      tensors: { y: gate.by, dy: x, dx: gated },
      grid: elementwiseGrid(elements(x.shape)),
      flops: 0,
    });
    return gated;
  }
  const y = recorder.scratch(`${x.label}.border`, [n, channels * phases, height, width]);
  const of = { channels, inHeight, inWidth, top: p.top, left: p.left, height, width };
  const sizes = recorder.constant(`${label}.border`, [BORDER_SIZES], () => borderSizes(of));
  recorder.dispatch({
    kernel: 'border',
    part: 'border',
    code: border({ stride: p.stride, insert: p.insert, activation: gate?.activation ?? NO_ACTIVATION, rule: gate?.rule ?? 'gradient' }),
    tensors: gate ? { sizes, x, gateBy: gate.by, y } : { sizes, x, y },
    grid: borderGrid(of, p, n),
    flops: 0,
  });
  return y;
}

/** Records the convolution kernel itself over an input that is laid out. */
export function convolve(
  recorder: Recorder,
  label: string,
  tensors: { x: TensorRef; w: TensorRef; bias?: TensorRef | undefined; y: TensorRef },
  sizes: Conv2dSizes,
  variant: Omit<Conv2dVariant, 'spread' | 'workgroup' | 'bias' | 'unroll' | 'guard' | 'loopStores'>,
  step: { images: number; flops: number; choice?: Choice; part?: string },
): void {
  const { x, w, bias, y } = tensors;
  const { software, subgroups } = recorder.capabilities;
  const across = Math.ceil(conv2dPositions(sizes) / variant.tileP);
  const workgroup = workgroupFor(across, software);
  // A kernel of one tap has too little to do per channel for a loop around it.
  const unroll = variant.kernel[0] * variant.kernel[1] > 1 ? 1 : ([4, 3, 2].find((count) => sizes.channels % count === 0) ?? 1);
  const guard = sizes.outputs % variant.tileM === 0 ? 0 : sizes.outputs % 4 === 0 && variant.tileM % 4 === 0 ? 4 : 1;
  // SwiftShader looks for paths through the body of a loop one by one: many branches there would take it for ever.
  const loopStores = software && !variant.shuffle && guard !== 1 && variant.tileM * variant.tileP >= LOOP_STORES;
  const s = recorder.constant(`${label}.sizes`, [CONV2D_SIZES], () => conv2dSizes(sizes, variant.tileM));
  recorder.dispatch({
    kernel: 'conv2d',
    ...(step.part && { part: step.part }),
    code: kernel({ ...variant, bias: bias !== undefined, workgroup, unroll, guard, loopStores, spread: subgroups && software }),
    tensors: bias ? { sizes: s, x, w, bias, y } : { sizes: s, x, w, y },
    grid: [Math.ceil(across / workgroup), sizes.groups * Math.ceil(sizes.outputs / variant.tileM), step.images],
    flops: step.flops,
    ...(step.choice && { choice: step.choice }),
  });
}

export function recordDirect(recorder: Recorder, p: Problem, { tileM, tileP }: Tile, choice: Choice): void {
  const layout = layoutOf(p);
  const x = layOut(recorder, p.pass, p, layout);
  const { groups, channels, outputs, shuffle } = p;
  const packed = { groups, outputs, channels, taps: p.kernel[0] * p.kernel[1], tileM };
  const tiles = Math.ceil(outputs / tileM);
  const w = recorder.constant(`${p.pass}.weight`, [groups, tiles, channels, packed.taps, tileM], () => packWeights(p.weights(), packed));
  const bias = p.bias && recorder.constant('bias', [groups * tiles * tileM], () => packRows(p.bias!, packed));
  convolve(
    recorder,
    p.pass,
    { x, w, bias, y: p.y },
    {
      groups,
      channels,
      outputs,
      height: layout.height,
      width: layout.width,
      outHeight: p.outHeight,
      outWidth: p.outWidth,
      ...(shuffle && { origin: shuffle.origin, imageHeight: shuffle.height, imageWidth: shuffle.width }),
    },
    {
      kernel: p.kernel,
      stride: p.stride,
      dilation: p.dilation,
      tileM,
      tileP,
      activation: p.activation,
      accumulate: p.accumulate,
      ...(shuffle && { shuffle: shuffle.phase }),
    },
    { images: p.x.shape[0]!, flops: p.flops, choice },
  );
}
