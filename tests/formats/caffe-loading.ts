/** Loads small built networks of Caffe for tests. */
import { loadNetwork, type LoadOptions } from '../../src/formats/loader.ts';
import { encodeText } from '../../src/formats/text.ts';
import type { Network } from '../../src/network/network.ts';
import { caffeModel, type Blob } from './caffe-builder.ts';

export const ramp = (count: number): number[] => Array.from({ length: count }, (_, i) => i / 8 - 1);
export const blob = (...shape: number[]): Blob => ({ shape, data: ramp(shape.reduce((a, b) => a * b, 1)) });

export const INPUT = 'input: "data" input_shape { dim: 1 dim: 4 dim: 6 dim: 5 }';

export const layer = (name: string, type: string, more = '', bottom = 'data', top = name): string => `layer { name: "${name}" type: "${type}" bottom: "${bottom}" top: "${top}" ${more} }`;

/** A prototxt with the blobs of its layers, and one layer's that it does not have. */
export const load = (text: string, layers: Readonly<Record<string, readonly Blob[]>> = {}, options: LoadOptions = {}, ...more: { name: string; bytes: Uint8Array }[]): Promise<Network> =>
  loadNetwork([{ name: 'net.prototxt', bytes: encodeText(text) }, { name: 'net.caffemodel', bytes: caffeModel({ ...layers, unused: [blob(1)] }) }, ...more], options);
