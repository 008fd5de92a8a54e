/**
 * Where an element lies in tensors that are walked together: axes with a stride for each tensor, and their text in WGSL.
 * A tensor that is repeated along an axis has the stride 0 there; a transposed one has the strides of another order.
 */
import { range } from './prelude.wgsl.ts';

export interface Axis {
  readonly size: number;
  /** Elements from one index to the next, by tensor. */
  readonly strides: readonly number[];
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

export const sizeOf = (axes: readonly Axis[]): number => product(axes.map(({ size }) => size));

/** Strides of a tensor that lies in one piece, the last axis innermost. */
export const stridesOf = (shape: readonly number[]): number[] => shape.map((_, axis) => product(shape.slice(axis + 1)));

/** The axes of `shape`, and along them the strides of operands that numpy repeats to that shape. */
export function repeatedAxes(shape: readonly number[], operands: readonly (readonly number[])[]): Axis[] {
  const own = operands.map((operand) => [...range(shape.length - operand.length).fill(1), ...operand]);
  const strides = own.map((sizes) => stridesOf(sizes).map((stride, axis) => (sizes[axis] === 1 ? 0 : stride)));
  return shape.map((size, axis) => ({ size, strides: strides.map((of) => of[axis]!) }));
}

/** Fewer axes for the same walk: those of one index are left out, and neighbours that every tensor walks as one are one. */
export function merged(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = [];
  for (const axis of axes.filter(({ size }) => size !== 1)) {
    const outer = result.at(-1);
    const joins = outer?.strides.every((stride, tensor) => stride === axis.size * axis.strides[tensor]!);
    if (joins) result[result.length - 1] = { size: outer!.size * axis.size, strides: axis.strides };
    else result.push(axis);
  }
  return result;
}

/** A walk by fours where every tensor either holds four elements side by side or repeats one, else by single ones. */
export interface Quads {
  readonly lanes: 1 | 4;
  /** In steps of `lanes`; the strides of a tensor of vec4f are in quads. */
  readonly axes: readonly Axis[];
  /** By tensor. */
  readonly types: readonly ('f32' | 'vec4f')[];
}

export function quads(axes: readonly Axis[], tensors: number): Quads {
  const all = merged(axes);
  const inner = all.at(-1);
  if (!inner || inner.size % 4 !== 0 || inner.strides.some((stride) => stride > 1)) return { lanes: 1, axes: all, types: range(tensors).map(() => 'f32') };
  const wide = inner.strides.map((stride) => stride === 1);
  const outer = all.slice(0, -1).map(({ size, strides }) => ({ size, strides: strides.map((stride, tensor) => (wide[tensor] ? stride / 4 : stride)) }));
  return { lanes: 4, axes: [...outer, { size: inner.size / 4, strides: inner.strides }], types: wide.map((is) => (is ? 'vec4f' : 'f32')) };
}

/** Expression of where the element of `tensor` lies that belongs to index `i` (a name) of the walk, the last axis fastest. */
export function offset(i: string, axes: readonly Axis[], tensor: number): string {
  const own = merged(axes.map(({ size, strides }) => ({ size, strides: [strides[tensor]!] })));
  const terms = own.map(({ size, strides }, axis) => {
    const inner = sizeOf(own.slice(axis + 1));
    const turns = inner === 1 ? i : `(${i} / ${inner}u)`;
    const index = axis === 0 ? turns : `(${turns} % ${size}u)`;
    return strides[0] === 0 ? '' : strides[0] === 1 ? index : `${index} * ${strides[0]}u`;
  });
  return terms.filter(Boolean).join(' + ') || '0u';
}
