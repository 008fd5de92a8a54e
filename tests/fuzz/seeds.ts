/** One small, whole network per format, as the files that a person would drop. Each of its files is damaged in turn. */
import { writeManifest } from '../../src/formats/manifest/network.ts';
import type { NamedFile } from '../../src/formats/loader.ts';
import { encodeText } from '../../src/formats/text.ts';
import { blobProto, caffeModel } from '../formats/caffe-builder.ts';
import { onnxModel, ramp, tensorProto } from '../formats/onnx-builder.ts';
import { diamond } from '../network/graphs.ts';

export interface Seed {
  readonly format: string;
  readonly files: readonly NamedFile[];
}

const numbers = (...shape: number[]): { shape: number[]; data: Float32Array } => ({ shape, data: ramp(shape.reduce((a, b) => a * b, 1)) });

function onnx(): Seed {
  const bytes = onnxModel({
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'], attributes: { pads: [1, 1, 1, 1], strides: [2, 2], auto_pad: 'NOTSET' } },
      { op: 'Relu', inputs: ['c'], outputs: ['r'], name: 'relu' },
      { op: 'MaxPool', inputs: ['r'], outputs: ['p'], attributes: { kernel_shape: [2, 2] } },
      { op: 'Concat', inputs: ['p', 'p'], outputs: ['j'], attributes: { axis: 1 } },
      { op: 'Clip', inputs: ['j', 'low', ''], outputs: ['k'] },
      { op: 'Reshape', inputs: ['k', 's'], outputs: ['f'] },
      { op: 'Gemm', inputs: ['f', 'g'], outputs: ['y'], attributes: { alpha: { float: 0.5 }, transB: 1 } },
    ],
    inputs: { x: ['N', 1, 6, 6] },
    outputs: ['y'],
    constants: [
      tensorProto('w', [2, 1, 3, 3], ramp(18)),
      tensorProto('s', [2], [1, -1]),
      tensorProto('g', [3, 16], ramp(48)),
      tensorProto('low', [], Float32Array.of(0.25)),
    ],
  });
  return { format: 'ONNX', files: [{ name: 'net.onnx', bytes }] };
}

function manifest(): Seed {
  const { json, safetensors } = writeManifest({
    ...diamond(),
    preprocess: { channels: 'BGR', range: 255, mean: [104, 117, 123], std: [1, 1, 1], fit: 'crop' },
    labels: ['cat', 'dog'],
  });
  return { format: 'manifest and safetensors', files: [{ name: 'net.json', bytes: encodeText(json) }, { name: 'weights.safetensors', bytes: safetensors }] };
}

const PROTOTXT = `name: "small"
input: "data"
input_shape { dim: 1 dim: 3 dim: 6 dim: 6 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 1 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "norm" type: "LRN" bottom: "pool" top: "norm" lrn_param { local_size: 3 alpha: 0.1 beta: 0.75 } }
layer { name: "both" type: "Concat" bottom: "pool" bottom: "norm" top: "both" }
layer { name: "fc" type: "InnerProduct" bottom: "both" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
`;

function caffe(): Seed {
  const weights = caffeModel({ conv: [numbers(4, 3, 3, 3), numbers(4)], fc: [{ ...numbers(1, 1, 5, 72), legacy: true }, numbers(5)] });
  return {
    format: 'Caffe',
    files: [
      { name: 'net.prototxt', bytes: encodeText(PROTOTXT) },
      { name: 'net.caffemodel', bytes: weights },
      { name: 'mean.binaryproto', bytes: blobProto({ ...numbers(1, 3, 6, 6), legacy: true }) },
    ],
  };
}

export const seeds = (): Seed[] => [onnx(), manifest(), caffe()];
