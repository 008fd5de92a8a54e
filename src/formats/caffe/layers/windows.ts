/** Convolution and Pooling. */
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

export const convolution: Mapping = (t) => {
  t.takes(1);
  const p = t.param('convolution_param');
  p.ignore('weight_filler', 'bias_filler', 'engine', 'force_nd_im2col');
  const outputs = p.integer('num_output', 0);
  const groups = p.integer('group', 1);
  if (p.integer('axis', 1) !== 1) throw t.refuse('channels on another axis than 1 are not supported');
  if (outputs < 1 || groups < 1 || outputs % groups !== 0) throw t.invalid(`num_output ${outputs} in ${groups} groups`);
  const kernel = pair(t, p, 'kernel_size', 'kernel_h', 'kernel_w', undefined, 1);
  const attributes = {
    stride: pair(t, p, 'stride', 'stride_h', 'stride_w', 1, 1),
    padding: around(pair(t, p, 'pad', 'pad_h', 'pad_w', 0, 0)),
    dilation: dilationOf(t, p),
    groups,
  };
  const weight = t.blob(0, 'the weight', [outputs, -1, ...kernel]);
  const bias = p.boolean('bias_term', true) ? t.blob(1, 'the bias', [outputs]) : undefined;
  t.emit({ op: 'conv2d', attributes, weights: { weight, bias } });
};

function dilationOf(t: LayerTranslation, p: Fields): [number, number] {
  const sizes = p.integers('dilation');
  if (sizes.length > 2) throw t.refuse(`dilation for ${sizes.length} axes: only 2 are supported`);
  if (sizes.some((size) => size < 1)) throw t.invalid('dilation must be at least 1');
  return [sizes[0] ?? 1, sizes.at(-1) ?? 1];
}

/** Sizes are rounded up unless the file says otherwise; an average counts the padding that its window covers. */
export const pooling: Mapping = (t) => {
  t.takes(1);
  if (t.layer.tops.length > 1) throw t.refuse('its second top (the mask) is not supported');
  const p = t.param('pooling_param');
  p.ignore('engine');
  const method = p.word('pool', ['MAX', 'AVE', 'STOCHASTIC'], 'MAX');
  if (method === 'STOCHASTIC') throw t.refuse('stochastic pooling is not supported');
  if (p.boolean('global_pooling', false)) {
    p.ignore('stride', 'pad'); // they must be 1 and 0
    if (method === 'MAX') throw t.refuse('global maximum pooling is not supported');
    t.emit({ op: 'global_average_pool' });
    return;
  }
  const attributes = {
    kernel: pair(t, p, 'kernel_size', 'kernel_h', 'kernel_w', undefined, 1),
    stride: pair(t, p, 'stride', 'stride_h', 'stride_w', 1, 1),
    padding: around(pair(t, p, 'pad', 'pad_h', 'pad_w', 0, 0)),
    ceil: p.word('round_mode', ['CEIL', 'FLOOR'], 'CEIL') === 'CEIL',
  };
  if (method === 'MAX') t.emit({ op: 'max_pool', attributes });
  else t.emit({ op: 'average_pool', attributes: { ...attributes, countIncludePad: true } });
};
