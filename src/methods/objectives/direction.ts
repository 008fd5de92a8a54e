/** Objective: a direction in the space of a layer's channels. */
import { UnitscopeError } from '../../errors.ts';
import { findNode } from '../../network/lookup.ts';
import type { Network } from '../../network/network.ts';
import { layerShape, mapShape } from '../unit.ts';
import type { Objective } from './objective.ts';
import type { Wording } from './wording.ts';

export interface DirectionOptions {
  /** A place of the map, or its centre; the mean over all places without it. */
  readonly at?: 'centre' | { readonly y: number; readonly x: number };
  /** The exponent of the cosine similarity: 0, unless given, is the plain dot product; larger ones ask for nothing beside the direction. */
  readonly power?: number;
}

/** @param vector one number per channel. @throws usage, unknown-layer */
export function directionObjective(network: Network, layer: string, vector: Float32Array, { at, power = 0 }: DirectionOptions = {}): Objective {
  const { name } = findNode(network, layer);
  const [channels, height, width] = mapShape(layerShape(network, name));
  if (vector.length !== channels) {
    throw new UnitscopeError('usage', `a direction in '${name}' has ${channels} numbers, one per channel; this one has ${vector.length}`, { layer: name });
  }
  const { y, x } = at === 'centre' ? { y: Math.floor(height / 2), x: Math.floor(width / 2) } : (at ?? { y: 0, x: 0 });
  if (y >= height || x >= width) throw new UnitscopeError('usage', `${y},${x} lies outside the map of '${name}'`, { layer: name }, `y 0..${height - 1}, x 0..${width - 1}`);
  return { terms: [{ kind: 'direction', layer: name, weight: 1, values: vector, power, ...(at && { place: y * width + x }) }] };
}

/** `conv3`, `conv3@centre` or `conv3@4,5`; a layer whose own name ends like that is that layer. */
function placeOf(network: Network, text: string): { layer: string; at?: DirectionOptions['at'] } {
  const match = /^(.*)@(?:centre|(\d+),(\d+))$/s.exec(text);
  if (!match || network.nodes.some(({ name, output }) => name === text || output === text)) return { layer: text };
  const [, layer, y, x] = match;
  return { layer: layer!, at: y === undefined ? 'centre' : { y: Number(y), x: Number(x) } };
}

export const DIRECTION: Wording = {
  word: 'direction',
  form: 'direction LAYER FILE.npy, with LAYER@Y,X or LAYER@centre for one place and direction^2 for a power of the cosine',
  meaning: 'the dot product with one number per channel',
  operands: 2,
  power: true,
  async read({ network, operands, power, vector }) {
    const { layer, at } = placeOf(network, operands[0]!);
    const { name } = findNode(network, layer);
    return directionObjective(network, name, await vector(operands[1]!), { power, ...(at && { at }) });
  },
};
