/** The layer of a network's class probabilities: its own softmax, or one that is put behind its scores. */
import { UnitscopeError } from '../errors.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Node } from '../network/network.ts';
import { elements } from '../ops/shape.ts';
import { classLayers } from './activations.ts';
import { layerShape, mapShape } from './unit.ts';

export interface Probabilities {
  /** The network itself where it ends in a softmax, else one with a layer more. */
  readonly network: Network;
  readonly layer: string;
  /** The layer of the scores before the softmax. */
  readonly logits: string;
  readonly classes: number;
}

/** @throws usage where the network ends in maps, not in one score per class */
export function withProbabilities(network: Network): Probabilities {
  const { logits, softmax } = classLayers(network);
  const shape = layerShape(network, logits);
  const [classes, height, width] = mapShape(shape);
  if (height * width > 1) {
    throw new UnitscopeError('usage', `'${network.name}' ends in [${shape.join(', ')}], not in one score per class`, {}, 'name a unit in place of a class');
  }
  if (softmax !== undefined) return { network, layer: findNode(network, softmax).name, logits, classes };
  const taken = new Set(network.nodes.flatMap(({ name, output }) => [name, output]).concat(network.inputs.map(({ name }) => name)));
  let name = 'probabilities';
  while (taken.has(name)) name += "'";
  const node: Node = { name, output: name, op: 'softmax', inputs: [logits], attributes: { axis: 1 }, weights: {} };
  return { network: { ...network, nodes: [...network.nodes, node], outputs: [name] }, layer: name, logits, classes };
}

/** How many classes a network tells apart. */
export const classCount = (network: Network): number => elements(layerShape(network, classLayers(network).logits).slice(1));

/** @throws usage for an index that names no class */
export function checkClass(index: number, classes: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= classes) throw new UnitscopeError('usage', `there is no class ${index}, the network has 0..${classes - 1}`);
}
