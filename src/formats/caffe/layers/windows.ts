/** Convolution, Deconvolution and Pooling. */
import type { Shape } from '../../../network/network.ts';
import type { Fields } from '../fields.ts';
import type { LayerTranslation, Mapping } from '../translation.ts';

/** Height and width: both from a repeated field of one or two numbers, or from a field each. */
function pair(t: LayerTranslation, param: Fields, name: string, height: string, width: string, fallback: number | undefined, least: number): [number, number] {
  const both = param.integers(name);
  const [h, w] = [param.integer(height), param.integer(width)];
  if (both.length > 2) throw t.refuse(`${name} for ${both.length} axes: only 2 are supported`);
  if (both.length > 0 && (h !== undefined || w !== undefined)) throw t.invalid(`${name} and ${height} or ${width} are both given`);
  const sizes = [h ?? both[0] ?? fallback, w ?? both.at(-1) ?? fallback];
  if (sizes.some((size) => size === undefined)) throw t.invalid(`${name} is missing`);
  if (sizes.some((size) => size! < least)) throw t.invalid(`${name} must be at least ${least}`);
  return sizes as [number, number];
}

const around = ([top, left]: readonly [number, number]): [number, number, number, number] => [top, left, top, left];

/** What a convolution and a deconvolution share: sizes of their windows, read from `convolution_param`. */
interface Windows {
  readonly outputs: number;
  readonly groups: number;
  readonly kernel: [number, number];
  readonly stride: [number, number];
  readonly pad: [number, number];
  readonly dilation: [number, number];
  /** Of the bottom: batch, channels, height, width. */
  readonly from: readonly [number, number, number, number];
  readonly withBias: boolean;
}

function windowsOf(t: LayerTranslation, groupsLeftOut: (channels: number) => number): Windows {
  if (t.inputs.length > 1) throw t.refuse('one set of weights for several bottoms is not supported');
  t.takes(1);
  const p = t.param('convolution_param');
  p.ignore('weight_filler', 'bias_filler', 'engine', 'force_nd_im2col');
  const from = planes(t);
  const outputs = p.integer('num_output', 0);
  const groups = p.integer('group', groupsLeftOut(from[1]));
  if (t.axis(p.integer('axis', 1)) !== 1) throw t.refuse('channels on another axis than 1 are not supported');
  if (outputs < 1 || groups < 1 || outputs % groups !== 0 || from[1] % groups !== 0) throw t.invalid(`num_output ${outputs} of ${from[1]} channels in ${groups} groups`);
  return {
    outputs,
    groups,
    kernel: pair(t, p, 'kernel_size', 'kernel_h', 'kernel_w', undefined, 1),
    stride: pair(t, p, 'stride', 'stride_h', 'stride_w', 1, 1),
    pad: pair(t, p, 'pad', 'pad_h', 'pad_w', 0, 0),
    dilation: dilationOf(t, p),
    from,
    withBias: p.boolean('bias_term', true),
  };
}

const convolutionOf =
  (groupsLeftOut: (channels: number) => number): Mapping =>
  (t) => {
    const { outputs, groups, kernel, stride, pad, dilation, from, withBias } = windowsOf(t, groupsLeftOut);
    const weight = t.blob(0, 'the weight', [outputs, from[1] / groups, ...kernel]);
    const bias = withBias ? t.blob(1, 'the bias', [outputs]) : undefined;
    const size = ([0, 1] as const).map((i) => Math.floor((from[2 + i]! + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1);
    t.emit({ op: 'conv2d', attributes: { stride, padding: around(pad), dilation, groups }, weights: { weight, bias }, shape: [from[0], outputs, ...size] });
  };

export const convolution = convolutionOf(() => 1);
/** Under the names that forks give it, a group for every channel needs not be written. */
export const depthwise = convolutionOf((channels) => channels);

/** The gradient of a convolution as a layer: its weight is stored from the side of its bottom, [C, M / groups, KH, KW]. */
export const deconvolution: Mapping = (t) => {
  const { outputs, groups, kernel, stride, pad, dilation, from, withBias } = windowsOf(t, () => 1);
  const weight = t.blob(0, 'the weight', [from[1], outputs / groups, ...kernel]);
  const bias = withBias ? t.blob(1, 'the bias', [outputs]) : undefined;
  const size = ([0, 1] as const).map((i) => (from[2 + i]! - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - 2 * pad[i]);
  t.emit({ op: 'conv_transpose2d', attributes: { stride, padding: around(pad), dilation, groups }, weights: { weight, bias }, shape: [from[0], outputs, ...size] });
};

function dilationOf(t: LayerTranslation, p: Fields): [number, number] {
  const sizes = p.integers('dilation');
  if (sizes.length > 2) throw t.refuse(`dilation for ${sizes.length} axes: only 2 are supported`);
  if (sizes.some((size) => size < 1)) throw t.invalid('dilation must be at least 1');
  return [sizes[0] ?? 1, sizes.at(-1) ?? 1];
}

/** The bottom as planes of images. */
function planes(t: LayerTranslation): readonly [number, number, number, number] {
  const shape: Shape = t.shape;
  if (shape.length !== 4) throw t.refuse(`a bottom of ${shape.length} axes [${shape}] is not supported, only [N, C, H, W]`);
  return shape as [number, number, number, number];
}

/** Sizes are rounded up unless the file says otherwise; an average counts the padding that its window covers. */
export const pooling: Mapping = (t) => {
  t.takes(1);
  if (t.layer.tops.length > 1) throw t.refuse('its second top (the mask) is not supported');
  const p = t.param('pooling_param');
  p.ignore('engine');
  const from = planes(t);
  const method = p.word('pool', ['MAX', 'AVE', 'STOCHASTIC'], 'MAX');
  if (method === 'STOCHASTIC') throw t.refuse('stochastic pooling is not supported');
  const global = p.boolean('global_pooling', false);
  const stride = pair(t, p, 'stride', 'stride_h', 'stride_w', 1, 1);
  const pad = pair(t, p, 'pad', 'pad_h', 'pad_w', 0, 0);
  const ceil = p.word('round_mode', ['CEIL', 'FLOOR'], 'CEIL') === 'CEIL';
  if (global) {
    if (stride.some((step) => step !== 1) || pad.some((size) => size !== 0)) throw t.invalid('a stride or a pad has no meaning beside global_pooling');
    t.emit({ op: method === 'MAX' ? 'global_max_pool' : 'global_average_pool', shape: [from[0], from[1], 1, 1] });
    return;
  }
  const kernel = pair(t, p, 'kernel_size', 'kernel_h', 'kernel_w', undefined, 1);
  if (pad.some((size, i) => size >= kernel[i]!)) throw t.invalid(`pad [${pad}] must be smaller than the window [${kernel}]`);
  const size = ([0, 1] as const).map((i) => {
    const steps = (from[2 + i]! + 2 * pad[i] - kernel[i]) / stride[i];
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // Caffe drops a window that starts past the image, but only where there is a pad.
    if (!ceil || (count - 1) * stride[i] < from[2 + i]! + pad[i]) return count;
    if (pad[0] + pad[1] === 0) throw t.refuse(`its last window lies outside of the bottom [${from}], where Caffe makes up a number`);
    return count - 1;
  });
  const attributes = { kernel, stride, padding: around(pad), ceil };
  const shape = [from[0], from[1], ...size];
  if (method === 'MAX') t.emit({ op: 'max_pool', attributes, shape });
  else t.emit({ op: 'average_pool', attributes: { ...attributes, countIncludePad: true }, shape });
};
