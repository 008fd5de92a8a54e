/** Reshape, Flatten, Squeeze, Unsqueeze, Expand, Concat: the order of the elements stays. */
import type { Shape } from '../../../network/network.ts';
import { broadcastShapes, grownTogether } from '../axes.ts';
import { flattenedShape, joined, reshapedShape, resolveShape, squeezedAxes, statedShape, unsqueezedShape } from '../rearrangement.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import { isBatched, type RuntimeOperand } from '../value.ts';
import { reshapeTo } from './reshaping.ts';

/** Reshape. What follows the batch in the file follows it here; a leading literal that is the batch does so too. */
export const reshape: Mapping = (t) => {
  const [wanted, wantedGrown] = t.forBothBatches(() => statedShape(t));
  const x = t.runtime(0);
  const shape = reshapedShape(t, x.shape);
  reshapeTo(t, x, { shape, grown: grownShape(x, wanted, wantedGrown ?? wanted), wanted });
};

/** The result at the larger batch: what the file states there or, where its numbers are for one batch, what it must mean. */
function grownShape(x: RuntimeOperand, wanted: readonly number[], wantedGrown: readonly number[]): Shape | undefined {
  if (x.grown === x.shape) return resolveShape(x.shape, wanted);
  const isLiteral = wanted.every((size, axis) => size === wantedGrown[axis]);
  const first = wanted[0];
  const copied = isLiteral && isBatched(x) && first === x.shape[0] ? resolveShape(x.grown, wanted.with(0, 0)) : undefined;
  const leading = isLiteral && wanted.length > 0 && !wanted.includes(-1) ? resolveShape(x.grown, wanted.with(0, -1)) : undefined;
  return copied ?? resolveShape(x.grown, wantedGrown) ?? leading;
}

export const flatten: Mapping = (t) => {
  const x = t.runtime(0);
  const { axis, shape } = flattenedShape(t, x.shape);
  t.emit({ op: 'flatten', inputs: [x], attributes: { axis }, shape, grown: flattenedShape(t, x.grown).shape });
};

/** Squeeze. Where no axes are stated and the batch is open in the file, the batch stays even where it is 1. */
export const squeeze: Mapping = (t) => {
  const x = t.runtime(0);
  const stated = squeezedAxes(t, x.shape);
  const axes = stated ?? x.shape.flatMap((size, axis) => (size === 1 && !(axis === 0 && t.openBatch && isBatched(x)) ? [axis] : []));
  const without = (shape: Shape): Shape => shape.filter((_, axis) => !axes.includes(axis));
  if (axes.every((axis) => x.grown[axis] === 1)) {
    reshapeTo(t, x, { shape: without(x.shape), grown: without(x.grown) });
    return;
  }
  // The batch itself is dropped: at another batch its images stand one behind the other along the first axis that is left.
  const shape = without(x.shape);
  reshapeTo(t, x, { shape, grown: shape.length > 0 ? resolveShape(x.grown, shape.with(0, -1)) : undefined });
};

export const unsqueeze: Mapping = (t) => {
  const x = t.runtime(0);
  reshapeTo(t, x, { shape: unsqueezedShape(t, x.shape), grown: unsqueezedShape(t, x.grown) });
};

/** Expand of a computed tensor: the sum with zeros of the shape that is added. */
export const expand: Mapping = (t) => {
  const x = t.runtime(0);
  const [wanted, wantedGrown] = t.forBothBatches(() => t.integers(1, 'the shape'));
  if (!wanted?.every((size) => size > 0)) throw t.invalid(`the shape [${wanted ?? ''}] is wrong`);
  const shape = broadcastShapes(t, [x.shape, wanted]);
  if (shape.length === x.shape.length && shape.every((size, axis) => size === x.shape[axis])) {
    t.emit({ op: 'identity', inputs: [x], shape });
    return;
  }
  const grown = grownTogether(t, [x.grown, wantedGrown ?? wanted], shape);
  // Only what x has not itself; the batch comes from x.
  const missing = shape.map((size, axis) => ((x.shape[axis - shape.length + x.shape.length] ?? 1) === size ? 1 : size));
  if (missing.some((size, axis) => size > 1 && grown[axis] !== size)) t.noteBatch(`the shape [${shape}]`);
  const addend = { shape: missing, data: new Float32Array(t.claim(missing)) };
  t.emit({ op: 'add', inputs: [x], weights: { addend }, shape, grown });
};

/** Tile of a computed tensor: joined with itself, axis by axis. */
export const tile: Mapping = (t) => {
  const repeats = t.integers(1, 'the repeats');
  const x = t.runtime(0);
  if (!repeats || repeats.length !== x.shape.length || repeats.some((count) => count < 0)) throw t.invalid(`the repeats [${repeats}] do not fit [${x.shape}]`);
  const axes = repeats.flatMap((count, axis) => (count === 1 ? [] : [axis]));
  if (axes.length === 0) t.emit({ op: 'identity', inputs: [x], shape: x.shape });
  let whole = x;
  axes.forEach((axis, index) => {
    const count = repeats[axis]!;
    if (count > TILE_LIMIT) throw t.refuse(`${count} repeats are not supported, at most ${TILE_LIMIT}`);
    const times = (shape: Shape): Shape => shape.with(axis, shape[axis]! * count);
    const inputs = Array.from({ length: count }, () => whole);
    const part = index < axes.length - 1 ? `axis${axis}` : undefined;
    whole = t.emit({ op: 'concat', inputs, attributes: { axis }, shape: times(whole.shape), grown: times(whole.grown), part });
  });
};

/** Most copies of a tensor along one axis. */
const TILE_LIMIT = 64;

export const concat: Mapping = (t) => {
  const parts = operandsToJoin(t);
  const { axis, shape } = joined(t, parts.map((part) => part.shape));
  const grown = grownJoint(t, parts) ?? shape;
  if (parts.length === 1) t.emit({ op: 'identity', inputs: parts, shape, grown });
  else t.emit({ op: 'concat', inputs: parts, attributes: { axis }, shape, grown });
};

/** What Concat joins; constants without elements (an absent part) are passed over. */
function operandsToJoin(t: NodeTranslation): RuntimeOperand[] {
  return t.node.inputs.flatMap((_, index) => (t.operand(index)?.constant?.data.length === 0 ? [] : [t.runtime(index)]));
}

function grownJoint(t: NodeTranslation, parts: readonly RuntimeOperand[]): Shape | undefined {
  try {
    return joined(t, parts.map((part) => part.grown)).shape;
  } catch {
    t.noteBatch('what it joins');
    return undefined;
  }
}
