/** BatchNormalization (inference), LayerNormalization, InstanceNormalization, GroupNormalization, LRN. */
import type { Shape, Tensor } from '../../../network/network.ts';
import { axisOf } from '../axes.ts';
import { broadcastStrides, walk } from '../folding/strided.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import type { RuntimeOperand } from '../value.ts';
import { reshapeTo } from './reshaping.ts';

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
  t.emit({ op: 'batch_norm', inputs: [x], attributes: { epsilon }, weights, shape: x.shape });
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
  t.emit({ op: 'lrn', inputs: [x], attributes, shape: x.shape });
};

/** LayerNormalization over `axis` and all axes behind it; scale and shift are spread over them. */
export const layerNormalization: Mapping = (t) => {
  const epsilon = t.attributes.float('epsilon', 1e-5);
  const stated = t.attributes.integer('axis', -1);
  t.attributes.ignore('stash_type'); // the type of the inner sums: float32 here
  if (t.isUsed(1) || t.isUsed(2)) throw t.refuse('its outputs for training are used');
  const x = t.runtime(0);
  const axis = axisOf(t, stated, x.shape);
  const normalized = x.shape.slice(axis);
  if (axis === 0 && x.grown !== x.shape) t.noteBatch('a normalization over the batch');
  const spread = (index: number, what: string): Tensor => spreadOver(t, t.weight(index, what), normalized, what);
  const weights = { scale: spread(1, 'the scale'), shift: t.operand(2) ? spread(2, 'the shift B') : undefined };
  t.emit({ op: 'layer_norm', inputs: [x], attributes: { axis, epsilon }, weights, shape: x.shape });
};

function spreadOver(t: NodeTranslation, weight: Tensor, shape: Shape, what: string): Tensor {
  const from = weight.shape.slice(Math.max(0, weight.shape.length - shape.length));
  const offset = shape.length - from.length;
  const fits = weight.data.length === from.reduce((product, size) => product * size, 1) && from.every((size, axis) => size === 1 || size === shape[axis + offset]);
  if (!fits) throw t.invalid(`${what} has the shape [${weight.shape}], [${shape}] is needed`);
  const data = new Float32Array(t.claim(shape));
  walk(weight.data, data, shape, broadcastStrides(from, shape));
  return { shape, data };
}

/** InstanceNormalization: every channel of every image by itself, then scale and shift per channel. */
export const instanceNormalization: Mapping = (t) => {
  const epsilon = t.attributes.float('epsilon', 1e-5);
  const x = t.runtime(0);
  if (x.shape.length < 3) throw t.invalid(`the input [${x.shape}] has no axes behind the channels`);
  const normalized = t.emit({ op: 'layer_norm', inputs: [x], attributes: { axis: 2, epsilon }, shape: x.shape, part: 'normalize' });
  affine(t, normalized, x.shape[1]!, 1);
};

/** GroupNormalization: some channels together; scale and shift per group before version 21, per channel from then on. */
export const groupNormalization: Mapping = (t) => {
  const epsilon = t.attributes.float('epsilon', 1e-5);
  const groups = t.attributes.integer('num_groups', 0);
  t.attributes.ignore('stash_type');
  const x = t.runtime(0);
  const channels = x.shape[1] ?? 0;
  if (groups < 1 || channels % groups !== 0) throw t.invalid(`the input [${x.shape}] cannot be put into ${groups} groups`);
  const rest = x.shape.slice(1).reduce((product, size) => product * size, 1) / groups;
  const grouped = reshapeTo(t, x, { shape: [x.shape[0]!, groups, rest], grown: [x.grown[0]!, groups, rest], part: 'groups' });
  const normalized = t.emit({ op: 'layer_norm', inputs: [grouped], attributes: { axis: 2, epsilon }, shape: grouped.shape, part: 'normalize' });
  const back = reshapeTo(t, normalized, { shape: x.shape, grown: x.grown, part: 'channels' });
  affine(t, back, channels, t.opset < 21 ? channels / groups : 1);
};

/** Scale (operand 2) and shift (operand 3) of the channels, `repeat` neighbours having the same. */
function affine(t: NodeTranslation, x: RuntimeOperand, channels: number, repeat: number): void {
  const perChannel = (index: number, what: string): Tensor => {
    const { data } = t.weight(index, what, [channels / repeat]);
    const shape = [channels, ...new Array<number>(x.shape.length - 2).fill(1)];
    return { shape, data: Float32Array.from({ length: channels }, (_, channel) => data[Math.floor(channel / repeat)]!) };
  };
  const scaled = t.emit({ op: 'multiply', inputs: [x], weights: { operand: perChannel(1, 'the scale') }, shape: x.shape, part: 'scale' });
  t.emit({ op: 'add', inputs: [scaled], weights: { addend: perChannel(2, 'the shift B') }, shape: x.shape });
}
