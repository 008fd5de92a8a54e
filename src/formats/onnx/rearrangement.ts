/** What nodes that move elements ask for: the same for constants and for layers. Semantics: ONNX operator specification. */
import type { Shape } from '../../network/network.ts';
import { elementCount } from '../../network/validate.ts';
import { axesOf, axisOf, listOf } from './axes.ts';
import type { NodeTranslation } from './translation.ts';

/** The shape that Reshape states: 0 copies an axis, -1 takes what is left. */
export function statedShape(t: NodeTranslation): readonly number[] {
  const wanted = listOf(t, 'shape', 5);
  if (!wanted) throw t.invalid('the shape is missing');
  if (t.attributes.integer('allowzero', 0) !== 0 && wanted.includes(0)) {
    throw t.refuse('an empty result (allowzero) is not supported', 'allowzero');
  }
  return wanted;
}

/** Fills in what a stated shape leaves open; undefined when `from` cannot take it. */
export function resolveShape(from: Shape, wanted: readonly number[]): Shape | undefined {
  const sizes = wanted.map((size, axis) => (size === 0 ? (from[axis] ?? -2) : size));
  const open = sizes.indexOf(-1);
  if (sizes.some((size) => size < -1) || open !== sizes.lastIndexOf(-1)) return undefined;
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  if (open >= 0) sizes[open] = known === 0 ? 0 : elementCount(from) / known;
  return elementCount(sizes) === elementCount(from) && sizes.every(Number.isInteger) ? sizes : undefined;
}

export function reshapedShape(t: NodeTranslation, from: Shape): Shape {
  const wanted = statedShape(t);
  const shape = resolveShape(from, wanted);
  if (shape) return shape;
  const isWrong = wanted.some((size) => size < -1) || wanted.indexOf(-1) !== wanted.lastIndexOf(-1);
  throw t.invalid(isWrong ? `the shape [${wanted}] is wrong` : `[${from}] cannot become [${wanted}]`);
}

/** The axes that Squeeze drops; undefined where the file leaves it at 'all of size 1'. */
export function squeezedAxes(t: NodeTranslation, from: Shape): number[] | undefined {
  const stated = listOf(t, 'axes', 13);
  if (!stated) return undefined;
  const axes = axesOf(t, stated, from);
  const wrong = axes.find((axis) => from[axis] !== 1);
  if (wrong !== undefined) throw t.invalid(`axis ${wrong} of [${from}] has not the size 1`);
  return axes;
}

/** The shape after Unsqueeze; the axes count in the result. */
export function unsqueezedShape(t: NodeTranslation, from: Shape): Shape {
  const stated = listOf(t, 'axes', 13);
  if (!stated) throw t.invalid('axes are missing');
  const rank = from.length + stated.length;
  const added = new Set(axesOf(t, stated, from, rank));
  const rest = [...from];
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!));
}

/** The shape after Flatten: the axes before its axis together, then the others. The axis may lie behind the last. */
export function flattenedShape(t: NodeTranslation, from: Shape): { axis: number; shape: Shape } {
  const stated = t.attributes.integer('axis', 1);
  const axis = stated === from.length ? stated : axisOf(t, stated, from);
  return { axis, shape: [elementCount(from.slice(0, axis)), elementCount(from.slice(axis))] };
}

/** The order of the axes that Transpose states: `order[i]` is the axis of the input that becomes axis i. */
export function permutation(t: NodeTranslation, from: Shape): number[] {
  const stated = t.attributes.integers('perm') ?? from.map((_, axis) => from.length - 1 - axis);
  if (stated.length !== from.length) throw t.invalid(`perm [${stated}] does not fit the input [${from}]`);
  return axesOf(t, stated, from);
}

/** One window of a tensor: per axis the first element that is taken, the step (not 0), and how many are taken. */
export interface Cut {
  readonly start: readonly number[];
  readonly step: readonly number[];
  readonly shape: Shape;
}

