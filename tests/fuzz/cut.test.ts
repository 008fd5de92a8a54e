/** Files that a download has cut: every one, at 200 places, is refused for what it is. */
import { expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.ts';
import { readTensorProto } from '../../src/formats/onnx/index.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { NamedFile } from '../../src/formats/loader.ts';
import { ramp, tensorProto } from '../formats/onnx-builder.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { tensor } from '../network/graphs.ts';
import { opened, outcomeOf, withinMemory } from './outcome.ts';
import { seeds } from './seeds.ts';

/** About 200 lengths from 0 up to all but the last byte, the first 64 among them. */
function cuts(length: number): number[] {
  const spread = Array.from({ length: 200 }, (_, index) => Math.floor((index * length) / 200));
  return [...new Set([...Array.from({ length: Math.min(64, length) }, (_, index) => index), ...spread, length - 1])];
}

const read = (path: string): NamedFile => ({ name: path, bytes: dataBytes(`models/${path}`) });

/** A network's files, the one that is cut first. */
const NETWORKS: readonly (readonly [string, ...string[]])[] = [
  ['mnist-cntk-winml/mnist.onnx'],
  ['tinyvgg-cnnexplainer/tiny_vgg.onnx'],
  ['resnet20-cifar10/resnet20-cifar10.onnx'],
  ['mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx'],
  ['squeezenet1.1-fp16-winml/SqueezeNet_fp16.onnx'],
  ['squeezenet1.1-gluon/squeezenet1.1.onnx'],
  ['lenet-caffe-v1/lenet_iter_10000.caffemodel', 'lenet-caffe-v1/lenet.prototxt'],
  ['lenet-caffe-v2/lenet_iter_10000.caffemodel', 'lenet-caffe-v2/lenet.prototxt'],
  ['cifar10_full-caffe-v1/cifar10_full_iter_70000.caffemodel', 'cifar10_full-caffe-v1/cifar10_full.prototxt'],
];

test.each(NETWORKS)('%s', async (...paths) => {
  const [cut, ...others] = paths.filter((path) => typeof path === 'string').map(read) as [NamedFile, ...NamedFile[]];
  await withinMemory([cut, ...others], async () => {
    for (const length of cuts(cut.bytes.length)) {
      const { code } = await outcomeOf(opened([{ ...cut, bytes: cut.bytes.subarray(0, length) }, ...others]));
      // A cut between two fields leaves a well-formed file, which lacks something.
      expect([length, code]).toEqual([length, expect.stringMatching(/^(model-|usage)/)]);
    }
  });
});

test.each(['tiny_vgg', 'tiny_vgg_bf16', 'tiny_vgg_f16'].map((name) => `tinyvgg-cnnexplainer/${name}.safetensors`).concat('resnet20-cifar10/resnet20-cifar10.safetensors', 'squeezenet1.1-gluon/squeezenet1.1.safetensors'))('%s', async (path) => {
  const { bytes } = read(path);
  for (const length of cuts(bytes.length)) {
    expect((await outcomeOf(() => readSafetensors(bytes.subarray(0, length), { file: path }))).code).toBe('model-format');
  }
});

test.each(seeds().flatMap(({ format, files }) => files.map((file, index) => ({ format, name: file.name, files, index }))))('$format: $name', async ({ files, index, name }) => {
  const { bytes } = files[index]!;
  for (const length of cuts(bytes.length)) {
    const { code } = await outcomeOf(opened(files.map((file, at) => (at === index ? { ...file, bytes: bytes.subarray(0, length) } : file))));
    // A text that ends between two layers is a shorter network; a mean and labels may be left out.
    const whole = /\.(binaryproto|txt)$/.test(name) || /\}\s*$/.test(new TextDecoder().decode(bytes.subarray(0, length)));
    expect([length, code ?? (whole ? 'model-' : 'loaded')]).toEqual([length, expect.stringMatching(/^(model-|usage|io)/)]);
  }
});

test.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
  ['an array', writeNpy(tensor([3, 4])), readNpy],
  ['a tensor', tensorProto('t', [3, 4], ramp(12)), readTensorProto],
])('%s', async (_, bytes, reader) => {
  for (const length of cuts(bytes.length)) expect((await outcomeOf(() => reader(bytes.subarray(0, length)))).code).toMatch(/^model-(format|unsupported)$/);
});
