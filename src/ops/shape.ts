/** Arithmetic of shapes that several ops share. */
import type { Shape } from '../network/network.ts';
import type { Shape4 } from '../../shaders/add.wgsl.ts';
import type { Refuse } from './op.ts';

/** Number of elements; 1 for a scalar. */
export function elements(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The shape with ones on the left up to four axes. */
export function rank4(shape: Shape, fill = 1): Shape4 {
  return [...Array<number>(4 - shape.length).fill(fill), ...shape] as unknown as Shape4;
}

/** Broadcast shape of two operands, as numpy does. */
export function broadcast(a: Shape, b: Shape, refuse: Refuse): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (x !== y && x !== 1 && y !== 1) throw refuse(`[${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Refuses an axis outside 0 .. rank-1. */
export function checkAxis(axis: number, rank: number, refuse: Refuse): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= rank) throw refuse(`axis ${axis} of a tensor of ${rank} axes`);
}
