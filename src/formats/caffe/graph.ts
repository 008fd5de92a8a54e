/** A prototxt and its weights to a Network: layers in the order of the file, everything unsupported in one error. */
import { UnitscopeError } from '../../errors.ts';
import type { Network, NetworkInput, Shape, Tensor } from '../../network/network.ts';
import { didYouMean, quote } from '../../network/spelling.ts';
import { finishNetwork } from '../../network/validate.ts';
import type { LoadOptions } from '../format.ts';
import { unsupported } from '../unsupported.ts';
import { mappings, REFUSED } from './layers/index.ts';
import { readNet, type CaffeInput, type CaffeLayer, type CaffeNet } from './net.ts';
import { preprocessOf } from './preprocess.ts';
import { LayerTranslation, Names, type Scope } from './translation.ts';

export interface CaffeParts {
  readonly text: string;
  readonly file: string;
  /** Blobs by layer, and where they come from. */
  readonly blobs: ReadonlyMap<string, readonly Tensor[]>;
  readonly weightsFile: string;
  readonly mean?: Tensor | undefined;
}

/** @throws model-format, model-invalid, or one model-unsupported with every reason; not-finite with `strict` */
export function readCaffe({ text, file, blobs, weightsFile, mean }: CaffeParts, { strict, inputShape }: LoadOptions = {}): Network {
  const net = readNet(text, file);
  const notes = [...net.notes];
  const inputs = net.inputs.map((input) => inputOf(input, net.inputs.length, file, inputShape, notes));
  const scope: Scope = {
    file,
    weightsFile,
    blobs,
    statedBatch: net.inputs[0]?.shape?.[0] ?? 1,
    current: new Map(inputs.map(({ name }) => [name, name])),
    names: new Names(),
    tensors: new Names(inputs.map(({ name }) => name)),
    shapes: new Map(inputs.map(({ name, shape }) => [name, shape])),
    guessed: new Set<string>(),
    read: new Set<string>(),
    nodes: [],
  };
  const prepared = preprocessOf(net.transforms, mean, inputs[0]?.shape ?? []);
  if (prepared.rest) subtractRest(prepared.rest, inputs[0]!.name, scope);
  const reasons = net.layers.flatMap((layer) => translate(layer, scope));
  if (reasons.length > 0) throw unsupported(reasons, file);
  const known = new Set(net.layers.map((layer) => layer.name));
  const strangers = [...blobs.keys()].filter((name) => !known.has(name));
  if (strangers.length > 0) notes.push(`${weightsFile} has weights of layers that ${file} does not have: ${strangers.slice(0, 8).map(quote).join(', ')}${strangers.length > 8 ? ` and ${strangers.length - 8} more` : ''}`);
  notes.push(...prepared.notes);
  const draft: Network = {
    name: net.name || file,
    inputs,
    nodes: scope.nodes,
    outputs: resultsOf(net, scope),
    ...(prepared.preprocess && { preprocess: prepared.preprocess }),
    ...(notes.length > 0 && { notes }),
  };
  return finishNetwork(draft, { file, strict: strict ?? false });
}

/** The layer that takes the rest of the mean image off the input, before every other. */
function subtractRest(rest: Tensor, input: string, scope: Scope): void {
  const name = scope.names.give(`${input}/mean_image`);
  const output = scope.tensors.give(name);
  scope.nodes.push({ name, output, op: 'subtract', inputs: [input], attributes: {}, weights: { operand: rest } });
  scope.current.set(input, output);
  scope.shapes.set(output, scope.shapes.get(input)!);
}

/** Adds the layers of one layer; returns the reasons why it cannot. */
function translate(layer: CaffeLayer, scope: Scope): string[] {
  const name = scope.names.give(layer.name || layer.tops[0] || 'layer');
  const t = new LayerTranslation(layer, name, scope);
  const reasons: string[] = [];
  try {
    const mapping = mappings.get(layer.type);
    if (!mapping) throw t.refuse(reasonFor(layer.type));
    mapping(t);
    reasons.push(...t.unread().map((field) => t.refuse(`${quote(field)} is not supported`).message));
    if (reasons.length === 0) t.checkBlobs();
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    if (error.code === 'model-unsupported') reasons.push(error.message);
    else if (error.code !== 'model-invalid' || !t.guessed) throw error;
    t.guess();
  }
  return reasons;
}

function reasonFor(type: string): string {
  const known = REFUSED.get(type);
  const near = didYouMean(type, [...mappings.keys()]);
  return known ?? `this type of layer is not supported${near.startsWith('did') ? `; ${near}` : ''}`;
}

/** Tensors that a layer makes last and nobody reads. */
function resultsOf(net: CaffeNet, { nodes, current, read }: Scope): string[] {
  const made = new Set(nodes.map(({ output }) => output));
  return [...new Set(net.layers.flatMap(({ tops }) => tops.map((top) => current.get(top)!)))].filter((tensor) => made.has(tensor) && !read.has(tensor));
}

/** One image: the batch of a deploy file is what somebody ran it with. */
function inputOf({ name, shape }: CaffeInput, count: number, file: string, given: LoadOptions['inputShape'], notes: string[]): NetworkInput {
  const wanted = Array.isArray(given) ? (count === 1 ? (given as Shape) : undefined) : (given as Readonly<Record<string, Shape>> | undefined)?.[name];
  if (wanted) return { name, shape: wanted };
  if (!shape?.every((size) => size > 0)) {
    const message = `the size of input ${quote(name)} is open${shape ? `: [${shape}]` : ''}`;
    throw new UnitscopeError('model-unsupported', message, { file }, 'give its size with the option inputShape, e.g. [1, 3, 227, 227]');
  }
  if (shape[0] !== 1) notes.push(`input ${quote(name)} has a batch of ${shape[0]} in the file and 1 here`);
  return { name, shape: [1, ...shape.slice(1)] };
}
