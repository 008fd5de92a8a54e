/** BatchNormalization (inference), LRN, Softmax. */
import type { Mapping } from '../translation.ts';

/** BatchNormalization: y = scale (x - mean) / sqrt(variance + epsilon) + shift, per channel. */
export const batchNormalization: Mapping = (t) => {
  const epsilon = t.attributes.float('epsilon', 1e-5);
  t.attributes.ignore('momentum'); // only moves the statistics during training
  if (t.attributes.integer('training_mode', 0) !== 0) throw t.refuse('training_mode is not supported', 'training_mode');
  if (t.opset < 7 && t.attributes.integer('is_test', 0) === 0) {
    throw t.refuse('is_test 0 (statistics of the batch) is not supported', 'is_test');
  }
  if (t.opset < 9 && t.attributes.integer('spatial', 1) === 0) throw t.refuse('spatial 0 is not supported', 'spatial');
  if ([1, 2, 3, 4].some((index) => t.isUsed(index))) throw t.refuse('its outputs for training are used');
  const x = t.runtime(0);
  const channels = x.shape[1];
  if (channels === undefined) throw t.invalid(`the input [${x.shape}] has no channels`);
  const vector = (index: number, what: string) => t.weight(index, what, t.guessed ? undefined : [channels]);
  const weights = {
    scale: vector(1, 'the scale'),
    shift: vector(2, 'the shift B'),
    mean: vector(3, 'the mean'),
    variance: vector(4, 'the variance'),
  };
  t.emit({ op: 'batch_norm', inputs: [x.name], attributes: { epsilon }, weights, shape: x.shape });
};

/** LRN across channels: y = x / (bias + alpha / size * sum x^2)^beta. */
export const lrn: Mapping = (t) => {
  const size = t.attributes.integer('size', 0);
  if (size < 1) throw t.invalid(`size ${size} must be at least 1`);
  const attributes = {
    size,
    alpha: t.attributes.float('alpha', 1e-4),
    beta: t.attributes.float('beta', 0.75),
    k: t.attributes.float('bias', 1),
  };
  const x = t.runtime(0);
  if (x.shape.length < 2) throw t.invalid(`the input [${x.shape}] has no channels`);
  t.emit({ op: 'lrn', inputs: [x.name], attributes, shape: x.shape });
};

/**
 * Softmax. From version 13 on along one axis; before, over all axes from `axis` on together (the input is
 * read as a matrix). That is one axis when the others have size 1, else it takes a reshape there and back.
 */
export const softmax: Mapping = (t) => {
  const stated = t.attributes.integer('axis', t.opset < 13 ? 1 : -1);
  const x = t.runtime(0);
  const rank = x.shape.length;
  const axis = stated < 0 ? stated + rank : stated;
  if (axis < 0 || axis >= Math.max(rank, 1)) throw t.invalid(`axis ${stated} is outside the input [${x.shape}]`);
  const merged = t.opset < 13 ? x.shape.flatMap((size, at) => (at >= axis && size > 1 ? [at] : [])) : [axis];
  if (merged.length <= 1) {
    t.emit({ op: 'softmax', inputs: [x.name], attributes: { axis: merged[0] ?? axis }, shape: x.shape });
    return;
  }
  if (merged[0] === 0) throw t.refuseShape('a softmax over the batch and other axes together is not supported');
  // Axis 0 is copied (0), so that the detour holds for every batch.
  const kept = x.shape.slice(1, Math.max(axis, 1));
  const length = merged.reduce((product, at) => product * x.shape[at]!, 1);
  const flatShape = [x.shape[0]!, ...kept, length];
  const there = { shape: [0, ...kept, length] };
  const flat = t.emit({ op: 'reshape', inputs: [x.name], attributes: there, shape: flatShape, part: 'flat' });
  const along = { axis: flatShape.length - 1 };
  const result = t.emit({ op: 'softmax', inputs: [flat], attributes: along, shape: flatShape, part: 'softmax' });
  t.emit({ op: 'reshape', inputs: [result], attributes: { shape: [0, ...x.shape.slice(1)] }, shape: x.shape });
};
