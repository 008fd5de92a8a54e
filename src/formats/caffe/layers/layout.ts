/** Which number lies where: Concat, Slice, Crop, Tile, Flatten, Reshape, Permute, ShuffleChannel; and Reduction. */
import type { Shape } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import type { Fields } from '../fields.ts';
import type { LayerTranslation, Mapping } from '../translation.ts';

/** The shape with another size on one axis. */
const resized = (shape: Shape, axis: number, size: number): number[] => shape.map((old, i) => (i === axis ? size : old));

/** The present field of an axis, or the one of old that never counts from the end. */
const axisOf = (p: Fields, old: string): number => p.integer('axis', p.integer(old, 1));

export const concat: Mapping = (t) => {
  const p = t.param('concat_param');
  if (t.inputs.length === 0) throw t.invalid('has no bottoms');
  const axis = t.axisBehindBatch(axisOf(p, 'concat_dim'), 'joining');
  if (t.shapes.some((shape) => String(resized(shape, axis, 0)) !== String(resized(t.shape, axis, 0)))) {
    throw t.invalid(`joins ${t.shapes.map((shape) => `[${shape}]`).join(', ')}, which differ outside axis ${axis}`);
  }
  const size = t.shapes.reduce((sum, shape) => sum + shape[axis]!, 0);
  t.emit({ op: 'concat', attributes: { axis }, shape: resized(t.shape, axis, size) });
};

/** Copies of the bottom, one after the other along an axis. */
export const tile: Mapping = (t) => {
  t.takes(1);
  const p = t.param('tile_param');
  const axis = t.axisBehindBatch(p.integer('axis', 1), 'tiling');
  const tiles = p.integer('tiles', 0);
  if (tiles < 1 || tiles > 256) throw t.invalid(`tiles is ${tiles}`);
  t.emit({ op: 'concat', inputs: new Array<string>(tiles).fill(t.inputs[0]!), attributes: { axis }, shape: resized(t.shape, axis, tiles * t.shape[axis]!) });
};

/** A block of the bottom; a size of 0 takes the whole axis. */
function block(t: LayerTranslation, start: readonly number[], size: readonly number[], top?: number): void {
  const shape = t.shape.map((length, axis) => size[axis] || length);
  t.emit({ op: 'slice', inputs: [t.inputs[0]!], attributes: { start, size, step: shape.map(() => 1) }, shape, ...(top !== undefined && { top }) });
}

/** A top for every stretch of an axis: between the points given, or as many equal ones as there are tops. */
export const slice: Mapping = (t) => {
  t.takes(1);
  const p = t.param('slice_param');
  const axis = t.axisBehindBatch(axisOf(p, 'slice_dim'), 'slicing');
  const points = p.integers('slice_point');
  const length = t.shape[axis]!;
  const count = t.layer.tops.length;
  if (points.length > 0 && points.length !== count - 1) throw t.invalid(`has ${points.length} slice_point for ${count} tops`);
  if (points.length === 0 && length % count !== 0) throw t.invalid(`axis ${axis} of [${t.shape}] cannot be cut into ${count} equal parts`);
  const bounds = points.length > 0 ? [0, ...points, length] : Array.from({ length: count + 1 }, (_, i) => (i * length) / count);
  if (bounds.some((bound, i) => i > 0 && bound <= bounds[i - 1]!)) throw t.invalid(`slice_point [${points}] must rise and lie within axis ${axis} of [${t.shape}]`);
  const only = (value: number): number[] => t.shape.map((_, i) => (i === axis ? value : 0));
  if (count === 1) t.emit({ op: 'identity' });
  else for (let top = 0; top < count; top++) block(t, only(bounds[top]!), only(bounds[top + 1]! - bounds[top]!), top);
};

/** The first bottom cut to the size of the second from an axis on. */
export const crop: Mapping = (t) => {
  t.takes(2);
  const p = t.param('crop_param');
  const axis = t.axisBehindBatch(p.integer('axis', 2), 'cropping');
  const offsets = p.integers('offset');
  const like = t.shapes[1]!;
  const axes = t.shape.length - axis;
  if (like.length !== t.shape.length) throw t.invalid(`cuts [${t.shape}] to the size of [${like}]`);
  if (offsets.length > 1 && offsets.length !== axes) throw t.invalid(`has ${offsets.length} offset for ${axes} axes`);
  const start = t.shape.map((_, i) => (i < axis ? 0 : (offsets[offsets.length > 1 ? i - axis : 0] ?? 0)));
  const size = t.shape.map((_, i) => (i < axis ? 0 : like[i]!));
  if (size.some((taken, i) => start[i]! < 0 || start[i]! + taken > t.shape[i]!)) throw t.invalid(`[${like}] from [${start}] on does not lie in [${t.shape}]`);
  block(t, start, size);
};