/** What Slice takes: attributes before version 10, operands from then on. Indices may count from the end and are clamped. */
export function cutOf(t: NodeTranslation, from: Shape): Cut {
  const starts = listOf(t, 'starts', 10, 1);
  const ends = listOf(t, 'ends', 10, 2);
  const axes = axesOf(t, listOf(t, 'axes', 10, 3) ?? (starts ?? []).map((_, index) => index), from);
  const steps = t.opset < 10 ? undefined : t.integers(4, 'steps');
  const lengths = [starts, ends, axes, steps ?? axes].map((list) => list?.length);
  if (!starts || !ends || lengths.some((length) => length !== starts.length)) throw t.invalid('starts, ends, axes and steps do not fit together');
  const start = from.map(() => 0);
  const step = from.map(() => 1);
  const shape = [...from];
  axes.forEach((axis, index) => {
    const size = from[axis]!;
    const stride = steps?.[index] ?? 1;
    if (stride === 0) throw t.invalid('a step is 0');
    const backwards = stride < 0;
    const place = (position: number, low: number): number =>
      Math.max(low, Math.min(backwards ? size - 1 : size, position < 0 ? position + size : position));
    const first = place(starts[index]!, 0);
    const end = place(ends[index]!, backwards ? -1 : 0);
    start[axis] = first;
    step[axis] = stride;
    shape[axis] = size === 0 ? 0 : Math.max(0, Math.ceil((end - first) / stride));
  });
  return { start, step, shape };
}

/** Indices of Gather along an axis of `size` elements, from 0 on. */
export function indicesOf(t: NodeTranslation, size: number): number[] {
  const stated = t.integers(1, 'the indices');
  if (!stated) throw t.invalid('the indices are missing');
  return stated.map((index) => {
    const at = index < 0 ? index + size : index;
    if (at < 0 || at >= size) throw t.invalid(`the index ${index} is outside 0..${size - 1}`);
    return at;
  });
}

/** The axis and the common shape of what Concat joins. */
export function joined(t: NodeTranslation, shapes: readonly Shape[]): { axis: number; shape: Shape } {
  if (t.opset >= 4 && !t.attributes.has('axis')) throw t.invalid('axis is missing');
  const stated = t.attributes.integer('axis', 1);
  const first = shapes[0];
  if (!first) throw t.invalid('has no operands');
  const axis = axisOf(t, stated, first);
  for (const shape of shapes) {
    const fits = shape.length === first.length && shape.every((size, at) => at === axis || size === first[at]);
    if (!fits) throw t.invalid(`[${first}] and [${shape}] cannot be joined along axis ${axis}`);
  }
  return { axis, shape: first.with(axis, shapes.reduce((total, shape) => total + shape[axis]!, 0)) };
}

/** Sizes of the parts of Split along its axis. */
export function partsOf(t: NodeTranslation, size: number): number[] {
  const count = t.opset >= 18 ? t.attributes.integer('num_outputs', t.node.outputs.length) : t.node.outputs.length;
  const stated = listOf(t, 'split', 13);
  if (stated) {
    const total = stated.reduce((sum, part) => sum + part, 0);
    if (stated.length !== t.node.outputs.length || total !== size || stated.some((part) => part < 0)) {
      throw t.invalid(`the parts [${stated}] do not make up ${size} elements in ${t.node.outputs.length} outputs`);
    }
    return [...stated];
  }
  if (count !== t.node.outputs.length || count < 1) throw t.invalid(`num_outputs ${count} does not fit ${t.node.outputs.length} outputs`);
  const part = Math.ceil(size / count);
  if (t.opset < 18 && part * count !== size) throw t.invalid(`${size} elements cannot be split into ${count} equal parts`);
  return Array.from({ length: count }, (_, index) => Math.max(0, Math.min(part, size - index * part)));
}

/** The axes that a reduction runs over, ascending, and whether they stay with size 1; undefined for a reduction over nothing. */
export function reduction(t: NodeTranslation, from: Shape, operandSince: number): { axes: number[]; keep: boolean; shape: Shape } | undefined {
  const keep = t.attributes.integer('keepdims', 1) !== 0;
  const stated = listOf(t, 'axes', operandSince) ?? [];
  const isNothing = t.opset >= operandSince && t.attributes.integer('noop_with_empty_axes', 0) !== 0 && stated.length === 0;
  if (isNothing) return undefined;
  const axes = stated.length === 0 ? from.map((_, axis) => axis) : axesOf(t, stated, from).sort((a, b) => a - b);
  const shape = from.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]));
  return { axes, keep, shape };
}
