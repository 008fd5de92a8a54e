/** Objective: all that a layer sees at once, as in DeepDream: the mean of its squares, whose gradient points along y. */
import { findNode } from '../../network/lookup.ts';
import type { Network } from '../../network/network.ts';
import type { Objective } from './objective.ts';
import type { Wording } from './wording.ts';

/** @throws unknown-layer */
export function layerObjective(network: Network, layer: string): Objective {
  return { terms: [{ kind: 'energy', layer: findNode(network, layer).name, weight: 1 }] };
}

export const LAYER: Wording = {
  word: 'layer',
  form: 'LAYER',
  meaning: 'the mean of the squares of a layer (DeepDream)',
  operands: 1,
  read: ({ network, operands }) => layerObjective(network, operands[0]!),
};
