/** Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose: kernels are [kh, kw, in, out] in Keras, [out, in, kh, kw] here. */
import type { Tensor } from '../../../network/network.ts';
import type { LayerTranslation, Mapping } from '../translation.ts';
import type { Value } from '../value.ts';
import { transposedWindowsOf, windowsOf, type Padding } from '../windows.ts';
import { activated } from './activation.ts';

interface Settings {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: Padding;
}

function settingsOf({ config }: LayerTranslation): Settings {
  return {
    kernel: config.pair('kernel_size', 1),
    stride: config.pair('strides', 1, [1, 1]),
    dilation: config.pair('dilation_rate', 1, [1, 1]),
    padding: config.wordOr('padding', ['valid', 'same'], 'valid'),
  };
}

/** The bias, where the layer has one; it is the last of the weights. */
const biasOf = (t: LayerTranslation, maps: number): Tensor | undefined => (t.config.flag('use_bias', true) ? t.weight(['bias'], { shape: [maps] }) : undefined);

type Picture = ReturnType<LayerTranslation['image']>;

/** One convolution; returns its result before the activation. */
function convolve(t: LayerTranslation, x: Picture, of: Settings & { weight: Tensor; bias?: Tensor | undefined; groups: number; part?: string }): Value {
  const { stride, dilation, groups, weight, bias } = of;
  const [rows, columns] = [x.height, x.width].map((size, i) => windowsOf(size, of.kernel[i]!, stride[i]!, dilation[i]!, of.padding));
  const padding = [rows!.before, columns!.before, rows!.after, columns!.after];
  const name = t.emit({ op: 'conv2d', inputs: [x.name], attributes: { stride, padding, dilation, groups }, weights: { weight, bias }, ...(of.part && { part: of.part }) });
  return t.picture(name, x, [x.batch, weight.shape[0]!, rows!.count, columns!.count]);
}

export const conv2d: Mapping = (t) => {
  const x = t.image();
  const settings = settingsOf(t);
  const maps = t.config.whole('filters', 1);
  const groups = t.config.wholeOr('groups', 1, 1);
  if (x.channels % groups !== 0 || maps % groups !== 0) throw t.invalid(`${maps} filters over ${x.channels} channels cannot be in ${groups} groups`);
  const weight = t.weight(['kernel'], { shape: [...settings.kernel, x.channels / groups, maps], order: [3, 2, 0, 1] });
  return activated(t, convolve(t, x, { ...settings, groups, weight, bias: biasOf(t, maps) }));
};

/** [kh, kw, C, multiplier] to [C multiplier, 1, kh, kw]: the maps of a channel stand together. TensorFlow.js may leave the multiplier out. */
function depthwiseKernel(t: LayerTranslation, roles: readonly string[], [height, width]: readonly [number, number], channels: number): Tensor {
  const multiplier = t.config.wholeOr('depth_multiplier', -1, 1);
  const { data } = t.weight(roles, { shape: [height, width, channels, multiplier], order: [2, 3, 0, 1] });
  return { shape: [data.length / (height * width), 1, height, width], data };
}

export const depthwiseConv2d: Mapping = (t) => {
  const x = t.image();
  const settings = settingsOf(t);
  const weight = depthwiseKernel(t, ['depthwise_kernel', 'kernel'], settings.kernel, x.channels);
  return activated(t, convolve(t, x, { ...settings, groups: x.channels, weight, bias: biasOf(t, weight.shape[0]!) }));
};

export const separableConv2d: Mapping = (t) => {
  const x = t.image();
  const settings = settingsOf(t);
  const maps = t.config.whole('filters', 1);
  const depthwise = depthwiseKernel(t, ['depthwise_kernel'], settings.kernel, x.channels);
  const channels = depthwise.shape[0]!;
  const weight = t.weight(['pointwise_kernel'], { shape: [1, 1, channels, maps], order: [3, 2, 0, 1] });
  const bias = biasOf(t, maps);
  const spread = convolve(t, x, { ...settings, groups: x.channels, weight: depthwise, part: 'depthwise' });
  const [batch, height, width] = [x.batch, ...[2, 3].map((axis) => spread.shape[x.order[axis]!]!)] as [number, number, number];
  const point: Settings = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: 'valid' };
  return activated(t, convolve(t, { ...x, ...spread, batch, channels, height, width }, { ...point, groups: 1, weight, bias }));
};

export const conv2dTranspose: Mapping = (t) => {
  const x = t.image();
  const { kernel, stride, dilation, padding } = settingsOf(t);
  const maps = t.config.whole('filters', 1);
  const more = t.config.given('output_padding') ? t.config.pair('output_padding', 0) : undefined;
  const [rows, columns] = [x.height, x.width].map((size, i) => transposedWindowsOf(size, kernel[i]!, stride[i]!, dilation[i]!, padding, more?.[i]));
  if (rows!.beyond < 0 || columns!.beyond < 0) throw t.invalid('output_padding cuts the result');
  const weight = t.weight(['kernel'], { shape: [...kernel, maps, x.channels], order: [3, 2, 0, 1] });
  const attributes = {
    stride,
    padding: [rows!.before, columns!.before, rows!.after, columns!.after],
    dilation,
    groups: 1,
    output_padding: [rows!.beyond, columns!.beyond],
  };
  const name = t.emit({ op: 'conv_transpose2d', inputs: [x.name], attributes, weights: { weight, bias: biasOf(t, maps) } });
  return activated(t, t.picture(name, x, [x.batch, maps, rows!.count, columns!.count]));
};
