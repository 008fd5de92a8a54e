/** The built-in graphs against what is published of them: weights, multiply-adds, sizes of the stages. */
import { describe, expect, test } from 'vitest';
import { bestFits, exactFits, fitOf, isExact } from '../../../src/formats/architectures/fit.ts';
import { ARCHITECTURES } from '../../../src/formats/architectures/index.ts';
import { stateDict } from '../../../src/formats/architectures/state_dict.ts';
import { architectureCalled } from '../../../src/formats/architectures/weights.ts';
import type { Network } from '../../../src/network/network.ts';
import { shapesOf } from '../../../src/ops/check.ts';
import { drawn, entriesOf, tensorsOf } from './files.ts';

/** The network without its numbers, which only shapes are asked of. */
function hollow(name: string): Network {
  const architecture = architectureCalled(name);
  const { nodes, last } = drawn(architecture);
  const { size } = architecture;
  return {
    name,
    inputs: [{ name: 'x', shape: [1, 3, size, size] }],
    outputs: [last],
    nodes: nodes.map((node) => ({
      ...node,
      output: node.name,
      weights: Object.fromEntries(Object.entries(node.weights).map(([role, { shape }]) => [role, { shape, data: new Float32Array(0) }])),
    })),
  };
}

/** Numbers that are learned: means and variances of a batch normalization are not. */
const learned = (name: string): number =>
  [...tensorsOf(architectureCalled(name))].filter(([tensor]) => !tensor.includes('.running_')).reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);

/** Multiply-adds of an image in convolutions and dense layers. */
function multiplyAdds(network: Network): number {
  const shapes = shapesOf(network);
  return network.nodes.reduce((sum, { weights, output }) => {
    const fanIn = weights.weight?.shape.slice(1) ?? [0];
    return sum + shapes.get(output)!.reduce((a, b) => a * b, 1) * fanIn.reduce((a, b) => a * b, 1);
  }, 0);
}

// Parameters and 10^9 multiply-adds from torchvision's tables of models; those for CIFAR from their repository and from papers on pruning,
// those of MobileNet v1 from Keras' summaries and from its paper; Tiny VGG's are the 79,680 bytes of its published weights.
const PUBLISHED: readonly (readonly [name: string, parameters: number, work: number])[] = [
  ['alexnet', 61_100_840, 0.71],
  ['densenet121', 7_978_856, 2.83],
  ['densenet161', 28_681_000, 7.73],
  ['densenet169', 14_149_480, 3.36],
  ['densenet201', 20_013_928, 4.29],
  ['googlenet', 6_624_904, 1.5],
  ['mobilenet_v1_0.25', 470_072, 0.041],
  ['mobilenet_v1_0.5', 1_331_592, 0.149],
  ['mobilenet_v1_0.75', 2_585_560, 0.325],
  ['mobilenet_v1_1.0', 4_231_976, 0.569],
  ['mobilenet_v2', 3_504_872, 0.3],
  ['resnet18', 11_689_512, 1.81],
  ['resnet34', 21_797_672, 3.66],
  ['resnet50', 25_557_032, 4.09],
  ['resnet101', 44_549_160, 7.8],
  ['resnet152', 60_192_808, 11.51],
  ['wide_resnet50_2', 68_883_240, 11.4],
  ['wide_resnet101_2', 126_886_696, 22.75],
  ['resnext50_32x4d', 25_028_904, 4.23],
  ['resnext101_32x8d', 88_791_336, 16.41],
  ['resnext101_64x4d', 83_455_272, 15.46],
  ['resnet20', 269_722, 0.041],
  ['resnet32', 464_154, 0.069],
  ['resnet44', 658_586, 0.097],
  ['resnet56', 853_018, 0.126],
  ['resnet110', 1_727_962, 0.253],
  ['squeezenet1_0', 1_248_424, 0.82],
  ['squeezenet1_1', 1_235_496, 0.35],
  ['tiny_vgg', 19_920, 0.0056],
  ['vgg11', 132_863_336, 7.61],
  ['vgg11_bn', 132_868_840, 7.61],
  ['vgg13', 133_047_848, 11.31],
  ['vgg13_bn', 133_053_736, 11.31],
  ['vgg16', 138_357_544, 15.47],
  ['vgg16_bn', 138_365_992, 15.47],
  ['vgg19', 143_667_240, 19.63],
  ['vgg19_bn', 143_678_248, 19.63],
];

