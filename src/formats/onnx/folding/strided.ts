/** Constants element by element: every rearrangement is a walk with strides. */
import type { Shape } from '../../../network/network.ts';
import type { OnnxTensor } from '../tensor.ts';

export type Numbers = OnnxTensor['data'];

/** Numbers of the same kind as `like`. */
export function numbersLike(like: Numbers, count: number): Numbers {
  return like instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
}

/** Distance in elements between neighbours along each axis. */
export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** y[i, j, ...] = x[first + i strides[0] + j strides[1] + ...] for all indices of `shape`, into `y`. */
export function walk(x: Numbers, y: Numbers, shape: Shape, strides: readonly number[], first = 0): void {
  let at = 0;
  const along = (axis: number, from: number): void => {
    const size = shape[axis] ?? 1;
    const stride = strides[axis] ?? 0;
    if (axis >= shape.length - 1) for (let i = 0; i < size; i++) y[at++] = x[from + i * stride]!;
    else for (let i = 0; i < size; i++) along(axis + 1, from + i * stride);
  };
  if (!shape.includes(0)) along(0, first);
}

/** Strides that repeat a tensor of `from` over the larger shape `to`, as numpy broadcasts. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  return to.map((_, axis) => {
    const own = axis - to.length + from.length;
    return own < 0 || from[own] === 1 ? 0 : strides[own]!;
  });
}
