/** Caffe: a prototxt (text) with the layers, a caffemodel with the weights, perhaps a mean. */
import { UnitscopeError } from '../../errors.ts';
import type { Tensor } from '../../network/network.ts';
import { quoteList } from '../../network/spelling.ts';
import { baseName, type Format, type NamedFile } from '../format.ts';
import { decodeText } from '../text.ts';
import { readCaffe } from './graph.ts';
import { isCaffeModel, readBlob, readCaffeModel } from './weights.ts';

export { readCaffe, type CaffeParts } from './graph.ts';

/** A prototxt that is longer than this is none. */
const TEXT_LIMIT = 32 * 2 ** 20;

export const caffeFormat: Format = {
  name: 'Caffe',
  extensions: ['.prototxt', '.pbtxt'],
  beside: ['.caffemodel', '.binaryproto'],
  recognise: ({ bytes }) => isPrototxt(bytes),
  recognisePart: isCaffeModel,
  async load(main, files, options) {
    const weights = files.filter((file) => file !== main && isCaffeModel(file.bytes));
    if (weights.length !== 1) {
      const message = weights.length === 0 ? 'the weights are missing' : `several files of weights: ${weights.map(({ name }) => baseName(name)).join(', ')}`;
      const hint = weights.length === 0 ? 'give the .prototxt and its .caffemodel together' : 'give one of them with the .prototxt';
      throw new UnitscopeError('usage', message, { file: main.name }, hint);
    }
    const [{ name, bytes }] = weights as [NamedFile];
    const means = files.filter((file) => file.name.toLowerCase().endsWith('.binaryproto'));
    const network = readCaffe(
      {
        text: decodeText(main.bytes, main.name),
        file: main.name,
        blobs: readCaffeModel({ file: name, bytes }),
        weightsFile: baseName(name),
        mean: means.length === 1 ? meanOf(means[0]!) : undefined,
      },
      options,
    );
    if (means.length < 2) return network;
    const note = `several mean images beside it, of which none is taken: ${quoteList(means.map((file) => baseName(file.name)))}`;
    return { ...network, notes: [...(network.notes ?? []), note] };
  },
};

/** Text with a layer in it. */
function isPrototxt(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || bytes.length > TEXT_LIMIT || bytes.includes(0)) return false;
  const text = new TextDecoder().decode(bytes.subarray(0, 2 ** 16));
  return !/^\s*[{[<]/.test(text) && /(^|[\s}])layers?\s*:?\s*\{/.test(text);
}

const meanOf = ({ name, bytes }: NamedFile): Tensor => readBlob(bytes, { file: name, bytes });
