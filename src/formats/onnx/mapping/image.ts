/**
 * Layers over images [N, C, H, W]. A signal [N, C, W] is an image of height 1: it gets the axis before the layer and
 * loses it behind.
 */
import type { Tensor } from '../../../network/network.ts';
import type { Emission, NodeTranslation } from '../translation.ts';
import type { RuntimeOperand } from '../value.ts';
import { reshapeTo } from './reshaping.ts';

export interface Image {
  readonly x: RuntimeOperand;
  /** 1 for a signal, 2 for an image. */
  readonly axes: number;
}

/** Refuses all but signals and images; `axes` is the number of axes that a window or a weight slides along. */
export function checkAxes(t: NodeTranslation, axes: number, fromInput = false): void {
  if (axes === 1 || axes === 2) return;
  const reason = `${axes}-D ${t.node.op} is not supported, only 1-D and 2-D`;
  throw fromInput ? t.refuseShape(reason) : t.refuse(reason);
}

/** The first operand as an image. */
export function imageOf(t: NodeTranslation, axes?: number): Image {
  const x = t.runtime(0);
  const found = x.shape.length - 2;
  if (axes === undefined) checkAxes(t, found, true);
  else if (found !== axes) throw t.invalid(`the input [${x.shape}] has ${x.shape.length} axes instead of ${axes + 2}`);
  if (found === 2) return { x, axes: 2 };
  return { x: reshapeTo(t, x, { shape: x.shape.toSpliced(2, 0, 1), grown: x.grown.toSpliced(2, 0, 1), part: 'image' }), axes: 1 };
}

/** The last layer over an image, and the way back for a signal. */
export function emitImage(t: NodeTranslation, { axes }: Image, emission: Omit<Emission, 'part'>): void {
  const result = t.emit({ ...emission, ...(axes === 1 && { part: emission.op }) });
  if (axes === 1) reshapeTo(t, result, { shape: result.shape.toSpliced(2, 1), grown: result.grown.toSpliced(2, 1) });
}

/** A list with one number per axis, as one for height and width: `fill` stands for the height of a signal. */
export function forImage(list: readonly number[], axes: number, fill: number): number[] {
  return axes === 2 ? [...list] : list.flatMap((value) => [fill, value]);
}

/** A weight [M, C, W] as [M, C, 1, W]. */
export function imageWeight(weight: Tensor): Tensor {
  return weight.shape.length === 3 ? { shape: weight.shape.toSpliced(2, 0, 1), data: weight.data } : weight;
}
