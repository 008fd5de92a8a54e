/** Constants whose elements are moved, cut, joined or repeated. */
import type { Shape } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import { axisOf, broadcastShapes } from '../axes.ts';
import { cutOf, flattenedShape, indicesOf, joined, permutation, reshapedShape, squeezedAxes, unsqueezedShape } from '../rearrangement.ts';
import type { OnnxTensor } from '../tensor.ts';
import type { Evaluator, NodeTranslation } from '../translation.ts';
import { spread } from './arithmetic.ts';
import { numbersLike, stridesOf, walk } from './strided.ts';

const data = (t: NodeTranslation): OnnxTensor => ({ ...t.constant(0, 'the data'), name: t.output });

/** The same numbers in another shape. */
function reshaped(shapeOf: (t: NodeTranslation, from: Shape) => Shape): Evaluator {
  return (t) => {
    const x = data(t);
    return { ...x, shape: shapeOf(t, x.shape) };
  };
}

export const identity: Evaluator = data;
export const reshape = reshaped(reshapedShape);
export const unsqueeze = reshaped(unsqueezedShape);
export const squeeze = reshaped((t, from) => {
  const axes = squeezedAxes(t, from);
  return from.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1));
});
export const flatten = reshaped((t, from) => flattenedShape(t, from).shape);

/** A part of the elements in their new order. */
function walked(t: NodeTranslation, x: OnnxTensor, shape: Shape, strides: readonly number[], first = 0): OnnxTensor {
  const result = numbersLike(x.data, t.claim(shape));
  walk(x.data, result, shape, strides, first);
  return { ...x, shape, data: result };
}

export const transpose: Evaluator = (t) => {
  const x = data(t);
  const order = permutation(t, x.shape);
  const strides = stridesOf(x.shape);
  return walked(t, x, order.map((axis) => x.shape[axis]!), order.map((axis) => strides[axis]!));
};

export const slice: Evaluator = (t) => {
  const x = data(t);
  const { start, step, shape } = cutOf(t, x.shape);
  const strides = stridesOf(x.shape);
  const first = start.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  return walked(t, x, shape, strides.map((stride, axis) => stride * step[axis]!), first);
};

export const gather: Evaluator = (t) => {
  const x = data(t);
  const axis = axisOf(t, t.attributes.integer('axis', 0), x.shape);
  const indices = indicesOf(t, x.shape[axis]!);
  const shape = [...x.shape.slice(0, axis), ...t.constant(1, 'the indices').shape, ...x.shape.slice(axis + 1)];
  const result = numbersLike(x.data, t.claim(shape));
  const block = elementCount(x.shape.slice(axis + 1));
  const outer = elementCount(x.shape.slice(0, axis));
  let at = 0;
  for (let row = 0; row < outer; row++) {
    for (const index of indices) {
      const from = (row * x.shape[axis]! + index) * block;
      for (let i = 0; i < block; i++) result[at++] = x.data[from + i]!;
    }
  }
  return { ...x, shape, data: result };
};

export const concat: Evaluator = (t) => {
  const parts = t.node.inputs.map((_, index) => t.constant(index, `operand ${index + 1}`));
  const { axis, shape } = joined(t, parts.map((part) => part.shape));
  const first = parts[0]!;
  if (parts.some((part) => part.data instanceof Float32Array !== first.data instanceof Float32Array)) {
    throw t.invalid('has operands of different number types');
  }
  const result = numbersLike(first.data, t.claim(shape));
  const row = elementCount(shape.slice(axis));
  let offset = 0;
  for (const part of parts) {
    const length = elementCount(part.shape.slice(axis));
    const rows = elementCount(shape.slice(0, axis));
    for (let index = 0; index < rows && length > 0; index++) {
      result.set(part.data.subarray(index * length, (index + 1) * length), index * row + offset);
    }
    offset += length;
  }
  return { ...first, name: t.output, shape, data: result };
};

export const expand: Evaluator = (t) => {
  const x = data(t);
  const shape = broadcastShapes(t, [x.shape, sizes(t, 'the shape')]);
  return { ...x, shape, data: spread(t, x, shape) };
};

export const tile: Evaluator = (t) => {
  const x = data(t);
  const repeats = sizes(t, 'the repeats');
  if (repeats.length !== x.shape.length) throw t.invalid(`the repeats [${repeats}] do not fit the input [${x.shape}]`);
  // Every axis becomes two: how often it is repeated, and the axis itself.
  const pairs = x.shape.flatMap((size, axis) => [repeats[axis]!, size]);
  const strides = stridesOf(x.shape).flatMap((stride) => [0, stride]);
  const { data: result } = walked(t, x, pairs, strides);
  return { ...x, shape: x.shape.map((size, axis) => size * repeats[axis]!), data: result };
};

function sizes(t: NodeTranslation, what: string): number[] {
  const stated = t.integers(1, what);
  if (!stated) throw t.invalid(`${what} is missing`);
  if (!stated.every((size) => size >= 0)) throw t.invalid(`${what} [${stated}] is wrong`);
  return stated;
}
