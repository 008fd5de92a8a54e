/** Writes small model.json files by hand, in the forms of Keras 2 and 3, with weights that count up. */
import type { LoadOptions, NamedFile } from '../../src/formats/loader.ts';
import { loadNetwork } from '../../src/formats/loader.ts';
import { encodeText } from '../../src/formats/text.ts';
import type { Network } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';

export type Facts = Record<string, unknown>;

export const layer = (type: string, name: string, config: Facts = {}, more: Facts = {}): Facts => ({ class_name: type, config: { name, ...config }, ...more });
export const input = (name: string, ...shape: (number | null)[]): Facts => layer('InputLayer', name, { batch_input_shape: [null, ...shape] }, { name, inbound_nodes: [] });

/** A reference in the form of Keras 3. */
export const tensor = (name: string, node = 0, index = 0): Facts => ({ class_name: '__keras_tensor__', config: { shape: [null, 1], dtype: 'float32', keras_history: [name, node, index] } });

/** A layer of a graph in the form of Keras 2, called on the outputs of others. */
export const called = (type: string, name: string, config: Facts, ...inputs: string[]): Facts =>
  layer(type, name, config, { name, inbound_nodes: [inputs.map((from) => [from, 0, 0, {}])] });

export const sequence = (...layers: Facts[]): Facts => ({ class_name: 'Sequential', config: { name: 'net', layers } });
export const graph = (layers: Facts[], inputs: readonly string[], outputs: readonly string[], name = 'net'): Facts => {
  const references = (names: readonly string[]) => names.map((from) => [from, 0, 0]);
  return { class_name: 'Functional', config: { name, layers, input_layers: references(inputs), output_layers: references(outputs) } };
};

export interface WeightFacts {
  readonly shape: readonly number[];
  readonly dtype?: string;
  readonly quantization?: Facts;
  /** The bytes; float32 numbers 1, 2, 3, ... where left out. */
  readonly bytes?: Uint8Array;
  readonly group?: string;
}

export const float32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const ramp = (shape: readonly number[]): Uint8Array => float32(...Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1));

export interface Built {
  readonly json: Facts;
  readonly bytes: Uint8Array;
}

export function build(model: unknown, weights: Readonly<Record<string, WeightFacts>> = {}, keras = '2.12.0'): Built {
  const parts = Object.values(weights).map(({ shape, bytes }) => bytes ?? ramp(shape));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  const entries = Object.entries(weights).map(([name, { shape, dtype = 'float32', quantization, group }]) => ({ name, shape, dtype, ...(quantization && { quantization }), ...(group && { group }) }));
  const json = { format: 'layers-model', modelTopology: { keras_version: keras, model_config: model }, weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: entries }] };
  return { json, bytes };
}

export const asFile = (name: string, content: unknown): NamedFile => ({ name, bytes: content instanceof Uint8Array ? content : encodeText(typeof content === 'string' ? content : JSON.stringify(content)) });
export const files = ({ json, bytes }: Built): NamedFile[] => [asFile('model.json', json), asFile('group1-shard1of1.bin', bytes)];

/** Loads it; whatever loads must be right for the ops, for another batch too. */
export async function load(model: unknown, weights: Readonly<Record<string, WeightFacts>> = {}, { keras = '2.12.0', ...options }: LoadOptions & { readonly keras?: string } = {}): Promise<Network> {
  const network = await loadNetwork(files(build(model, weights, keras)), options);
  shapesOf(network, 3);
  return network;
}