describe('the built-in architectures', () => {
  test('are those of the table', () => {
    expect(ARCHITECTURES.map(({ name }) => name).sort()).toEqual(PUBLISHED.map(([name]) => name).sort());
  });

  test.each(PUBLISHED)('%s has the published %i parameters and work', (name, parameters, work) => {
    const network = hollow(name);
    expect(learned(name)).toBe(parameters);
    const digits = String(work).split('.')[1]!.length;
    expect(Math.abs(multiplyAdds(network) / 1e9 - work)).toBeLessThanOrEqual(10 ** -digits);
    expect(shapesOf(network).get(network.outputs[0]!)).toEqual([1, architectureCalled(name).training.classes]);
  });

  test.each([
    ['alexnet', { 'features.0': [64, 55, 55], 'features.2': [64, 27, 27], 'features.5': [192, 13, 13], 'features.12': [256, 6, 6], flatten: [9216] }],
    ['vgg16', { 'features.4': [64, 112, 112], 'features.16': [256, 28, 28], 'features.30': [512, 7, 7], flatten: [25088] }],
    ['resnet18', { conv1: [64, 112, 112], maxpool: [64, 56, 56], 'layer1.1.relu_1': [64, 56, 56], 'layer2.1.relu_1': [128, 28, 28], 'layer4.1.relu_1': [512, 7, 7] }],
    ['resnet50', { 'layer1.2.relu_2': [256, 56, 56], 'layer2.0.conv1': [128, 56, 56], 'layer2.0.conv2': [128, 28, 28], 'layer4.2.relu_2': [2048, 7, 7] }],
    ['squeezenet1_0', { 'features.0': [96, 109, 109], 'features.2': [96, 54, 54], 'features.6': [256, 27, 27], 'features.11': [512, 13, 13], 'classifier.1': [1000, 13, 13] }],
    ['squeezenet1_1', { 'features.0': [64, 111, 111], 'features.2': [64, 55, 55], 'features.5': [128, 27, 27], 'features.8': [256, 13, 13] }],
    ['googlenet', { 'conv1.conv': [64, 112, 112], maxpool2: [192, 28, 28], 'inception3b.cat': [480, 28, 28], maxpool3: [480, 14, 14], 'inception4e.cat': [832, 14, 14], 'inception5b.cat': [1024, 7, 7] }],
    ['mobilenet_v1_0.5', { conv1: [16, 112, 112], conv_dw_2: [32, 56, 56], conv_pw_5: [128, 28, 28], conv_pw_11: [256, 14, 14], conv_pw_13: [512, 7, 7], conv_preds: [1000, 1, 1] }],
    ['mobilenet_v2', { 'features.1.conv.2': [16, 112, 112], 'features.3.add': [24, 56, 56], 'features.6.add': [32, 28, 28], 'features.13.add': [96, 14, 14], 'features.18.2': [1280, 7, 7] }],
    ['densenet121', { 'features.pool0': [64, 56, 56], 'features.denseblock1.cat': [256, 56, 56], 'features.transition1.pool': [128, 28, 28], 'features.denseblock3.cat': [1024, 14, 14], 'features.norm5': [1024, 7, 7] }],
    ['resnet20', { 'layer1.2.relu_1': [16, 32, 32], 'layer2.0.shortcut': [32, 16, 16], 'layer3.2.relu_1': [64, 8, 8] }],
  ])('%s has the published stages', (name, stages) => {
    const shapes = shapesOf(hollow(name));
    for (const [layer, shape] of Object.entries(stages)) expect([layer, shapes.get(layer)]).toEqual([layer, [1, ...shape]]);
  });

  test('are told apart by their tensors alone', () => {
    const heads = new Map(ARCHITECTURES.map(({ name, head }) => [name, `${head}.weight`]));
    const signatures = ARCHITECTURES.map((architecture) => [...tensorsOf(architecture, 7)].map(([tensor, shape]) => `${tensor} ${shape.join()}`).sort().join('\n'));
    expect(new Set(signatures).size).toBe(ARCHITECTURES.length);
    for (const architecture of ARCHITECTURES) expect(tensorsOf(architecture, 7).get(heads.get(architecture.name)!)![0]).toBe(7);
  });

  test.each([['resnet34', 1000], ['mobilenet_v1_0.75', 5], ['tiny_vgg', 3], ['densenet121', 7], ['vgg11_bn', 2], ['squeezenet1_0', 1], ['resnet20', 100]])('%s is found with %i classes', (name, classes) => {
    const dict = stateDict(entriesOf(tensorsOf(architectureCalled(name), classes)));
    const exact = bestFits(dict, 99).filter(isExact);
    expect(exactFits(dict)).toEqual(exact);
    expect(exact.map((fit) => [fit.architecture.name, fit.classes])).toEqual([[name, classes]]);
  });

  test('say the sizes that the poolings to a fixed size are for', () => {
    const dict = stateDict(entriesOf(tensorsOf(architectureCalled('vgg16'))));
    expect(fitOf(architectureCalled('vgg16'), dict, [448, 224]).blueprint.nodes.find(({ name }) => name === 'avgpool')).toMatchObject({ op: 'average_pool', attributes: { kernel: [2, 1] } });
    expect(() => fitOf(architectureCalled('vgg16'), dict, [320, 224])).toThrow(/'avgpool' pools to 7 x 7, and gets 10 x 7/);
  });
});
