import { describe, expect, test } from 'vitest';
import { compile, shapesOf, totals, type Network } from '../../../src/index.ts';
import { alexNet, caffeNet } from './alexnet.ts';
import { googLeNet } from './googlenet.ts';
import { mobileNet } from './mobilenet.ts';
import { resNet18, resNet50 } from './resnet.ts';
import { squeezeNet } from './squeezenet.ts';
import { vgg16 } from './vgg.ts';

const weightsOf = ({ nodes }: Network): number =>
  nodes.flatMap(({ weights }) => Object.values(weights)).reduce((sum, tensor) => sum + (tensor?.data.length ?? 0), 0);

/** Multiply-adds of one image, convolutions and dense layers alone. */
function multiplyAdds(network: Network): number {
  const shapes = shapesOf(network);
  return network.nodes.reduce((sum, { weights, output }) => {
    const [outputs, ...fanIn] = weights.weight?.shape ?? [0];
    const places = shapes.get(output)!.slice(2).reduce((a, b) => a * b, 1);
    return sum + (outputs === 0 ? 0 : places * outputs! * fanIn.reduce((a, b) => a * b, 1));
  }, 0);
}

describe('the networks with formula weights', () => {
  // Published counts: weights and biases, with the batch norm's shift as the bias of its convolution; multiply-adds per image.
  test.each([
    ['CaffeNet', caffeNet, 'fc8', 60_965_224, 724e6],
    ['AlexNet', alexNet, 'fc8', 60_965_224, 724e6],
    ['VGG16', vgg16, 'fc8', 138_357_544, 15.47e9],
    ['ResNet-18', resNet18, 'fc', 11_684_712, 1.814e9],
    ['ResNet-50', resNet50, 'fc', 25_530_472, 4.089e9],
    ['GoogLeNet', googLeNet, 'classifier', 6_998_552, 1.58e9],
    ['SqueezeNet 1.1', squeezeNet, 'pool', 1_235_496, 349.2e6],
    ['MobileNet 1.0', mobileNet, 'fc', 4_221_032, 568.7e6],
  ] as const)('%s is the published one', (name, make, output, weights, work) => {
    const network = make();
    expect(network.name).toBe(name);
    expect(shapesOf(network).get(output)!.join()).toMatch(/^1,1000(,1,1)?$/);
    expect(weightsOf(network)).toBe(weights);
    expect(multiplyAdds(network) / work).toBeCloseTo(1, 2);
  });

  test('have plans', () => {
    const plan = compile(googLeNet(), { layers: ['classifier'], capabilities: { subgroups: false, software: true, maxBinding: 2 ** 27 }, backward: { from: 'classifier', rule: 'gradient' } });
    expect(totals(plan).flops).toBeGreaterThan(4 * 1.58e9);
  });
});
