/** Layers that only rename the elements, written so that they hold for every batch. */
import type { Shape } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import { isBatched, type RuntimeOperand } from '../value.ts';
import type { NodeTranslation } from '../translation.ts';

export interface Reshaping {
  readonly shape: Shape;
  /** The shape at the larger batch; undefined where the file has none. */
  readonly grown: Shape | undefined;
  /** The sizes as the file states them, 0 and -1 among them: kept where they can be. */
  readonly wanted?: readonly number[];
  readonly part?: string;
}

/**
 * The attribute of a reshape from x that gives `shape` at the batch of the file and `grown` at the larger one: 0 copies
 * an axis that grows, -1 stands for one that grows otherwise. Undefined when two axes would need the -1.
 */
function attributeFor(x: RuntimeOperand, { shape, grown = shape, wanted = [] }: Reshaping): number[] | undefined {
  const copies = (axis: number): boolean => axis < x.shape.length && x.shape[axis] === shape[axis] && x.grown[axis] === grown[axis];
  const isOpen = shape.map((size, axis) => grown[axis] !== size && !copies(axis));
  const open = isOpen.filter(Boolean).length;
  if (open > 1) return undefined;
  return shape.map((size, axis) => {
    const stated = wanted[axis];
    if (isOpen[axis] || (stated === -1 && open === 0)) return -1;
    return grown[axis] !== size || (stated === 0 && copies(axis)) ? 0 : size;
  });
}

/** A reshape, or nothing where the shape stays and more layers follow. */
export function reshapeTo(t: NodeTranslation, x: RuntimeOperand, reshaping: Reshaping): RuntimeOperand {
  const { shape, part } = reshaping;
  let { grown } = reshaping;
  if (!grown || elementCount(grown) !== elementCount(x.grown)) grown = undefined;
  let attribute = grown && attributeFor(x, { ...reshaping, grown });
  if (!attribute) {
    if (x.grown !== x.shape) t.noteBatch(`the shape [${shape}]`);
    grown = shape;
    attribute = [...shape];
  }
  return t.emit({ op: 'reshape', inputs: [x], attributes: { shape: attribute }, shape, grown, ...(part !== undefined && { part }) });
}

/** Axis 0 of another shape that follows x's batch. */
export function withBatchOf(x: RuntimeOperand, shape: Shape): Shape {
  return isBatched(x) && shape[0] === x.shape[0] ? shape.with(0, x.grown[0]!) : shape;
}
