/** LRN, BatchNorm, Scale, Softmax. */
import type { Tensor } from '../../../network/network.ts';
import type { Mapping } from '../translation.ts';

export const lrn: Mapping = (t) => {
  t.takes(1);
  const p = t.param('lrn_param');
  p.ignore('engine');
  const region = p.word('norm_region', ['ACROSS_CHANNELS', 'WITHIN_CHANNEL'], 'ACROSS_CHANNELS');
  const attributes = { size: p.integer('local_size', 5), alpha: p.number('alpha', 1), beta: p.number('beta', 0.75), k: p.number('k', 1) };
  if (attributes.size < 1 || attributes.size % 2 === 0) throw t.invalid(`local_size ${attributes.size} must be odd`);
  if (region === 'WITHIN_CHANNEL') {
    if (attributes.k !== 1) throw t.invalid('k has no meaning within a channel');
    const { k: _, ...within } = attributes;
    t.emit({ op: 'lrn_within', attributes: within });
  } else t.emit({ op: 'lrn', attributes });
};

/** The file holds sums, and by what they are to be divided. */
export const batchNorm: Mapping = (t) => {
  t.takes(1);
  const p = t.param('batch_norm_param');
  p.ignore('moving_average_fraction');
  if (!p.boolean('use_global_stats', true)) throw t.refuse('use_global_stats: false (statistics of the batch) is not supported');
  const [mean, variance, divisor] = [t.blob(0, 'the mean', [-1]), t.blob(1, 'the variance', [-1]), t.blob(2, 'the divisor', [1]).data[0]!];
  if (mean.data.length !== variance.data.length) throw t.invalid(`mean [${mean.shape}] and variance [${variance.shape}] disagree`);
  const factor = divisor === 0 ? 0 : 1 / divisor;
  const scaled = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.map((value) => value * factor) });
  const weights = { ...unitScale(mean.data.length), mean: scaled(mean), variance: scaled(variance) };
  t.emit({ op: 'batch_norm', attributes: { epsilon: p.number('eps', 1e-5) }, weights });
};

/** A factor per channel, and an addend. */
export const scale: Mapping = (t) => {
  if (t.inputs.length !== 1) throw t.refuse('scaling by another tensor is not supported');
  const p = t.param('scale_param');
  p.ignore('filler', 'bias_filler');
  if (p.integer('axis', 1) !== 1 || p.integer('num_axes', 1) !== 1) throw t.refuse('factors that are not one per channel are not supported');
  const factors = t.blob(0, 'the factors', [-1]);
  const channels = factors.data.length;
  const shift = p.boolean('bias_term', false) ? t.blob(1, 'the addends', [channels]) : filled(channels, 0);
  t.emit({ op: 'batch_norm', attributes: { epsilon: 0 }, weights: { scale: factors, shift, mean: filled(channels, 0), variance: filled(channels, 1) } });
};

export const softmax: Mapping = (t) => {
  t.takes(1);
  const p = t.param('softmax_param');
  p.ignore('engine');
  const axis = p.integer('axis', 1);
  if (axis < 0) throw t.refuse(`an axis counted from the end (${axis}) is not supported`);
  t.emit({ op: 'softmax', attributes: { axis } });
};

const filled = (length: number, value: number): Tensor => ({ shape: [length], data: new Float32Array(length).fill(value) });
const unitScale = (channels: number) => ({ scale: filled(channels, 1), shift: filled(channels, 0) });
