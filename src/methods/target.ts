/** What an attribution explains: a unit, or a whole channel in the strength of its own answers. */
import { UnitscopeError } from '../errors.ts';
import type { Network, Shape } from '../network/network.ts';
import { mapShape, parseUnit, unitIndex, unitName, type Unit } from './unit.ts';

export interface Target {
  readonly unit: Unit;
  /**
   * True: every place of the unit's channel, seeded with its own activation a, as the Deep Visualization Toolbox does. The score
   * whose gradient that is, is half the sum of a^2. False: the unit alone, seeded with 1; the score is its activation.
   */
  readonly wholeChannel: boolean;
}

/** `layer:channel` or `layer:channel@y,x`; a whole channel has no place. @throws usage, unknown-layer */
export function parseTarget(network: Network, text: string, wholeChannel = false): Target {
  const unit = parseUnit(network, text);
  if (wholeChannel && /@\d+,\d+$/.test(text)) {
    throw new UnitscopeError('usage', `'${text}' is one place of a channel, and the whole channel is asked for`, {}, 'leave out the place');
  }
  return { unit, wholeChannel };
}

/** The unit at a flat index of one image's layer. */
export function targetAt(layer: string, index: number, shape: Shape): Target {
  const [, height, width] = mapShape(shape);
  const place = index % (height * width);
  return { unit: { layer, channel: Math.floor(index / (height * width)), y: Math.floor(place / width), x: place % width }, wholeChannel: false };
}

export const targetName = ({ unit, wholeChannel }: Target, shape: Shape): string => (wholeChannel ? `${unit.layer}:${unit.channel}` : unitName(unit, shape));

/** First element and number of elements that the target has in one image's layer. */
function extent({ unit, wholeChannel }: Target, shape: Shape): readonly [number, number] {
  const [, height, width] = mapShape(shape);
  return wholeChannel ? [unit.channel * height * width, height * width] : [unitIndex(unit, shape), 1];
}

/** A tensor of a layer's shape [N, ...] that is 1 on the target of every image and 0 elsewhere. */
export function targetMask(target: Target, shape: Shape): Float32Array {
  const perImage = shape.slice(1).reduce((product, size) => product * size, 1);
  const mask = new Float32Array(shape[0]! * perImage);
  const [first, count] = extent(target, shape);
  for (let image = first; image < mask.length; image += perImage) mask.fill(1, image, image + count);
  return mask;
}

/** The target's score in image n of a layer [N, ...]. */
export function targetScore(target: Target, data: Float32Array, shape: Shape, n = 0): number {
  const [first, count] = extent(target, shape);
  const start = (n * data.length) / shape[0]! + first;
  if (!target.wholeChannel) return data[start]!;
  return data.subarray(start, start + count).reduce((sum, a) => sum + (a * a) / 2, 0);
}
