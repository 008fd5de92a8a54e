/** Recorded results of independent implementations, and how far ours may be from them. */
import { existsSync } from 'node:fs';
import { readNpy } from '../../src/formats/npy.ts';
import { decodePng } from '../../src/image/png.ts';
import { parsePreprocess } from '../../src/image/preprocess_text.ts';
import { preprocess } from '../../src/image/preprocess.ts';
import type { Tensor } from '../../src/network/network.ts';
import { dataBytes, dataJson, dataRoot } from '../formats/reference-data.ts';

interface Samples {
  readonly indices: number[];
  readonly values: number[];
}

export interface RecordedLayer {
  readonly name: string;
  readonly shape: number[];
  readonly min: number;
  readonly max: number;
  readonly l2: number;
  readonly argmax_flat: number;
  readonly samples: Samples;
  readonly fp32_max_abs_diff: number;
}

export interface RecordedGradient {
  readonly target: 'logit' | 'unit';
  readonly what: string;
  readonly mode: 'grad' | 'guided' | 'deconv';
  readonly l2: number;
  readonly samples: Samples;
  readonly fp32_rel_l2_diff: number | null;
  readonly degenerate_all_zero?: boolean;
  readonly file?: string;
  readonly nonzero_box_y0y1x0x1?: [number, number, number, number];
}

export interface Recording {
  readonly folder: string;
  readonly prepared_image: string;
  readonly input_shape: number[];
  readonly logit_tensor: string;
  readonly layers: RecordedLayer[];
  readonly gradients: RecordedGradient[];
  /** Whole tensors that were kept: the first channels of a layer, or all. */
  readonly full_tensors?: { readonly layer: string; readonly file: string }[];
}

export const recording = (network: string, image: string): Recording => {
  const folder = `golden/${network}/${image}`;
  return { ...dataJson<Omit<Recording, 'folder'>>(`${folder}/result.json`), folder };
};

/** The exact input that was fed: the prepared picture under a preprocessing that is named. */
export async function recordedInput(r: Recording, preprocessing: string): Promise<Tensor> {
  return preprocess(await decodePng(dataBytes(r.prepared_image)), parsePreprocess(preprocessing), r.input_shape);
}

/**
 * Worst deviation of a layer in units of what is allowed: 8 times the error of PyTorch's own float32 (its order of
 * summation is not ours), with a floor of 2^-22 of the layer's largest value.
 */
export function layerDeviation(r: Recording, layer: RecordedLayer, y: Tensor): number {
  if (y.data.length !== layer.shape.reduce((a, b) => a * b, 1)) return Infinity;
  const largest = Math.max(Math.abs(layer.min), Math.abs(layer.max));
  const allowed = Math.max(8 * layer.fp32_max_abs_diff, largest * 2 ** -22);
  const errors = layer.samples.indices.map((at, i) => Math.abs(y.data[at]! - layer.samples.values[i]!));
  for (const { file } of (r.full_tensors ?? []).filter((kept) => kept.layer === layer.name)) {
    // The kept channels are the first ones, so they are the first elements too.
    readNpy(dataBytes(`${r.folder}/${file}`)).data.forEach((value, i) => errors.push(Math.abs(y.data[i]! - value)));
  }
  const l2 = Math.sqrt(y.data.reduce((sum, value) => sum + value * value, 0));
  // Every element counts in the norm: a wrong region shows even where no sample lies.
  const worst = errors.reduce((most, error) => (error <= most ? most : Number.isNaN(error) ? Infinity : error), 0);
  return Math.max(worst / allowed, Math.abs(l2 - layer.l2) / (1e-5 * layer.l2 + allowed));
}

/** The whole gradient where it was kept, else its samples: [expected, ours] pairs. */
function gradientPairs(r: Recording, g: RecordedGradient, dx: Tensor): [Float64Array, Float64Array] {
  const file = g.file?.split(' ')[0];
  if (!file || !existsSync(`${dataRoot}/${r.folder}/${file}`)) {
    return [Float64Array.from(g.samples.values), Float64Array.from(g.samples.indices, (at) => dx.data[at]!)];
  }
  const expected = readNpy(dataBytes(`${r.folder}/${file}`));
  const [, channels, height, width] = expected.shape as [number, number, number, number];
  const [y0, , x0] = g.file!.includes('crop') ? g.nonzero_box_y0y1x0x1! : [0, 0, 0, 0];
  const [, , dxHeight, dxWidth] = dx.shape as [number, number, number, number];
  const ours = new Float64Array(expected.data.length);
  for (let i = 0; i < ours.length; i++) {
    const c = Math.floor(i / (height * width));
    const y = (Math.floor(i / width) % height) + y0;
    ours[i] = dx.data[((c % channels) * dxHeight + y) * dxWidth + (i % width) + x0]!;
  }
  return [Float64Array.from(expected.data), ours];
}

/** Relative L2 error of a gradient, and what the recording allows. */
export function gradientDeviation(r: Recording, g: RecordedGradient, dx: Tensor): { error: number; allowed: number } {
  const [expected, ours] = gradientPairs(r, g, dx);
  const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  // Samples that all fall outside the receptive field are zero; what rounding leaves there is measured by the whole.
  const scale = norm(expected) || g.l2 * Math.sqrt(expected.length / dx.data.length);
  const error = norm(expected.map((value, i) => value - ours[i]!)) / scale;
  const whole = Math.sqrt(dx.data.reduce((sum, value) => sum + value * value, 0));
  const allowed = Math.max(1e-4, 3 * (g.fp32_rel_l2_diff ?? 0));
  return { error: Math.max(error, Math.abs(whole - g.l2) / g.l2), allowed };
}

/** `layer[3] (label)` or `layer[channel 2, y 7, x 4] = ...` as a unit address. */
export function recordedUnit(what: string): string {
  const spatial = /^(.*)\[channel (\d+), y (\d+), x (\d+)\]/.exec(what);
  if (spatial) return `${spatial[1]}:${spatial[2]}@${spatial[3]},${spatial[4]}`;
  const [, layer, index] = /^(.*)\[(\d+)\]/.exec(what)!;
  return `${layer}:${index}`;
}
