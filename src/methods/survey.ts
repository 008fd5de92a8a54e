/** What methods share that measure layers over many pictures: which layers, and a runner for batches of them. */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { consumers, findNode } from '../network/lookup.ts';
import type { Network, Node, Shape } from '../network/network.ts';
import { shapesOf } from '../ops/check.ts';
import type { TensorRef } from '../ops/op.ts';
import { stage, type Stage } from '../scheduler/compile.ts';
import { Runner } from '../scheduler/runner.ts';

/** In place of a layer: every convolution and every dense layer. */
export const ALL_LAYERS = 'all';

const WEIGHTED = ['conv2d', 'conv_transpose2d', 'dense'];

/** The layers by name, each once, in the order of the network. @throws usage, unknown-layer */
export function surveyedLayers(network: Network, addresses: readonly string[]): string[] {
  const asked = addresses.flatMap((address) => (address === ALL_LAYERS ? network.nodes.filter(({ op }) => WEIGHTED.includes(op)) : [findNode(network, address)]));
  if (asked.length === 0) {
    throw new UnitscopeError('usage', 'no layer is given', {}, `name one, for example '${network.nodes.at(0)?.name ?? ''}', or '${ALL_LAYERS}' for every convolution and dense layer`);
  }
  const shapes = shapesOf(network);
  const flat = asked.find(({ output }) => shapes.get(output)!.length < 2);
  if (flat) throw new UnitscopeError('usage', `'${flat.name}' has no channels: its shape is [${shapes.get(flat.output)!}]`, { layer: flat.name });
  const names = new Set(asked.map(({ name }) => name));
  return network.nodes.flatMap(({ name }) => (names.has(name) ? [name] : []));
}

/** A network that is ready to be fed batches. */
export interface Survey {
  readonly runner: Runner;
  readonly batch: number;
  /** Name and shape of its input. */
  readonly input: string;
  readonly shape: Shape;
}

/** Errors that a smaller batch may not have. */
const TOO_LARGE = ['limit', 'out-of-memory'];

/** u32 [1 + N]: how many images of the batch count, and the number of each in its set. */
export const PICTURES = 'pictures';

/**
 * Makes the runner of a forward pass, with what `record` adds for each layer in a pass behind it. A batch that is too
 * large for the device is halved until it is not.
 * @throws usage, model-*, limit, out-of-memory
 */
export async function openSurvey(
  engine: Engine,
  network: Network,
  { layers, batch }: { readonly layers: readonly string[]; readonly batch: number },
  record: (builder: Stage['builder'], layer: string, y: TensorRef, pictures: TensorRef) => void,
): Promise<Survey> {
  if (!Number.isInteger(batch) || batch < 1) throw new UnitscopeError('usage', `a batch is a whole number of pictures from 1 on, got ${batch}`);
  for (let size = batch; ; size = Math.ceil(size / 2)) {
    try {
      const s = stage(network, { layers, batch: size, capabilities: engine.capabilities, training: false });
      const [first] = s.inputs;
      if (!first || s.inputs.size > 1 || first[1].shape.length !== 4) throw new UnitscopeError('usage', `'${network.name}' does not take one picture [N, C, H, W]`);
      const pictures = s.builder.persistent(PICTURES, [1 + size], 'u32');
      for (const layer of layers) {
        const y = s.layer(layer);
        if (y.shape[0] !== size) throw new UnitscopeError('usage', `'${layer}' of shape [${y.shape}] mixes the pictures of a batch`, { layer });
        record(s.builder, layer, y, pictures);
      }
      return { runner: await Runner.create(engine, s.builder.build()), batch: size, input: first[0], shape: first[1].shape };
    } catch (error) {
      if (size === 1 || !(error instanceof UnitscopeError) || !TOO_LARGE.includes(error.code)) throw error;
    }
  }
}

/** What a runner is told of a batch: [1 + N] words. */
export function pictureWords(indices: readonly number[], batch: number): Uint32Array {
  const words = new Uint32Array(1 + batch);
  words.set([indices.length, ...indices]);
  return words;
}

const cutsAtZero = ({ op, attributes }: Node): boolean => op === 'relu' || (op === 'clip' && Number(attributes.min ?? -Infinity) >= 0);

/** Whether nothing of a layer below 0 is ever seen: it is a ReLU, or all that read it are. */
export function isRectified(network: Network, layer: string): boolean {
  const node = findNode(network, layer);
  const readers = consumers(network).get(node.output) ?? [];
  return cutsAtZero(node) || (readers.length > 0 && readers.every(cutsAtZero) && !network.outputs.includes(node.output));
}
