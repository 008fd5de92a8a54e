/** LRN, BatchNorm, Softmax. */
import type { Tensor } from '../../../network/network.ts';
import type { Mapping } from '../translation.ts';
import { filled } from './operands.ts';

export const lrn: Mapping = (t) => {
  t.takes(1);
  const p = t.param('lrn_param');
  p.ignore('engine');
  const region = p.word('norm_region', ['ACROSS_CHANNELS', 'WITHIN_CHANNEL'], 'ACROSS_CHANNELS');
  const attributes = { size: p.integer('local_size', 5), alpha: p.number('alpha', 1), beta: p.number('beta', 0.75), k: p.number('k', 1) };
  if (attributes.size < 1 || attributes.size % 2 === 0) throw t.invalid(`local_size ${attributes.size} must be odd`);
  if (region === 'WITHIN_CHANNEL') {
    const { k: _, ...within } = attributes; // Caffe has 1 in its place there, whatever the file says
    t.emit({ op: 'lrn_within', attributes: within });
  } else t.emit({ op: 'lrn', attributes });
};

/** The file holds sums, and by what they are to be divided. */
export const batchNorm: Mapping = (t) => {
  t.takes(1);
  const p = t.param('batch_norm_param');
  p.ignore('moving_average_fraction');
  if (!p.boolean('use_global_stats', true)) throw t.refuse('use_global_stats: false (statistics of the batch) is not supported');
  const channels = t.shape[1];
  if (channels === undefined) throw t.invalid(`has a bottom [${t.shape}] without channels`);
  const [mean, variance, divisor] = [t.blob(0, 'the mean', [channels]), t.blob(1, 'the variance', [channels]), t.blob(2, 'the divisor', [1]).data[0]!];
  const factor = divisor === 0 ? 0 : 1 / divisor;
  const scaled = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.map((value) => value * factor) });
  const weights = { scale: filled(channels, 1), shift: filled(channels, 0), mean: scaled(mean), variance: scaled(variance) };
  t.emit({ op: 'batch_norm', attributes: { epsilon: p.number('eps', 1e-5) }, weights });
};

export const softmax: Mapping = (t) => {
  t.takes(1);
  const p = t.param('softmax_param');
  p.ignore('engine');
  t.emit({ op: 'softmax', attributes: { axis: t.axisBehindBatch(p.integer('axis', 1), 'a softmax') } });
};