/** The axes from `axis` to `end_axis` become one. */
export const flatten: Mapping = (t) => {
  t.takes(1);
  const p = t.param('flatten_param');
  const [first, last] = [t.axisBehindBatch(p.integer('axis', 1), 'flattening'), t.axis(p.integer('end_axis', -1))];
  if (last < first) throw t.invalid(`end_axis ${last} lies before axis ${first}`);
  const shape = [...t.shape.slice(0, first), elementCount(t.shape.slice(first, last + 1)), ...t.shape.slice(last + 1)];
  if (shape.length === 2) t.emit({ op: 'flatten', attributes: { axis: 1 }, shape });
  else t.emit({ op: 'reshape', attributes: { shape: [0, ...shape.slice(1)] }, shape });
};

/** Some of the axes get new sizes: 0 copies that of the bottom, -1 takes what is left. */
export const reshape: Mapping = (t) => {
  t.takes(1);
  const p = t.param('reshape_param');
  const dims = p.messages('shape').at(-1)?.integers('dim') ?? [];
  const first = t.axis(p.integer('axis', 0), true);
  const axes = p.integer('num_axes', -1);
  const end = axes === -1 ? t.shape.length : first + axes;
  if (axes < -1 || end > t.shape.length) throw t.invalid(`num_axes ${axes} from axis ${first} on does not fit [${t.shape}]`);
  const kept = (from: number, to?: number): number[] => t.shape.slice(from, to);
  // The batch of the file is what somebody ran it with: where it is written out, it stands for that of the bottom.
  const sizeOf = (dim: number, axis: number): number => (dim === 0 || (axis === 0 && dim === t.statedBatch) ? (t.shape[axis] ?? 0) : dim);
  const stated = [...kept(0, first), ...dims.map((dim, i) => sizeOf(dim, first + i)), ...kept(end)];
  const open = stated.filter((size) => size === -1).length;
  const known = elementCount(stated.filter((size) => size !== -1));
  const shape = stated.map((size) => (size === -1 ? elementCount(t.shape) / known : size));
  if (open > 1 || elementCount(shape) !== elementCount(t.shape) || !shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw t.invalid(`[${t.shape}] cannot be reshaped to [${stated}]`);
  }
  if (stated.length === 0 || (shape[0] !== t.shape[0] && stated[0] !== -1)) throw t.refuse(`a fixed batch (${stated[0] ?? 'none'}) is not supported; 0 keeps it`);
  t.emit({ op: 'reshape', attributes: { shape: [shape[0] === t.shape[0] ? 0 : -1, ...shape.slice(1)] }, shape });
};

/** The axes in another order; those that are not named keep theirs behind. */
export const permute: Mapping = (t) => {
  t.takes(1);
  const named = t.param('permute_param').integers('order');
  const order = [...named, ...t.shape.map((_, axis) => axis).filter((axis) => !named.includes(axis))];
  if (order.length !== t.shape.length || new Set(order).size !== order.length) throw t.invalid(`order [${named}] does not permute the axes of [${t.shape}]`);
  if (order[0] !== 0) throw t.refuse('moving the batch (axis 0) is not supported');
  t.emit({ op: 'transpose', attributes: { order }, shape: order.map((axis) => t.shape[axis]!) });
};

/** Channel i of group g becomes channel g of group i. */
export const shuffleChannel: Mapping = (t) => {
  t.takes(1);
  const groups = t.param('shuffle_channel_param').integer('group', 1);
  const [batch, channels, ...plane] = t.shape;
  if (channels === undefined || groups < 1 || channels % groups !== 0) throw t.invalid(`cannot shuffle [${t.shape}] in ${groups} groups`);
  const each = channels / groups;
  t.chain([
    { op: 'reshape', attributes: { shape: [0, groups, each, ...plane] }, shape: [batch!, groups, each, ...plane], part: 'groups' },
    { op: 'transpose', attributes: { order: [0, 2, 1, ...plane.map((_, i) => 3 + i)] }, shape: [batch!, each, groups, ...plane] },
    { op: 'reshape', attributes: { shape: [0, channels, ...plane] }, shape: t.shape },
  ]);
};

/** All axes from one on become a number, times a factor. */
export const reduction: Mapping = (t) => {
  t.takes(1);
  const p = t.param('reduction_param');
  const operation = p.word('operation', ['SUM', 'ASUM', 'SUMSQ', 'MEAN'], 'SUM', 1);
  const axis = t.axisBehindBatch(p.integer('axis', 0), 'reducing');
  const factor = p.number('coeff', 1);
  const axes = t.shape.slice(axis).map((_, i) => axis + i);
  const before = { SUM: [], MEAN: [], ASUM: [{ op: 'abs' }], SUMSQ: [{ op: 'power', attributes: { exponent: 2 }, part: 'square' }] }[operation];
  t.chain([
    ...before,
    { op: operation === 'MEAN' ? 'reduce_mean' : 'reduce_sum', attributes: { axes, keep: false }, shape: t.shape.slice(0, axis) },
    ...(factor === 1 ? [] : [{ op: 'power', attributes: { scale: factor } }]),
  ]);
};
