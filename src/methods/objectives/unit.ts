/** Objective: the activation of one unit. */
import type { Network } from '../../network/network.ts';
import { layerShape, mapShape, parseUnit, type Unit } from '../unit.ts';
import type { Objective } from './objective.ts';
import type { Wording } from './wording.ts';

/** The vector that is 1 in one channel. */
export function oneChannel(network: Network, { layer, channel }: Pick<Unit, 'layer' | 'channel'>): Float32Array {
  const values = new Float32Array(mapShape(layerShape(network, layer))[0]);
  values[channel] = 1;
  return values;
}

/** @throws usage, unknown-layer */
export function unitObjective(network: Network, unit: string | Unit): Objective {
  const found = typeof unit === 'string' ? parseUnit(network, unit) : unit;
  const [, , width] = mapShape(layerShape(network, found.layer));
  return { terms: [{ kind: 'direction', layer: found.layer, weight: 1, values: oneChannel(network, found), place: found.y * width + found.x }] };
}

export const UNIT: Wording = {
  word: 'unit',
  form: 'LAYER:CHANNEL or LAYER:CHANNEL@Y,X',
  meaning: 'one unit; without a place, the one in the centre',
  operands: 1,
  read: ({ network, operands }) => unitObjective(network, operands[0]!),
};
