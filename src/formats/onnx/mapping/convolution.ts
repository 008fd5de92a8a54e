/** Conv, ConvTranspose. */
import type { Tensor } from '../../../network/network.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import { checkAxes, emitImage, forImage, imageOf, imageWeight } from './image.ts';
import { autoPadOf, listFor, readWindows } from './windows.ts';

/** The weight, of which two axes are channels and the others the kernel. */
function weightOf(t: NodeTranslation): { weight: Tensor; axes: number; kernel: readonly number[] } {
  const stated = t.weight(1, 'the weight W');
  const axes = stated.shape.length - 2;
  checkAxes(t, axes);
  const kernel = stated.shape.slice(2);
  const named = t.attributes.integers('kernel_shape');
  if (named && named.join() !== kernel.join()) throw t.invalid(`kernel_shape [${named}] does not fit the weight [${stated.shape}]`);
  return { weight: imageWeight(stated), axes, kernel: forImage(kernel, axes, 1) };
}

/** Conv: x [N, C, H, W], weight [M, C / groups, kh, kw], bias [M]. */
export const conv: Mapping = (t) => {
  const { weight, axes, kernel } = weightOf(t);
  const groups = t.attributes.integer('group', 1);
  const image = imageOf(t, axes);
  const { x } = image;
  const windows = readWindows(t, x.shape.slice(2), kernel, axes);
  const [maps, perGroup] = weight.shape as [number, number];
  if (groups < 1 || maps % groups !== 0 || x.shape[1] !== perGroup * groups) {
    const needed = perGroup * groups;
    throw t.invalid(`weight [${weight.shape}] in ${groups} groups needs ${needed} channels, the input is [${t.runtime(0).shape}]`);
  }
  const bias = t.operand(2) ? t.weight(2, 'the bias B', [maps]) : undefined;
  const { stride, padding, dilation } = windows;
  emitImage(t, image, {
    op: 'conv2d',
    inputs: [x],
    attributes: { stride, padding, dilation, groups },
    weights: { weight, bias },
    shape: [x.shape[0]!, maps, ...windows.output],
  });
};

/** ConvTranspose: x [N, C, H, W], weight [C, M / groups, kh, kw], bias [M]. */
export const convTranspose: Mapping = (t) => {
  const { weight, axes, kernel } = weightOf(t);
  const groups = t.attributes.integer('group', 1);
  const image = imageOf(t, axes);
  const { x } = image;
  const [channels, perGroup] = weight.shape as [number, number];
  if (groups < 1 || channels % groups !== 0 || x.shape[1] !== channels) {
    throw t.invalid(`weight [${weight.shape}] in ${groups} groups needs ${channels} channels, the input is [${t.runtime(0).shape}]`);
  }
  const maps = perGroup * groups;
  const bias = t.operand(2) ? t.weight(2, 'the bias B', [maps]) : undefined;
  const stride = listFor(t, 'strides', axes, 1, 1);
  const dilation = listFor(t, 'dilations', axes, 1, 1);
  const frame = frameOf(t, x.shape.slice(2), kernel, axes, stride, dilation);
  emitImage(t, image, {
    op: 'conv_transpose2d',
    inputs: [x],
    attributes: { stride, padding: frame.padding, dilation, groups, output_padding: frame.added },
    weights: { weight, bias },
    shape: [x.shape[0]!, maps, ...frame.output],
  });
};

interface Frame {
  /** What is cut off: top, left, bottom, right. */
  readonly padding: number[];
  /** Rows and columns added at the end (output_padding). */
  readonly added: number[];
  readonly output: number[];
}

/**
 * The padding of a transposed convolution. Where the output size is given (output_shape, or SAME: input times stride),
 * the padding is what is over, half on each side, and what is missing is added at the end.
 */
function frameOf(t: NodeTranslation, size: readonly number[], kernel: readonly number[], axes: number, stride: number[], dilation: number[]): Frame {
  const autoPad = autoPadOf(t);
  const pads = listFor(t, 'pads', axes, 0, 0, 2);
  const added = listFor(t, 'output_padding', axes, 0, 0);
  const stated = t.attributes.integers('output_shape');
  if (stated && stated.length !== axes && stated.length !== axes + 2) throw t.invalid(`output_shape [${stated}] needs ${axes} numbers`);
  // Some files give all axes of the result.
  const wanted = stated && forImage(stated.slice(-axes), axes, 1);
  const isSame = autoPad.startsWith('SAME');
  const sides = [0, 1].map((axis) => {
    const full = (size[axis]! - 1) * stride[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1;
    const target = wanted?.[axis] ?? (isSame ? size[axis]! * stride[axis]! : undefined);
    if (target === undefined) {
      const [before, after] = autoPad === 'VALID' ? [0, 0] : [pads[axis]!, pads[axis + 2]!];
      return { before, after, added: added[axis]!, output: full + added[axis]! - before - after };
    }
    const over = full + added[axis]! - target;
    const half = Math.max(0, over) >> 1;
    const rest = Math.max(0, over) - half;
    const [before, after] = autoPad === 'SAME_UPPER' ? [half, rest] : [rest, half];
    return { before, after, added: added[axis]! + Math.max(0, -over), output: target };
  });
  const [rows, columns] = sides as [(typeof sides)[0], (typeof sides)[0]];
  return {
    padding: [rows.before, columns.before, rows.after, columns.after],
    added: [rows.added, columns.added],
    output: [rows.output, columns.output],
  };
}
