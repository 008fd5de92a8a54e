/** BatchNormalization, Normalization and Rescaling are an affine map per channel here; LayerNormalization has statistics of its own. */
import type { Tensor } from '../../../network/network.ts';
import type { LayerTranslation, Mapping } from '../translation.ts';
import { plainOrder, type Value } from '../value.ts';

/** Brings an axis of Keras to where our ops look for channels. */
function channelsAt(t: LayerTranslation, x: Value, axis: number): Value {
  return x.order[1] === axis ? x : t.arrange(x, [0, axis, ...x.order.filter((other) => other !== 0 && other !== axis)]);
}

/** A vector of the layer for each channel: along rows that are a flattened picture it is put in their order. */
function vector(t: LayerTranslation, x: Value, role: string, channels: number): Tensor {
  const { flattened } = x;
  if (!flattened) return t.weight([role], { shape: [channels] });
  const order = flattened.order.slice(1).map((axis) => axis - 1);
  return t.weight([role], { shape: [channels], split: flattened.shape.slice(1), order, as: [channels] });
}

export const batchNormalization: Mapping = (t) => {
  const { config } = t;
  for (const key of ['momentum', 'renorm_momentum', 'renorm_clipping', 'synchronized', 'virtual_batch_size']) config.has(key); // for training
  if (config.flag('renorm', false)) throw t.refuse('renorm is not supported');
  config.flag('fused', true);
  const stated = config.given('axis') ? config.axes('axis') : [-1];
  if (stated.length !== 1) throw t.refuse(`statistics along ${stated.length} axes are not supported`);
  const input = t.input();
  const axis = t.axis(stated[0]!, input);
  const x = channelsAt(t, input, axis);
  const channels = x.shape[axis]!;
  const scale = config.flag('scale', true) ? vector(t, x, 'gamma', channels) : t.filled(channels, 1);
  const shift = config.flag('center', true) ? vector(t, x, 'beta', channels) : t.filled(channels, 0);
  const mean = vector(t, x, 'moving_mean', channels);
  const variance = vector(t, x, 'moving_variance', channels);
  const name = t.emit({ op: 'batch_norm', inputs: [x.name], attributes: { epsilon: config.numberOr('epsilon', 1e-3) }, weights: { scale, shift, mean, variance } });
  return { ...x, name };
};

/** Over the last axes of Keras, which must then lie last here too. */
export const layerNormalization: Mapping = (t) => {
  const { config } = t;
  if (config.flag('rms_scaling', false)) throw t.refuse('rms_scaling is not supported');
  const input = t.plain(t.input());
  const axes = (config.given('axis') ? config.axes('axis') : [-1]).map((axis) => t.axis(axis, input)).sort((a, b) => a - b);
  const first = input.shape.length - axes.length;
  if (axes.some((axis, i) => axis !== first + i)) throw t.refuse(`the axes [${axes}] of [${input.shape}] are not the last ones`);
  const shape = input.shape.slice(first);
  const scale = config.flag('scale', true) ? t.weight(['gamma'], { shape }) : undefined;
  const shift = config.flag('center', true) ? t.weight(['beta'], { shape }) : undefined;
  const name = t.emit({ op: 'layer_norm', inputs: [input.name], attributes: { axis: first, epsilon: config.numberOr('epsilon', 1e-3) }, weights: { scale, shift } });
  return { ...input, name };
};

/** y = scale x + shift, a number for each channel. */
function affine(t: LayerTranslation, x: Value, scale: readonly number[], shift: readonly number[]): Value {
  const tensor = (values: readonly number[]): Tensor => ({ shape: [values.length], data: Float32Array.from(values) });
  const channels = scale.length;
  const weights = { scale: tensor(scale), shift: tensor(shift), mean: t.filled(channels, 0), variance: t.filled(channels, 1) };
  return { ...x, name: t.emit({ op: 'batch_norm', inputs: [x.name], attributes: { epsilon: 0 }, weights }) };
}

/** scale x + offset, each a number, or one for each channel. */
export const rescaling: Mapping = (t) => {
  const values = (key: string, fallback: number): number[] => (!t.config.given(key) ? [fallback] : Array.isArray(t.config.raw(key)) ? t.config.numbers(key) : [t.config.number(key)]);
  const [scale, offset] = [values('scale', NaN), values('offset', 0)];
  if (Number.isNaN(scale[0])) throw t.invalid('scale is missing');
  const input = t.input();
  if (input.shape.length < 2) throw t.refuse(`a tensor of ${input.shape.length} axes is not supported`);
  const last = input.shape.length - 1;
  const perChannel = scale.length > 1 || offset.length > 1;
  const x = perChannel ? channelsAt(t, input.flattened ? t.plain(input) : input, last) : input;
  const channels = x.flattened ? x.shape[1]! : x.shape[x.order[1]!]!;
  for (const list of [scale, offset]) if (list.length !== 1 && list.length !== channels) throw t.invalid(`${list.length} numbers for ${channels} channels`);
  const spread = (list: readonly number[]): number[] => Array.from({ length: channels }, (_, c) => (list.length === 1 ? list[0]! : list[c]!));
  return affine(t, x, spread(scale), spread(offset));
};

/** (x - mean) / sqrt(variance) along the last axis, from weights or from the config. */
export const normalization: Mapping = (t) => {
  const { config } = t;
  if (config.flag('invert', false)) throw t.refuse('invert is not supported');
  const input = t.input();
  const axes = config.given('axis') ? config.axes('axis').map((axis) => t.axis(axis, input)) : [];
  const last = input.shape.length - 1;
  if (axes.length !== 1 || axes[0] !== last) throw t.refuse(`statistics along the axes [${axes}] are not supported, only along the last one`);
  const x = channelsAt(t, t.arrange(input, input.flattened ? plainOrder(2) : input.order), last);
  const channels = x.shape[last]!;
  const read = (key: 'mean' | 'variance'): readonly number[] => {
    if (!config.given(key)) return [...t.weight([key], { shape: [channels] }).data];
    const values = Array.isArray(config.raw(key)) ? config.numbers(key) : [config.number(key)];
    if (values.length !== 1 && values.length !== channels) throw t.invalid(`${values.length} numbers for ${channels} channels`);
    return Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]!);
  };
  const [mean, variance] = [read('mean'), read('variance')];
  const scale = variance.map((value) => 1 / Math.max(Math.sqrt(value), 1e-7));
  return affine(t, x, scale, mean.map((value, c) => -value * scale[c]!));
};
