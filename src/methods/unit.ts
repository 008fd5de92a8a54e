/** Units: one number of a layer, addressed as `layer:channel` or `layer:channel@y,x`. */
import { UnitscopeError } from '../errors.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Shape } from '../network/network.ts';
import { shapesOf } from '../ops/check.ts';

export interface Unit {
  /** Name of the layer. */
  readonly layer: string;
  readonly channel: number;
  /** Position in the map; 0, 0 where the layer has no map. */
  readonly y: number;
  readonly x: number;
}

/** A layer's shape of one image as [channels, height, width]. */
export function mapShape(shape: Shape): readonly [number, number, number] {
  const [, channels = 1, height = 1, ...rest] = shape;
  return [channels, height, rest.reduce((product, size) => product * size, 1)];
}

/** The shape [N, ...] of a layer as the file states it. @throws unknown-layer */
export function layerShape(network: Network, layer: string): Shape {
  return shapesOf(network).get(findNode(network, layer).output)!;
}

/**
 * Parses `layer:channel` or `layer:channel@y,x`; without a position the centre of the map is meant. Layer names may
 * hold colons: the last one counts.
 * @throws usage (with the ranges), unknown-layer
 */
export function parseUnit(network: Network, text: string): Unit {
  const match = /^(.*):(\d+)(?:@(\d+),(\d+))?$/s.exec(text);
  if (!match) {
    throw new UnitscopeError('usage', `'${text}' does not name a unit`, {}, "write LAYER:CHANNEL or LAYER:CHANNEL@Y,X, for example 'conv5:12@6,6'");
  }
  const [, address, channel, y, x] = match;
  const layer = findNode(network, address!).name;
  const [channels, height, width] = mapShape(layerShape(network, layer));
  const unit = {
    layer,
    channel: Number(channel),
    y: y === undefined ? Math.floor(height / 2) : Number(y),
    x: x === undefined ? Math.floor(width / 2) : Number(x),
  };
  if (unit.channel >= channels || unit.y >= height || unit.x >= width) {
    throw new UnitscopeError(
      'usage',
      `'${text}' lies outside layer '${layer}'`,
      { layer },
      `channels 0..${channels - 1}, y 0..${height - 1}, x 0..${width - 1}`,
    );
  }
  return unit;
}

/** Flat index of a unit in one image's layer. */
export function unitIndex(unit: Unit, shape: Shape): number {
  const [, height, width] = mapShape(shape);
  return (unit.channel * height + unit.y) * width + unit.x;
}

/** `layer:channel`, with the position where the layer has a map. */
export function unitName(unit: Unit, shape: Shape): string {
  const [, height, width] = mapShape(shape);
  return height * width === 1 ? `${unit.layer}:${unit.channel}` : `${unit.layer}:${unit.channel}@${unit.y},${unit.x}`;
}
