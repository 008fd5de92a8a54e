/** The part of a network's input picture that one unit sees. */
import { UnitscopeError } from '../errors.ts';
import { findNode } from '../network/lookup.ts';
import type { Network } from '../network/network.ts';
import { shapesOf } from '../ops/check.ts';
import { reachOf } from '../ops/reach.ts';
import { views, type Sight } from '../ops/receptive_field.ts';

/** Pixels of the network's input; it may reach beyond the picture, whose first pixel is 0, 0. */
export interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** A place of a layer, as a unit has it. */
export interface Place {
  readonly channel: number;
  readonly y: number;
  readonly x: number;
}

/**
 * What each unit of a layer sees: its receptive field. Where that is more than twice as large as the picture, or is not
 * known, it is the picture.
 * @throws usage where the network has several inputs, or one that is no picture
 */
export function unitFields(network: Network, layer: string): (place: Place) => Rectangle {
  const [input, ...others] = network.inputs;
  if (!input || others.length > 0 || input.shape.length !== 4) throw new UnitscopeError('usage', `'${network.name}' does not take one picture [N, C, H, W]`);
  const { output } = findNode(network, layer);
  const shapes = shapesOf(network);
  const view = views(network, shapes, input).get(output);
  if (view === undefined) throw new UnitscopeError('usage', `'${layer}' does not depend on the picture`, { layer });
  const axes = shapes.get(output)!.length;
  const [height, width] = input.shape.slice(2) as [number, number];
  const span = (axis: 0 | 1, place: Place): readonly [number, number] => {
    const size = [height, width][axis]!;
    const seen = typeof view === 'string' ? undefined : spanOf(view[axis], place, axes);
    if (!seen || !(seen[1] - seen[0] < 2 * size)) return [0, size - 1];
    return seen;
  };
  return (place) => {
    const [top, bottom] = span(0, place);
    const [left, right] = span(1, place);
    return { top, left, height: bottom - top + 1, width: right - left + 1 };
  };
}

/** First and last pixel; undefined where nothing is seen, or where a unit's place along the axis is not one of its coordinates. */
function spanOf({ reach, along }: Sight, { channel, y, x }: Place, axes: number): readonly [number, number] | undefined {
  if (along === 3 && axes !== 4) return undefined;
  const unit = along === undefined ? 0 : [undefined, channel, y, x][along];
  if (unit === undefined) return undefined;
  const [first, last] = reachOf(reach, unit);
  return first <= last && Number.isFinite(last - first) ? [first, last] : undefined;
}
