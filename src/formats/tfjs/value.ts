/**
 * Tensors on their way from Keras, which keeps images as N, H, W, C, to ours, N, C, H, W. A value knows both: the shape
 * as Keras has it, and in which order our tensor has those axes. Memory moves only where the order matters.
 */
import type { Shape, Tensor } from '../../network/network.ts';
import { elementCount } from '../../network/validate.ts';

/** Axes of Keras in some order: axis i of ours is axis order[i] of Keras. The batch stays first. */
export type Order = readonly number[];

export interface Value {
  /** The name of our tensor. */
  readonly name: string;
  /** As Keras has it, batch first. */
  readonly shape: Shape;
  readonly order: Order;
  /**
   * Set on rows [N, K] that are a flattened tensor whose axes are not in the order of Keras: what it was before, so that
   * the weights of the next layer can be put in that order instead of the numbers.
   */
  readonly flattened?: { readonly shape: Shape; readonly order: Order };
  /** True behind an unsupported layer: the shape is only a guess, so contradictions mean nothing. */
  readonly guessed: boolean;
}

/** N, C, H, W of N, H, W, C. */
export const IMAGE: Order = [0, 3, 1, 2];

export const plainOrder = (rank: number): Order => Array.from({ length: rank }, (_, axis) => axis);

export const sameOrder = (a: Order, b: Order): boolean => a.length === b.length && a.every((axis, i) => axis === b[i]);

/** The shape of our tensor. */
export const ourShape = ({ shape, order }: Pick<Value, 'shape' | 'order'>): Shape => order.map((axis) => shape[axis]!);

/** How the axes of a tensor in one order must be permuted to get the other: axis i comes from axis result[i]. */
export const permutation = (from: Order, to: Order): Order => to.map((axis) => from.indexOf(axis));

/** True where a permutation moves no number: only axes of size 1 change their place. */
export function movesNothing(shape: Shape, permuted: Order): boolean {
  const moved = permuted.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!);
}

/** The constant with its axes permuted: axis i of the result is axis order[i]. */
export function transposed({ shape, data }: Tensor, order: Order): Tensor {
  const sizes = order.map((axis) => shape[axis]!);
  if (movesNothing(shape, order)) return { shape: sizes, data };
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const steps = order.map((axis) => strides[axis]!);
  const result = new Float32Array(data.length);
  const index = sizes.map(() => 0);
  for (let to = 0, from = 0; to < result.length; to++) {
    result[to] = data[from]!;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      from += steps[axis]!;
      if (index[axis]! < sizes[axis]!) break;
      from -= index[axis]! * steps[axis]!;
      index[axis] = 0;
    }
  }
  return { shape: sizes, data: result };
}
