/** Reshape, Flatten, Concat, Slice, Pad. */
import type { Shape } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import type { Mapping, NodeTranslation, RuntimeOperand } from '../translation.ts';

/** Reshape: 0 copies an axis, -1 takes what is left. A leading literal that is the batch becomes 0. */
export const reshape: Mapping = (t) => {
  const wanted = t.opset < 5 ? t.attributes.integers('shape') : t.integers(1, 'the shape');
  if (!wanted) throw t.invalid('the shape is missing');
  const value = t.operand(0);
  if (!value) throw t.invalid('operand 1 is missing');
  if (t.attributes.integer('allowzero', 0) !== 0 && wanted.includes(0)) {
    throw t.refuse('an empty result (allowzero) is not supported', 'allowzero');
  }
  const shape = resolveShape(t, value.shape, wanted);
  if (value.constant) {
    t.fold({ ...value.constant, shape });
    return;
  }
  const x = t.runtime(0);
  const keepsBatch = x.batched && wanted.length > 0 && shape[0] === x.shape[0];
  const attribute = keepsBatch && wanted[0] !== -1 ? [0, ...wanted.slice(1)] : [...wanted];
  t.emit({ op: 'reshape', inputs: [x.name], attributes: { shape: attribute }, shape, batched: keepsBatch });
};

function resolveShape(t: NodeTranslation, from: Shape, wanted: readonly number[]): Shape {
  const sizes = wanted.map((size, axis) => (size === 0 ? (from[axis] ?? -2) : size));
  const open = sizes.indexOf(-1);
  if (sizes.some((size) => size < -1) || open !== sizes.lastIndexOf(-1)) throw t.invalid(`the shape [${wanted}] is wrong`);
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  if (open >= 0) sizes[open] = elementCount(from) / known;
  if (elementCount(sizes) !== elementCount(from) || !sizes.every(Number.isInteger)) {
    throw t.invalid(`[${from}] cannot become [${wanted}]`);
  }
  return sizes;
}

export const flatten: Mapping = (t) => {
  const stated = t.attributes.integer('axis', 1);
  const x = t.runtime(0);
  const axis = stated < 0 ? stated + x.shape.length : stated;
  if (axis < 0 || axis > x.shape.length) throw t.invalid(`axis ${stated} is outside the input [${x.shape}]`);
  const shape = [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))];
  t.emit({ op: 'flatten', inputs: [x.name], attributes: { axis }, shape, batched: x.batched && axis === 1 });
};

export const concat: Mapping = (t) => {
  if (t.opset >= 4 && !t.attributes.has('axis')) throw t.invalid('axis is missing');
  const stated = t.attributes.integer('axis', 1);
  const parts = t.node.inputs.map((_, index) => t.runtime(index));
  if (parts.length === 0) throw t.invalid('has no operands');
  const first = parts[0]!.shape;
  const axis = axisOf(t, stated, first);
  for (const { shape } of parts) {
    const fits = shape.length === first.length && shape.every((size, at) => at === axis || size === first[at]);
    if (!fits) throw t.invalid(`[${first}] and [${shape}] cannot be joined along axis ${axis}`);
  }
  const length = parts.reduce((total, { shape }) => total + shape[axis]!, 0);
  t.emit({
    op: 'concat',
    inputs: parts.map(({ name }) => name),
    attributes: { axis },
    shape: first.with(axis, length),
    batched: parts[0]!.batched && axis !== 0,
  });
};

/** Slice: attributes before version 10, operands from then on. Indices may count from the end and are clamped. */
export const slice: Mapping = (t) => {
  const operands = t.opset >= 10;
  const starts = operands ? t.integers(1, 'starts') : t.attributes.integers('starts');
  const ends = operands ? t.integers(2, 'ends') : t.attributes.integers('ends');
  const statedAxes = operands ? t.integers(3, 'axes') : t.attributes.integers('axes');
  const steps = operands ? t.integers(4, 'steps') : undefined;
  const x = t.runtime(0);
  if (!starts || !ends || starts.length !== ends.length) throw t.invalid('starts and ends do not fit together');
  const axes = statedAxes ?? starts.map((_, index) => index);
  if (axes.length !== starts.length || (steps && steps.length !== starts.length)) {
    throw t.invalid('starts, axes and steps do not fit together');
  }
  // Axis 0 whole is written as size 0, so that the layer holds for every batch.
  const start = x.shape.map(() => 0);
  const size = x.shape.map((length, axis) => (axis === 0 ? 0 : length));
  const step = x.shape.map(() => 1);
  const shape = [...x.shape];
  axes.forEach((statedAxis, index) => {
    const axis = axisOf(t, statedAxis, x.shape);
    const length = x.shape[axis]!;
    const stride = steps?.[index] ?? 1;
    if (stride <= 0) throw t.refuse(`step ${stride} is not supported, only forward steps`);
    const clamp = (position: number): number => Math.max(0, Math.min(length, position < 0 ? position + length : position));
    const from = clamp(starts[index]!);
    shape[axis] = Math.max(0, Math.ceil((clamp(ends[index]!) - from) / stride));
    const whole = axis === 0 && from === 0 && stride === 1 && shape[axis] === length;
    start[axis] = from;
    size[axis] = whole ? 0 : shape[axis]!;
    step[axis] = stride;
  });
  t.emit({ op: 'slice', inputs: [x.name], attributes: { start, size, step }, shape, batched: x.batched && size[0] === 0 });
};

/** Pad with a constant: attributes before version 11, operands from then on, chosen axes from 18 on. */
export const pad: Mapping = (t) => {
  const mode = t.attributes.text('mode', 'constant');
  if (mode !== 'constant') throw t.refuse(`mode '${mode.slice(0, 20)}' is not supported, only constant`, 'mode');
  const operands = t.opset >= 11;
  const pads = operands ? t.integers(1, 'pads') : t.attributes.integers(t.opset < 2 ? 'paddings' : 'pads');
  const value = operands ? padValue(t) : t.attributes.float('value', 0);
  const statedAxes = operands ? t.integers(3, 'axes') : undefined;
  const x = t.runtime(0);
  if (!pads) throw t.invalid('pads are missing');
  const axes = statedAxes ?? x.shape.map((_, axis) => axis);
  if (pads.length !== 2 * axes.length) throw t.invalid(`pads [${pads}] need ${2 * axes.length} numbers`);
  if (pads.some((count) => count < 0)) throw t.refuse(`negative pads [${pads}] are not supported`);
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  axes.forEach((statedAxis, index) => {
    const axis = axisOf(t, statedAxis, x.shape);
    before[axis] = pads[index]!;
    after[axis] = pads[index + axes.length]!;
  });
  if (x.batched && before[0]! + after[0]! > 0) throw t.refuse('padding the batch axis is not supported');
  const shape = x.shape.map((size, axis) => before[axis]! + size + after[axis]!);
  t.emit({ op: 'pad', inputs: [x.name], attributes: { before, after, value }, shape });
};

function padValue(t: NodeTranslation): number {
  if (!t.operand(2)) return 0;
  const { data, shape } = t.weight(2, 'the pad value');
  if (data.length !== 1) throw t.invalid(`the pad value has the shape [${shape}]`);
  if (!Number.isFinite(data[0]!)) throw t.refuse(`the pad value ${data[0]} is not supported`);
  return data[0]!;
}

function axisOf(t: NodeTranslation, stated: number, shape: RuntimeOperand['shape']): number {
  const axis = stated < 0 ? stated + shape.length : stated;
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) throw t.invalid(`axis ${stated} is outside [${shape}]`);
  return axis;
}
