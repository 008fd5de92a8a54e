/** THE list of formats. A new format is a folder and a line here. */
import { weightsFormat } from './architectures/weights.ts';
import { caffeFormat } from './caffe/index.ts';
import type { Format } from './format.ts';
import { manifestFormat } from './manifest/index.ts';
import { onnxFormat } from './onnx/index.ts';
import { tfjsFormat } from './tfjs/index.ts';

export const formats: readonly Format[] = [manifestFormat, onnxFormat, caffeFormat, tfjsFormat, weightsFormat];
