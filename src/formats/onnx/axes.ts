/** Axes as nodes state them: counted from the end when negative, in an attribute or, later on, in an operand. */
import type { Shape } from '../../network/network.ts';
import type { NodeTranslation } from './translation.ts';

/** An axis of a shape as a number from 0 on. */
export function axisOf(t: NodeTranslation, stated: number, shape: Shape, rank = shape.length): number {
  const axis = stated < 0 ? stated + rank : stated;
  if (!Number.isInteger(axis) || axis < 0 || axis >= rank) throw t.invalid(`axis ${stated} is outside [${shape}]`);
  return axis;
}

/** Several axes, in the order of the file; none may stand twice. */
export function axesOf(t: NodeTranslation, stated: readonly number[], shape: Shape, rank = shape.length): number[] {
  const axes = stated.map((axis) => axisOf(t, axis, shape, rank));
  if (new Set(axes).size !== axes.length) throw t.invalid(`the axes [${stated}] name one twice`);
  return axes;
}

/** The list that an op had as attribute before version `since`, and has as operand from then on. */
export function listOf(t: NodeTranslation, name: string, since: number, operand = 1): readonly number[] | undefined {
  return t.opset < since ? t.attributes.integers(name) : t.integers(operand, name);
}

/** The common shape of operands by the rules of numpy. */
export function broadcastShapes(t: NodeTranslation, shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const size = sizes.find((candidate) => candidate !== 1) ?? 1;
    if (sizes.some((candidate) => candidate !== 1 && candidate !== size)) {
      throw t.invalid(`${shapes.map((shape) => `[${shape}]`).join(' and ')} do not fit together`);
    }
    return size;
  });
}

/** The shape at the larger batch; as it is where one of the operands has the batch of the file. */
export function grownTogether(t: NodeTranslation, shapes: readonly Shape[], shape: Shape): Shape {
  try {
    return broadcastShapes(t, shapes);
  } catch {
    t.noteBatch('an operand with a batch axis');
    return shape;
  }
}
