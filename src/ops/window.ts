/** Slice and pad: both are a strided window of the input (shaders/slice.wgsl.ts), unless the padding is folded (shaders/pad.wgsl.ts). */
import { pad as padKernel, padBackward } from '../../shaders/pad.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { slice as kernel, sliceBackward, type WindowParameters } from '../../shaders/slice.wgsl.ts';
import type { Shape } from '../network/network.ts';
import type { Op, Refuse } from './op.ts';
import { elements, rank4 } from './shape.ts';

type Placement = Pick<WindowParameters, 'start' | 'step' | 'value'>;

/**
 * The element at which `part` begins in `whole`, where it lies there in one piece: whole axes behind the first that
 * is cut, one element along those before it.
 */
function blockOf(part: Shape, whole: Shape, start: readonly number[], step: readonly number[]): number | undefined {
  const cut = whole.findLastIndex((size, axis) => size !== part[axis]);
  const inside = part.every((size, axis) => start[axis]! >= 0 && step[axis] === 1 && start[axis]! + size <= whole[axis]!);
  if (!inside || part.slice(0, Math.max(cut, 0)).some((size) => size !== 1)) return undefined;
  return start.reduce((sum, first, axis) => sum * whole[axis]! + first, 0);
}

/** forward and backward of a window whose placement follows from the attributes. */
const windowKernels = <A>(place: (attributes: A) => Placement): Pick<Op<A>, 'forward' | 'backward'> => ({
  forward(c) {
    const [x, y] = [rank4(c.x[0]!.shape), rank4(c.y.shape)];
    const placement = place(c.attributes);
    const at = blockOf(y, x, placement.start, placement.step);
    c.dispatch({
      kernel: 'slice',
      code: kernel({ x, y, ...placement }),
      tensors: { x: c.x[0]!, y: c.y },
      grid: linearGrid(elements(y)),
      flops: 0,
      ...(at !== undefined && { copy: { from: c.x[0]!, to: c.y, at, pieces: 1 } }),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const [x, y] = [rank4(c.x[0]!.shape), rank4(c.y.shape)];
    const placement = place(c.attributes);
    // Where y is x with something around it, dx is a part of dy.
    const at = target.accumulate ? undefined : blockOf(x, y, placement.start.map((first) => -first), placement.step);
    c.dispatch({
      kernel: 'slice',
      code: sliceBackward({ x, y, ...placement, accumulate: target.accumulate }),
      tensors: { dy: c.dy, dx: target.tensor },
      grid: linearGrid(elements(x)),
      flops: 0,
      ...(at !== undefined && { copy: { from: c.dy, to: target.tensor, at, pieces: 1 } }),
    });
  },
});

function checkRank(x: Shape, attributes: Record<string, readonly number[]>, refuse: Refuse): void {
  if (x.length > 4) throw refuse(`at most 4 axes, got ${x.length}`);
  for (const [name, values] of Object.entries(attributes)) {
    if (values.length !== x.length) throw refuse(`${name} needs one entry per axis (${x.length}), got ${values.length}`);
  }
}

export interface SliceAttributes {
  /** The first element taken. */
  readonly start: readonly number[];
  /** Elements taken per axis; 0 takes the whole axis. */
  readonly size: readonly number[];
  /** Negative steps run backwards. */
  readonly step: readonly number[];
}

export const slice: Op<SliceAttributes> = {
  name: 'slice',
  attributes: { start: [], size: [], step: [] },
  weights: {},
  arity: [1, 1],
  shape([x], { start, size, step }, _weights, refuse) {
    checkRank(x!, { start, size, step }, refuse);
    return x!.map((length, axis) => {
      const taken = size[axis] === 0 ? length : size[axis]!;
      const ends = [start[axis]!, start[axis]! + (taken - 1) * step[axis]!];
      if (step[axis] === 0 || taken < 1 || Math.min(...ends) < 0 || Math.max(...ends) >= length) {
        throw refuse(`axis ${axis}: ${taken} elements from ${start[axis]} by ${step[axis]} do not lie in 0..${length - 1}`);
      }
      return taken;
    });
  },
  ...windowKernels<SliceAttributes>(({ start, step }) => ({ start: rank4(start, 0), step: rank4(step), value: 0 })),
};

export interface PadAttributes {
  /** Elements more at either end of every axis; negative ones crop, of constant padding only. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** What the new elements are: `value`, a mirror image without the border itself, or the border repeated. */
  readonly mode: 'constant' | 'reflect' | 'edge';
  readonly value: number;
}

const constantPad = windowKernels<PadAttributes>(({ before, value }) => ({
  start: rank4(
    before.map((n) => -n),
    0,
  ),
  step: [1, 1, 1, 1],
  value,
}));

export const pad: Op<PadAttributes> = {
  name: 'pad',
  attributes: { before: [], after: [], mode: 'constant', value: 0 },
  weights: {},
  arity: [1, 1],
  shape([x], { before, after, mode }, _weights, refuse) {
    checkRank(x!, { before, after }, refuse);
    if (!['constant', 'reflect', 'edge'].includes(mode)) throw refuse(`there is no mode '${mode}'`, 'known: constant, reflect, edge');
    return x!.map((length, axis) => {
      const ends = [before[axis]!, after[axis]!] as const;
      const size = length + ends[0] + ends[1];
      if (size < 1) throw refuse(`axis ${axis}: nothing is left of ${length} elements`);
      if (mode !== 'constant' && Math.min(...ends) < 0) throw refuse(`axis ${axis}: ${mode} padding cannot crop, got ${ends.join(' and ')}`);
      if (mode === 'reflect' && Math.max(...ends) >= length) {
        throw refuse(`axis ${axis}: a mirror image of ${length} elements without the border has ${length - 1}, asked for ${Math.max(...ends)}`);
      }
      return size;
    });
  },
  forward(c) {
    const { mode, before } = c.attributes;
    if (mode === 'constant') return constantPad.forward(c);
    const [x, y] = [rank4(c.x[0]!.shape), rank4(c.y.shape)];
    c.dispatch({
      kernel: 'pad',
      code: padKernel({ x, y, before: rank4(before, 0), mode }),
      tensors: { x: c.x[0]!, y: c.y },
      grid: linearGrid(elements(y)),
      flops: 0,
    });
  },
  backward(c) {
    const { mode, before } = c.attributes;
    const target = c.dx[0];
    if (mode === 'constant' || !target) return constantPad.backward(c);
    const [x, y] = [rank4(c.x[0]!.shape), rank4(c.y.shape)];
    c.dispatch({
      kernel: 'pad',
      code: padBackward({ x, y, before: rank4(before, 0), mode, accumulate: target.accumulate }),
      tensors: { dy: c.dy, dx: target.tensor },
      grid: linearGrid(elements(x)),
      flops: elements(y),
    });
  },
};
