/** Slice and pad: both are a strided window of the input (shaders/slice.wgsl.ts). */
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { slice as kernel, sliceBackward, type WindowParameters } from '../../shaders/slice.wgsl.ts';
import type { Shape } from '../network/network.ts';
import type { Op, Refuse } from './op.ts';
import { elements, rank4 } from './shape.ts';

type Placement = Pick<WindowParameters, 'start' | 'step' | 'value'>;

/** forward and backward of a window whose placement follows from the attributes. */
const windowKernels = <A>(place: (attributes: A) => Placement): Pick<Op<A>, 'forward' | 'backward'> => ({
  forward(c) {
    const count = elements(c.y.shape);
    c.dispatch({
      kernel: 'slice',
      code: kernel({ x: rank4(c.x[0]!.shape), y: rank4(c.y.shape), ...place(c.attributes) }),
      tensors: { x: c.x[0]!, y: c.y },
      grid: linearGrid(count),
      flops: 0,
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const x = c.x[0]!;
    c.dispatch({
      kernel: 'slice',
      code: sliceBackward({ x: rank4(x.shape), y: rank4(c.y.shape), ...place(c.attributes), accumulate: target.accumulate }),
      tensors: { dy: c.dy, dx: target.tensor },
      grid: linearGrid(elements(x.shape)),
      flops: 0,
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
  readonly start: readonly number[];
  /** Elements taken per axis; 0 takes the whole axis. */
  readonly size: readonly number[];
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
      const last = start[axis]! + (taken - 1) * step[axis]!;
      if (step[axis]! < 1 || taken < 1 || start[axis]! < 0 || last >= length) {
        throw refuse(`axis ${axis}: ${taken} elements from ${start[axis]} by ${step[axis]} do not lie in 0..${length - 1}`);
      }
      return taken;
    });
  },
  ...windowKernels<SliceAttributes>(({ start, step }) => ({ start: rank4(start, 0), step: rank4(step), value: 0 })),
};

export interface PadAttributes {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
}

export const pad: Op<PadAttributes> = {
  name: 'pad',
  attributes: { before: [], after: [], value: 0 },
  weights: {},
  arity: [1, 1],
  shape([x], { before, after }, _weights, refuse) {
    checkRank(x!, { before, after }, refuse);
    return x!.map((length, axis) => {
      const size = length + before[axis]! + after[axis]!;
      if (size < 1) throw refuse(`axis ${axis}: nothing is left of ${length} elements`);
      return size;
    });
  },
  ...windowKernels<PadAttributes>(({ before, value }) => ({
    start: rank4(
      before.map((n) => -n),
      0,
    ),
    step: [1, 1, 1, 1],
    value,
  })),
};
