/** TensorFlow.js: a model.json with the layers of a Keras model, and the files of weights that it names. */
import type { Format } from '../format.ts';
import { asciiPrefix } from '../text.ts';
import { readTfjs } from './graph.ts';
import { METADATA } from './preprocess.ts';

export { readTfjs } from './graph.ts';

/** Where one of the two keys must stand. */
const BEGINNING = 2 ** 16;

export const tfjsFormat: Format = {
  name: 'TensorFlow.js',
  extensions: ['model.json', '.json'],
  beside: [METADATA],
  recognise({ bytes }) {
    const start = asciiPrefix(bytes.subarray(0, BEGINNING), BEGINNING).replace(/^\.\.\./, '');
    return /^\s*\{/.test(start) && /"(modelTopology|weightsManifest)"\s*:/.test(start);
  },
  load: async (main, files, options) => readTfjs(main, files, options),
};
