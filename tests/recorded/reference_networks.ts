/** The field's reference networks from their own prototxt, with formula weights: CaffeNet, AlexNet (Krizhevsky), GoogLeNet. */
import { readCaffe } from '../../src/formats/caffe/index.ts';
import { decodeText } from '../../src/formats/text.ts';
import type { Network } from '../../src/network/network.ts';
import { dataBytes, dataJson } from '../formats/reference-data.ts';
import { formulaWeights } from './formula_weights.ts';

/** Which layers have weights, as the recording used them. */
interface Specification {
  readonly layers: readonly { readonly name: string; readonly weight_shape: readonly number[] }[];
}

function reference(name: string): Network {
  const folder = `synthetic-weights/${name}`;
  const { layers } = dataJson<Specification>(`${folder}/weights-spec.json`);
  const blobs = new Map(layers.map((layer) => [layer.name, [...formulaWeights(layer.name, layer.weight_shape).values()]]));
  const text = decodeText(dataBytes(`${folder}/deploy.prototxt`), 'deploy.prototxt');
  return readCaffe({ text, file: 'deploy.prototxt', blobs, weightsFile: 'formula' });
}

/** Krizhevsky normalizes before pooling, CaffeNet after. */
export const caffeNet = (): Network => reference('bvlc_reference_caffenet');
export const krizhevskyNet = (): Network => reference('bvlc_alexnet');
/** Szegedy et al. 2014, as published for Caffe. */
export const googLeNet = (): Network => reference('bvlc_googlenet');
