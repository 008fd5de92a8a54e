/** One small, whole network per format, as the files that a person would drop. Each of its files is damaged in turn. */
import { writeManifest } from '../../src/formats/manifest/network.ts';
import type { NamedFile } from '../../src/formats/loader.ts';
import { SIDECAR, writeSidecar } from '../../src/formats/sidecar.ts';
import { encodeText } from '../../src/formats/text.ts';
import { blobProto, caffeModel } from '../formats/caffe-builder.ts';
import { onnxModel, ramp, tensorProto } from '../formats/onnx-builder.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { build, called, files as built, graph, input } from '../formats/tfjs-builder.ts';
import { diamond } from '../network/graphs.ts';

export interface Seed {
  readonly format: string;
  readonly files: readonly NamedFile[];
  /** Bytes at the start of each file that say something; numbers follow. */
  readonly reach?: number;
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
layer { name: "cut" type: "Slice" bottom: "both" top: "left" top: "right" slice_param { axis: 1 slice_point: 3 } }
layer { name: "turned" type: "Permute" bottom: "right" top: "turned" permute_param { order: 0 order: 1 order: 3 order: 2 } }
layer { name: "up" type: "Deconvolution" bottom: "turned" top: "up" convolution_param { num_output: 2 kernel_size: 2 stride: 2 bias_term: false } }
layer { name: "fit" type: "Crop" bottom: "up" bottom: "right" top: "fit" crop_param { axis: 2 offset: 1 } }
layer { name: "sum" type: "Reduction" bottom: "fit" top: "sum" reduction_param { axis: 2 operation: MEAN coeff: 2 } }
layer { name: "times" type: "Scale" bottom: "fit" bottom: "sum" top: "times" scale_param { axis: 0 } }
layer { name: "tiles" type: "Tile" bottom: "times" top: "tiles" tile_param { axis: 2 tiles: 2 } }
layer { name: "lines" type: "Reshape" bottom: "tiles" top: "lines" reshape_param { axis: 2 num_axes: -1 shape { dim: -1 } } }
layer { name: "curve" type: "Exp" bottom: "lines" top: "curve" exp_param { base: 2 scale: 0.5 } }
layer { name: "slope" type: "PReLU" bottom: "left" top: "slope" }
layer { name: "sums" type: "Eltwise" bottom: "slope" bottom: "left" top: "sums" eltwise_param { operation: SUM coeff: 1 coeff: -2 } }
layer { name: "large" type: "Interp" bottom: "sums" top: "large" interp_param { zoom_factor: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "both" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
`;

function caffe(): Seed {
  const weights = caffeModel({ conv: [numbers(4, 3, 3, 3), numbers(4)], fc: [{ ...numbers(1, 1, 5, 72), legacy: true }, numbers(5)], up: [numbers(5, 2, 2, 2)], slope: [numbers(3)] });
  return {
    format: 'Caffe',
    files: [
      { name: 'net.prototxt', bytes: encodeText(PROTOTXT) },
      { name: 'net.caffemodel', bytes: weights },
      { name: 'mean.binaryproto', bytes: blobProto({ ...numbers(1, 3, 6, 6), legacy: true }) },
    ],
  };
}

function tfjs(): Seed {
  const model = graph(
    [
      input('x', 6, 6, 3),
      called('ZeroPadding2D', 'pad', { padding: [[0, 1], [0, 1]] }, 'x'),
      called('Conv2D', 'conv', { filters: 4, kernel_size: [3, 3], strides: [2, 2], padding: 'valid', activation: 'relu', use_bias: true }, 'pad'),
      called('DepthwiseConv2D', 'depth', { kernel_size: 3, padding: 'same', use_bias: false }, 'conv'),
      called('BatchNormalization', 'norm', { axis: 3, epsilon: 0.001 }, 'depth'),
      called('Add', 'sum', {}, 'conv', 'norm'),
      called('MaxPooling2D', 'pool', { pool_size: [2, 2], strides: [2, 2], padding: 'same' }, 'sum'),
      called('Flatten', 'flat', {}, 'pool'),
      called('Dense', 'fc', { units: 5, activation: 'softmax' }, 'flat'),
    ],
    ['x'],
    ['fc'],
  );
  const vector = { shape: [4] };
  const weights = {
    'conv/kernel': { shape: [3, 3, 3, 4] }, 'conv/bias': vector, 'depth/depthwise_kernel': { shape: [3, 3, 4, 1] },
    'norm/gamma': vector, 'norm/beta': vector, 'norm/moving_mean': vector, 'norm/moving_variance': vector,
    'fc/kernel': { shape: [16, 5], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.1, min: -1 }, bytes: new Uint8Array(80) }, 'fc/bias': { shape: [5] },
  };
  return { format: 'TensorFlow.js', files: built(build(model, weights)) };
}

/** Weights alone: the architecture is told by names and shapes. */
function weightsAlone(): Seed {
  const bytes = dataBytes('models/resnet20-cifar10/resnet20-cifar10.safetensors');
  return { format: 'weights alone', files: [{ name: 'weights.safetensors', bytes }], reach: 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)) };
}

function sidecar(): Seed {
  const text = writeSidecar({ model: 'net.onnx', title: 'A network', preprocess: { channels: 'gray', range: 1, mean: [0.5], std: [0.25], fit: 'stretch' }, labels: 'labels.txt' });
  return { format: 'ONNX with a sidecar', files: [...onnx().files, { name: SIDECAR, bytes: encodeText(text) }, { name: 'labels.txt', bytes: encodeText('cat\ndog\nhorse\n') }] };
}

export const seeds = (): Seed[] => [onnx(), manifest(), caffe(), tfjs(), weightsAlone(), sidecar()];
