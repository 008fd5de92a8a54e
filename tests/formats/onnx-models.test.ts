/** Real ONNX files: every recorded layer is there under its name and with its shape. */
import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { draftOnnx } from '../../src/formats/onnx/graph.ts';
import { findNode } from '../../src/network/lookup.ts';
import type { Network } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { expectShapes } from './onnx-loading.ts';
import { dataBytes, dataJson } from './reference-data.ts';

interface Recorded {
  input_shape: number[];
  logit_tensor: string;
  layers: { name: string; op: string; shape: number[] }[];
}

const load = (path: string): Promise<Network> => loadNetwork([{ name: path, bytes: dataBytes(path) }]);

describe('real ONNX models', () => {
  it.each<[string, string, number, string[]]>([
    ['squeezenet1.1-gluon/squeezenet1.1.onnx', 'squeezenet1.1-gluon/cat', 66, []],
    ['squeezenet1.1-fp16-winml/SqueezeNet_fp16.onnx', 'squeezenet1.1-fp16-winml/cat', 66, []],
    ['mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx', 'mobilenet_v1_0.25_224/cat', 85, []],
    ['resnet20-cifar10/resnet20-cifar10.onnx', 'resnet20-cifar10/chelsea', 71, []],
    // The two shortcuts are Slice and Pad here, where the other file has a convolution.
    ['resnet20-cifar10/resnet20-cifar10-slicepad.onnx', 'resnet20-cifar10/chelsea', 73, []],
    ['tinyvgg-cnnexplainer/tiny_vgg.onnx', 'tinyvgg-cnnexplainer/tiny_boat_1', 13, []],
    // The reshape of a constant is recorded as a layer; here it is folded.
    ['mnist-cntk-winml/mnist.onnx', 'mnist-cntk-winml/mnist_digit5', 11, ['Parameter193_reshape1']],
  ])('%s', async (path, golden, layers, absent) => {
    const network = await load(`models/${path}`);
    const recorded = dataJson<Recorded>(`golden/${golden}/result.json`);
    const shapes = shapesOf(network);
    expect(network.nodes.length).toBe(layers);
    expect(network.inputs.map(({ shape }) => shape)).toEqual([recorded.input_shape]);
    const names = new Set(network.nodes.flatMap(({ name, output }) => [name, output]));
    expect(recorded.layers.map(({ name }) => name).filter((name) => !names.has(name))).toEqual(absent);
    for (const { name, shape } of recorded.layers) {
      if (!absent.includes(name)) expect([name, shapes.get(findNode(network, name).output)]).toEqual([name, shape]);
    }
    expect(findNode(network, recorded.logit_tensor).output).toBeDefined();
    expect(shapesOf(network, 5).get(network.outputs[0]!)![0]).toBe(5);
  });

  it('says what is special about a file', async () => {
    const half = await load('models/squeezenet1.1-fp16-winml/SqueezeNet_fp16.onnx');
    expect(half.notes).toEqual(["input 'data_0' is FLOAT16 in the file and float32 here"]);
    const mnist = await load('models/mnist-cntk-winml/mnist.onnx');
    expect(mnist.nodes.filter(({ op }) => op === 'conv2d').map(({ attributes }) => attributes.padding)).toEqual([[2, 2, 2, 2], [2, 2, 2, 2]]);
    expect(mnist.notes).toBeUndefined();
  });
});

describe('full-size graphs with constant weights', () => {
  it.each([
    ['bvlc_alexnet', 24, 60_965_224],
    ['densenet121', 668, 8_146_152],
    ['inception_v1', 143, 6_998_552],
    ['inception_v2', 371, 11_234_792],
    ['resnet50', 176, 25_610_152],
    ['shufflenet', 203, 1_420_152],
    ['squeezenet', 66, 1_235_496],
    ['vgg19', 46, 143_667_240],
    ['zfnet512', 22, 87_250_536],
  ])('%s: %d layers, %d weights', async (name, layers, weights) => {
    const path = `onnx-light/light_${name}.onnx`;
    const network = await load(path);
    expect(network.nodes.length).toBe(layers);
    if (weights < 10 ** 7) expectShapes(network, draftOnnx(dataBytes(path), path, {}).values);
    expect(network.notes).toBeUndefined();
    const count = network.nodes.flatMap((node) => Object.values(node.weights)).reduce((sum, { data }) => sum + data.length, 0);
    expect(count).toBe(weights);
    for (const batch of [1, 3]) expect(shapesOf(network, batch).get(network.outputs[0]!)!.slice(0, 2)).toEqual([batch, 1000]);
  });
});
