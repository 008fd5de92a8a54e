/** Finding layers: by name, by who reads them, by what they need. */
import { UnitscopeError } from '../errors.ts';
import type { Network, Node } from './network.ts';
import { didYouMean, quote } from './spelling.ts';

/** The layer with this name or, failing that, with this output name. Throws 'unknown-layer' with the nearest names. */
export function findNode(network: Network, address: string): Node {
  const node =
    network.nodes.find((candidate) => candidate.name === address) ??
    network.nodes.find((candidate) => candidate.output === address);
  if (node) return node;
  const known = [...new Set(network.nodes.flatMap((candidate) => [candidate.name, candidate.output]))];
  const message = `the network has no layer ${quote(address)}`;
  throw new UnitscopeError('unknown-layer', message, { layer: address }, didYouMean(address, known));
}

/** The layer that makes each tensor; network inputs are not listed. */
export function producers(network: Network): Map<string, Node> {
  return new Map(network.nodes.map((node) => [node.output, node]));
}

/** The layers that read each tensor, in network order; tensors that nobody reads are not listed. */
export function consumers(network: Network): Map<string, Node[]> {
  const readers = new Map<string, Node[]>();
  for (const node of network.nodes) {
    for (const input of new Set(node.inputs)) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  return readers;
}

/** The layers that must run so that the targets (layer or output names) exist, targets included, in network order. */
export function ancestors(network: Network, targets: readonly string[]): Node[] {
  const needed = new Set(targets.map((target) => findNode(network, target).output));
  const chosen: Node[] = [];
  for (let index = network.nodes.length - 1; index >= 0; index--) {
    const node = network.nodes[index]!;
    if (!needed.has(node.output)) continue;
    chosen.push(node);
    node.inputs.forEach((input) => needed.add(input));
  }
  return chosen.reverse();
}
