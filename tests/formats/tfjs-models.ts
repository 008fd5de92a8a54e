/** Small models of TensorFlow.js with random weights, saved as its files, and what it computes with them itself. */
import * as tf from '@tensorflow/tfjs';
import type { NamedFile } from '../../src/formats/loader.ts';
import { encodeText } from '../../src/formats/text.ts';
import type { Tensor } from '../../src/network/network.ts';

export { tf };

/** A generator of numbers in -1..1 (Mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31) - 1;
  };
}

/** Gives every weight random numbers; variances stay above 0. */
export function randomize(model: tf.LayersModel, seed: number): void {
  const next = numbers(seed);
  const positive = (name: string): boolean => name.includes('variance');
  model.setWeights(model.weights.map(({ name, shape }) => {
    const values = Float32Array.from({ length: shape.reduce<number>((product, size) => product * size!, 1) }, () => (positive(name) ? 0.5 + Math.abs(next()) : 0.6 * next()));
    return tf.tensor(values, shape as number[]);
  }));
}

export interface ModelJson {
  modelTopology: Record<string, unknown>;
  weightsManifest: { paths: string[]; weights: Record<string, unknown>[] }[];
  [key: string]: unknown;
}

export interface Saved {
  readonly json: ModelJson;
  readonly weights: Uint8Array;
}

/** What `model.save` writes, as the page's download does. */
export async function save(model: tf.LayersModel): Promise<Saved> {
  let saved: Saved | undefined;
  await model.save(tf.io.withSaveHandler((artifacts) => {
    const json = {
      modelTopology: artifacts.modelTopology as Record<string, unknown>,
      format: artifacts.format,
      generatedBy: artifacts.generatedBy,
      convertedBy: artifacts.convertedBy,
      weightsManifest: [{ paths: ['./model.weights.bin'], weights: artifacts.weightSpecs as unknown as Record<string, unknown>[] }],
    };
    saved = { json, weights: new Uint8Array(tf.io.CompositeArrayBuffer.join(artifacts.weightData)) };
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } });
  }));
  return saved!;
}

export const filesOf = ({ json, weights }: Saved): NamedFile[] => [
  { name: 'model.json', bytes: encodeText(JSON.stringify(json)) },
  { name: 'model.weights.bin', bytes: weights },
];

/** A random input in the layout of TensorFlow.js, and the same numbers in ours. */
export function randomInput(shape: readonly number[], seed: number, channelsFirst = false): { theirs: tf.Tensor; ours: Tensor } {
  const next = numbers(seed);
  const theirs = tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * next()), [...shape]);
  return { theirs, ours: toOurs(theirs, channelsFirst) };
}

/** Pictures N, H, W, C become N, C, H, W; everything else stays. */
export function toOurs(tensor: tf.Tensor, channelsFirst = false): Tensor {
  const turned = tensor.rank === 4 && !channelsFirst ? tf.transpose(tensor, [0, 3, 1, 2]) : tensor;
  return { shape: turned.shape, data: turned.dataSync() as Float32Array };
}
