/** Slice, Split, Gather, Pad: parts of a tensor, or a tensor with something around it. */
import { axesOf, axisOf, listOf } from '../axes.ts';
import { cutOf, indicesOf, partsOf, type Cut } from '../rearrangement.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import { isBatched, type RuntimeOperand } from '../value.ts';
import { reshapeTo } from './reshaping.ts';

export const slice: Mapping = (t) => {
  const x = t.runtime(0);
  cut(t, x, cutOf(t, x.shape));
};

/** A slice layer. What is taken whole and is or follows the batch is written as size 0, so that the layer holds for every batch. */
function cut(t: NodeTranslation, x: RuntimeOperand, { start, step, shape }: Cut, place: { part?: string; result?: number } = {}): RuntimeOperand {
  const isWhole = (axis: number): boolean => start[axis] === 0 && step[axis] === 1 && shape[axis] === x.shape[axis];
  const size = shape.map((taken, axis) => (isWhole(axis) && (axis === 0 || x.grown[axis] !== taken) ? 0 : taken));
  const grown = shape.map((taken, axis) => (isWhole(axis) ? x.grown[axis]! : taken));
  return t.emit({ op: 'slice', inputs: [x], attributes: { start, size, step }, shape, grown, ...place });
}

/** `count` elements of one axis from `first` on by `step`. */
function along(x: RuntimeOperand, axis: number, first: number, count: number, step = 1): Cut {
  const whole = x.shape.map(() => 0);
  return { start: whole.with(axis, first), step: whole.fill(1).with(axis, step), shape: x.shape.with(axis, count) };
}

export const split: Mapping = (t) => {
  const stated = t.attributes.integer('axis', 0);
  const x = t.runtime(0);
  const axis = axisOf(t, stated, x.shape);
  let first = 0;
  partsOf(t, x.shape[axis]!).forEach((count, result) => {
    if (t.isUsed(result)) cut(t, x, along(x, axis, first, count), { result });
    first += count;
  });
};

/** Gather along one axis, where the indices go by equal steps: a slice, without its axis for a single index. */
export const gather: Mapping = (t) => {
  const stated = t.attributes.integer('axis', 0);
  const { shape } = t.constant(1, 'the indices');
  const x = t.runtime(0);
  const axis = axisOf(t, stated, x.shape);
  const indices = indicesOf(t, x.shape[axis]!);
  const [first, second] = indices;
  if (first === undefined || shape.length > 1) throw t.refuse(`indices of shape [${shape}] are not supported`);
  const step = second === undefined ? 1 : second - first;
  if (step === 0 || indices.some((index, place) => index !== first + place * step)) throw t.refuse('indices that do not go by equal steps are not supported');
  const isSingle = shape.length === 0;
  const part = cut(t, x, along(x, axis, first, indices.length, step), isSingle ? { part: 'slice' } : {});
  if (isSingle) reshapeTo(t, part, { shape: part.shape.toSpliced(axis, 1), grown: part.grown.toSpliced(axis, 1) });
};

/** Pad: attributes before version 11, operands from then on, chosen axes from 18 on. */
export const pad: Mapping = (t) => {
  const mode = t.attributes.text('mode', 'constant');
  if (!['constant', 'reflect', 'edge'].includes(mode)) throw t.refuse(`mode '${mode.slice(0, 20)}' is not supported`, 'mode');
  const pads = t.opset < 2 ? t.attributes.integers('paddings') : listOf(t, 'pads', 11);
  const value = (t.opset < 11 ? t.attributes.float('value', 0) : t.scalar(2, 'the pad value')) ?? 0;
  if (!Number.isFinite(value)) throw t.refuse(`the pad value ${value} is not supported`);
  const x = t.runtime(0);
  if (!pads) throw t.invalid('pads are missing');
  const axes = axesOf(t, (t.opset < 18 ? undefined : t.integers(3, 'axes')) ?? x.shape.map((_, axis) => axis), x.shape);
  if (pads.length !== 2 * axes.length) throw t.invalid(`pads [${pads}] need ${2 * axes.length} numbers`);
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  axes.forEach((axis, index) => {
    before[axis] = pads[index]!;
    after[axis] = pads[index + axes.length]!;
  });
  if (mode !== 'constant') checkMirrored(t, mode, x, before, after);
  if (isBatched(x) && (before[0] !== 0 || after[0] !== 0)) throw t.refuse('padding the batch axis is not supported');
  const shape = x.shape.map((size, axis) => before[axis]! + size + after[axis]!);
  if (pads.every((count) => count === 0)) t.emit({ op: 'identity', inputs: [x], shape });
  else t.emit({ op: 'pad', inputs: [x], attributes: { before, after, value, ...(mode !== 'constant' && { mode }) }, shape });
};

function checkMirrored(t: NodeTranslation, mode: string, x: RuntimeOperand, before: readonly number[], after: readonly number[]): void {
  const pads = [...before, ...after];
  if (pads.some((count) => count < 0)) throw t.refuse(`negative pads [${pads}] in mode ${mode} are not supported`);
  if (mode === 'reflect' && x.shape.some((size, axis) => Math.max(before[axis]!, after[axis]!) >= size)) {
    throw t.refuseShape(`pads [${pads}] that reflect more than the input [${x.shape}] holds are not supported`);
  }
}
