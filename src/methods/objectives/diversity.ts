/**
 * Objective: how different the images of a batch look to a layer, as minus the mean cosine similarity of their Gram
 * matrices: -1 where all have the same style. Added to a unit, each image shows another facet of it.
 */
import { findNode } from '../../network/lookup.ts';
import type { Network } from '../../network/network.ts';
import type { Objective } from './objective.ts';
import type { Wording } from './wording.ts';

/** @throws unknown-layer */
export function diversityObjective(network: Network, layer: string): Objective {
  return { terms: [{ kind: 'diversity', layer: findNode(network, layer).name, weight: 1 }] };
}

export const DIVERSITY: Wording = {
  word: 'diversity',
  form: 'diversity LAYER',
  meaning: 'how different the images of a batch look to a layer',
  operands: 1,
  read: ({ network, operands }) => diversityObjective(network, operands[0]!),
};
