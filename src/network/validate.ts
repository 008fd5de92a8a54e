/** The last step of every loader: a draft becomes a Network that the rest of the program can trust. */
import { UnitscopeError, type ErrorAddress } from '../errors.ts';
import type { Network, Node, Shape, Tensor } from './network.ts';
import { topologicalOrder } from './order.ts';
import { didYouMean, quote, quoteList } from './spelling.ts';

export interface FinishOptions {
  /** Refuse NaN and infinity in weights instead of noting them. */
  strict?: boolean;
  /** File name for error addresses. */
  file?: string;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Checks a draft whose layers may stand in any order and returns it in topological order.
 * Throws 'model-invalid' (names used twice, tensors that nothing makes, a cycle, weights whose shape and
 * data disagree) or, with `strict`, 'not-finite'. Other non-finite weights are counted in `notes`.
 */
export function finishNetwork(draft: Network, options: FinishOptions = {}): Network {
  const file: ErrorAddress = options.file === undefined ? {} : { file: options.file };
  const invalid = (message: string, node?: Node, hint = ''): UnitscopeError =>
    new UnitscopeError('model-invalid', message, node ? { ...file, layer: node.name, op: node.op } : file, hint);

  if (draft.nodes.length === 0) throw invalid('the network has no layers');
  if (draft.inputs.length === 0) throw invalid('the network has no inputs');
  if (draft.outputs.length === 0) throw invalid('the network has no outputs');

  const tensors = new Set<string>();
  for (const input of draft.inputs) {
    if (tensors.has(input.name)) throw invalid(`two inputs are called ${quote(input.name)}`);
    tensors.add(input.name);
    if (!input.shape.every(isSize)) {
      throw invalid(`input ${quote(input.name)} has the shape [${input.shape}]; sizes are whole numbers above 0`);
    }
  }
  const names = new Set<string>();
  for (const node of draft.nodes) {
    if (node.name === '') throw invalid(`a layer (op ${quote(node.op)}) has no name`, node);
    if (names.has(node.name)) throw invalid(`two layers are called ${quote(node.name)}`, node);
    names.add(node.name);
    if (node.output === '') throw invalid('a layer makes a tensor without a name', node);
    if (tensors.has(node.output)) throw invalid(`the tensor ${quote(node.output)} is made twice`, node);
    tensors.add(node.output);
    for (const [role, tensor] of Object.entries(node.weights)) checkWeight(role, tensor, node, invalid);
  }
  for (const node of draft.nodes) {
    for (const input of node.inputs) {
      if (tensors.has(input)) continue;
      const message = `layer ${quote(node.name)} reads ${quote(input)}, which nothing makes`;
      throw invalid(message, node, didYouMean(input, [...tensors]));
    }
  }
  const missing = draft.outputs.filter((output) => !tensors.has(output));
  if (missing.length > 0) {
    throw invalid(`nothing makes the output ${quoteList(missing)}`, undefined, didYouMean(missing[0]!, [...tensors]));
  }

  const nodes = topologicalOrder(
    draft.nodes,
    { name: (node) => node.name, inputs: (node) => node.inputs, outputs: (node) => [node.output] },
    file,
  );
  const flaws = nodes.flatMap((node) => nonFiniteWeights(node).map((flaw) => ({ node, flaw })));
  if (options.strict && flaws.length > 0) {
    const { node, flaw } = flaws[0]!;
    const hint = 'load without the strict option to take the file as it is';
    throw new UnitscopeError('not-finite', flaw, { ...file, layer: node.name, op: node.op }, hint);
  }
  const notes = [...(draft.notes ?? []), ...flaws.map(({ flaw }) => flaw)];
  return notes.length > 0 ? { ...draft, nodes, notes } : { ...draft, nodes };
}

function checkWeight(role: string, tensor: Tensor, node: Node, invalid: (message: string, node: Node) => Error): void {
  const title = `${quote(role)} of layer ${quote(node.name)}`;
  if (!tensor.shape.every(isSize)) {
    throw invalid(`${title} has the shape [${tensor.shape}]; sizes are whole numbers above 0`, node);
  }
  const count = elementCount(tensor.shape);
  if (count === tensor.data.length) return;
  throw invalid(`${title} has the shape [${tensor.shape}] = ${count} numbers, but ${tensor.data.length} are there`, node);
}

function nonFiniteWeights(node: Node): string[] {
  return Object.entries(node.weights).flatMap(([role, { data }]) => {
    let count = 0;
    // x - x is 0 for every finite number and NaN for the others: twice as fast as Number.isFinite here.
    for (let i = 0; i < data.length; i++) if (data[i]! - data[i]! !== 0) count++;
    if (count === 0) return [];
    return [`${quote(role)} of layer ${quote(node.name)}: ${count} of ${data.length} numbers are not finite`];
  });
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size > 0;
}
