/** Layers of several operands: Eltwise, Scale, Bias; Split. */
import type { Shape, Tensor } from '../../../network/network.ts';
import type { Fields } from '../fields.ts';
import type { LayerTranslation, Mapping } from '../translation.ts';

/** A sum with a factor for each operand, a product, or a maximum, as a chain of layers. */
export const eltwise: Mapping = (t) => {
  const p = t.param('eltwise_param');
  p.ignore('stable_prod_grad'); // how a gradient is computed, not which
  const operation = p.word('operation', ['PROD', 'SUM', 'MAX'], 'SUM');
  const factors = p.numbers('coeff');
  const { inputs, shapes } = t;
  if (inputs.length < 2) throw t.invalid(`has ${inputs.length} bottoms; at least 2 are needed`);
  if (shapes.some((shape) => String(shape) !== String(t.shape))) throw t.invalid(`has bottoms of different shapes: ${shapes.map((shape) => `[${shape}]`).join(', ')}`);
  if (factors.length > 0 && factors.length !== inputs.length) throw t.invalid(`has ${factors.length} coeff for ${inputs.length} bottoms`);
  if (factors.length > 0 && operation === 'PROD') throw t.invalid('coeff has no meaning in a product');
  const factorOf = (index: number): number => (operation === 'SUM' ? (factors[index] ?? 1) : 1);
  const op = { PROD: 'multiply', SUM: 'add', MAX: 'maximum' }[operation];
  const name = { PROD: 'product', SUM: 'sum', MAX: 'maximum' }[operation];
  const operand = (index: number): string => {
    const factor = factorOf(index);
    return factor === 1 ? inputs[index]! : t.emit({ op: 'power', inputs: [inputs[index]!], attributes: { scale: factor }, part: `factor${index + 1}` });
  };
  let total = operand(0);
  for (let index = 1; index < inputs.length; index++) {
    const part = index < inputs.length - 1 ? { part: `${name}${index}` } : {};
    if (factorOf(index) === -1) total = t.emit({ op: 'subtract', inputs: [total, inputs[index]!], ...part });
    else total = t.emit({ op, inputs: [total, operand(index)], ...part });
  }
};

/** a x + y with a number a for every channel of every image: what squeeze-and-excitation networks bring along. */
export const axpy: Mapping = (t) => {
  t.takes(3);
  const [a, x, y] = t.shapes as [Shape, Shape, Shape];
  if (String(x) !== String(y)) throw t.invalid(`adds [${x}] and [${y}]`);
  if (String(a.slice(0, 2)) !== String(x.slice(0, 2)) || a.slice(2).some((size) => size !== 1)) throw t.invalid(`scales [${x}] by [${a}]`);
  const factors = a.length === x.length ? t.inputs[0]! : alongAxis(t, t.inputs[0]!, a, x.length);
  const scaled = t.emit({ op: 'multiply', inputs: [t.inputs[1]!, factors], shape: x, part: 'scaled' });
  t.emit({ op: 'add', inputs: [scaled, t.inputs[2]!], shape: x });
};

/** [N, C] as [N, C, 1, 1], so that it lies along the first axes of a tensor of `rank` axes. */
function alongAxis(t: LayerTranslation, tensor: string, shape: Shape, rank: number): string {
  const sizes = [...shape.slice(1), ...new Array<number>(rank - shape.length).fill(1)];
  return t.emit({ op: 'reshape', inputs: [tensor], attributes: { shape: [0, ...sizes] }, shape: [shape[0]!, ...sizes], part: 'operand' });
}

/** Where the numbers of a layer lie: they cover axes axis .. axis + count - 1. */
function covered(t: LayerTranslation, p: Fields): { readonly channels: boolean; readonly shape: Shape } {
  const axis = t.axis(p.integer('axis', 1));
  const axes = p.integer('num_axes', 1);
  const rank = t.shape.length;
  const count = axes === -1 ? rank - axis : axes;
  if (count < 0 || axis + count > rank) throw t.invalid(`covers ${axes} axes from ${axis} on of a bottom [${t.shape}]`);
  if (count > 0 && axis === 0) throw t.refuse('numbers for every image of the batch (axis 0) are not supported');
  const behind = new Array<number>(rank - axis - count).fill(1);
  return { channels: axis === 1 && count === 1, shape: count === 0 ? [1] : [...t.shape.slice(axis, axis + count), ...behind] };
}

/** The second bottom, brought in line with the first one from `axis` on. */
function secondBottom(t: LayerTranslation, p: Fields): string {
  p.ignore('num_axes', 'filler'); // they are for numbers of the layer's own
  t.takes(2);
  const [x, operand] = t.shapes as [Shape, Shape];
  const axis = t.axis(p.integer('axis', 1));
  if (String(x.slice(axis, axis + operand.length)) !== String(operand)) throw t.invalid(`[${operand}] does not lie along the axes of [${x}] from ${axis} on`);
  if (axis !== 0) throw t.refuse(`a second bottom along axis ${axis}, which has no axis for the batch, is not supported`);
  return operand.length === x.length ? t.inputs[1]! : alongAxis(t, t.inputs[1]!, operand, x.length);
}

/** Numbers of its own are added, or the second bottom. */
export const bias: Mapping = (t) => {
  const p = t.param('bias_param');
  if (t.inputs.length > 1) {
    const operand = secondBottom(t, p);
    t.emit({ op: 'add', inputs: [t.inputs[0]!, operand] });
    return;
  }
  t.takes(1);
  p.ignore('filler');
  t.emit({ op: 'add', weights: { addend: t.blob(0, 'the bias', covered(t, p).shape) } });
};

/** Factors, and perhaps addends; by channel they are an affine batch norm, which folds into what stands before it. */
export const scale: Mapping = (t) => {
  const p = t.param('scale_param');
  p.ignore('filler', 'bias_filler');
  const withBias = p.boolean('bias_term', false);
  if (t.inputs.length > 1) {
    const operand = secondBottom(t, p);
    if (withBias) throw t.refuse('addends of its own (bias_term) beside a second bottom are not supported');
    t.emit({ op: 'multiply', inputs: [t.inputs[0]!, operand] });
    return;
  }
  t.takes(1);
  const { channels, shape } = covered(t, p);
  if (!channels) {
    const addends = withBias ? [{ op: 'add', weights: { addend: t.blob(1, 'the addends', shape) } }] : [];
    t.chain([{ op: 'multiply', weights: { operand: t.blob(0, 'the factors', shape) } }, ...addends]);
    return;
  }
  const count = t.shape[1]!;
  const factors = t.blob(0, 'the factors', [count]);
  const shift = withBias ? t.blob(1, 'the addends', [count]) : filled(count, 0);
  t.emit({ op: 'batch_norm', attributes: { epsilon: 0 }, weights: { scale: factors, shift, mean: filled(count, 0), variance: filled(count, 1) } });
};

export const filled = (length: number, value: number): Tensor => ({ shape: [length], data: new Float32Array(length).fill(value) });

export const split: Mapping = (t) => {
  t.takes(1);
  t.alias();
};
