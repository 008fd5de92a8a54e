/** Dense: over the last axis. Rows go through `dense`; with more axes it is a convolution of 1 x 1. */
import type { LayerTranslation, Mapping } from '../translation.ts';
import { ourShape, type Value } from '../value.ts';
import { activated } from './activation.ts';

export const dense: Mapping = (t) => {
  const x = t.input();
  const units = t.config.whole('units', 1);
  return activated(t, x.shape.length === 2 ? ofRows(t, x, units) : ofLastAxis(t, x, units));
};

const biasOf = (t: LayerTranslation, units: number) => (t.config.flag('use_bias', true) ? t.weight(['bias'], { shape: [units] }) : undefined);

/** A flattened picture has its numbers in the order C, H, W: the columns of the weight are put in that order too. */
function ofRows(t: LayerTranslation, x: Value, units: number): Value {
  const terms = x.shape[1]!;
  const shape = [terms, units];
  const as = [units, terms];
  const inner = x.flattened?.shape.slice(1) ?? [terms];
  const order = [inner.length, ...(x.flattened?.order.slice(1).map((axis) => axis - 1) ?? [0])];
  const weight = t.weight(['kernel'], { shape, split: [...inner, units], order, as });
  const name = t.emit({ op: 'dense', inputs: [x.name], weights: { weight, bias: biasOf(t, units) } });
  return { name, shape: [x.shape[0]!, units], order: [0, 1], guessed: x.guessed };
}

/** The last axis of Keras becomes our axis of channels, all others one. */
function ofLastAxis(t: LayerTranslation, value: Value, units: number): Value {
  const last = value.shape.length - 1;
  if (last < 1) throw t.invalid(`takes at least two axes, got [${value.shape}]`);
  const x = t.arrange(value, [0, last, ...value.order.filter((axis) => axis !== 0 && axis !== last)]);
  const channels = x.shape[last]!;
  const weight = t.weight(['kernel'], { shape: [channels, units], order: [1, 0], as: [units, channels, 1, 1] });
  const bias = biasOf(t, units);
  const column = last === 3 ? x.name : t.emit({ op: 'reshape', inputs: [x.name], attributes: { shape: [0, channels, -1, 1] }, part: 'column' });
  let name = t.emit({ op: 'conv2d', inputs: [column], weights: { weight, bias } });
  const shape = x.shape.map((size, axis) => (axis === last ? units : size));
  if (last !== 3) name = t.emit({ op: 'reshape', inputs: [name], attributes: { shape: [0, ...ourShape({ shape, order: x.order }).slice(1)] } });
  return { name, shape, order: x.order, guessed: x.guessed };
}
