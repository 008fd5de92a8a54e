/** The network that a training begins with, and what is kept of it. */
import { describe, expect, test } from 'vitest';
import { parseTraining } from '../../src/formats/training/config.ts';
import { draft, withoutDropout } from '../../src/methods/draft.ts';
import type { Network } from '../../src/network/network.ts';
import { finishNetwork } from '../../src/network/validate.ts';
import { shapesOf } from '../../src/ops/check.ts';

const drafted = (layers: unknown[], more: object = {}): { network: Network; logits: string } => {
  const description = { name: 'net', input: [3, 20, 20], layers, optimizer: { kind: 'sgd' }, schedule: { rate: 0.1 }, batch: 4, steps: 1, data: { folder: 'x' }, seed: 5, ...more };
  return draft(parseTraining(JSON.stringify(description), 'net.json', { sceneClasses: [] }), ['a', 'b']);
};

const LAYERS = [
  { conv: 8, kernel: 5, stride: 2, padding: 2 }, 'batch_norm', 'relu', { lrn: 5 }, { max_pool: 3, stride: 2, ceil: true },
  { conv: 6, kernel: 3, groups: 2, bias: false, init: { weights: { normal: 0.5 }, scale: 2 } }, 'relu', 'global_average_pool',
  { dropout: 0.5 }, { dense: 9, init: { bias: 0.25, weights: 'xavier' } }, 'relu', { dropout: 0.2 }, { dense: 2 }, 'softmax',
];

const deviation = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

describe('a draft', () => {
  const { network, logits } = drafted(LAYERS);
  const weights = (name: string) => network.nodes.find((node) => node.name === name)!.weights;

  test('has the shapes of its layers, and is a network', () => {
    expect(logits).toBe('fc4');
    expect(Object.fromEntries([...shapesOf(network)])).toMatchObject({ conv1: [1, 8, 10, 10], pool1: [1, 8, 5, 5], conv2: [1, 6, 3, 3], pool2: [1, 6, 1, 1], fc3: [1, 9], prob: [1, 2] });
    expect(weights('conv2').weight.shape).toEqual([6, 4, 3, 3]);
    expect(Object.keys(weights('conv2'))).toEqual(['weight']);
    expect(finishNetwork(network).nodes).toHaveLength(LAYERS.length);
    expect(network).toMatchObject({ labels: ['a', 'b'], outputs: ['prob'], preprocess: { channels: 'RGB', range: 1 } });
  });

  test('begins as it is told, by the seed', () => {
    expect(deviation(weights('conv1').weight.data) / Math.sqrt(2 / 75)).toBeGreaterThan(0.9);
    expect(deviation(weights('conv1').weight.data) / Math.sqrt(2 / 75)).toBeLessThan(1.1);
    expect(deviation(weights('conv2').weight.data)).toBeGreaterThan(0.85);
    expect(deviation(weights('conv2').weight.data)).toBeLessThan(1.15);
    expect([...weights('fc3').bias.data]).toEqual(new Array(9).fill(0.25));
    expect([...weights('bn1').scale.data, ...weights('bn1').variance.data]).toEqual(new Array(16).fill(1));
    expect([...weights('bn1').shift.data, ...weights('bn1').mean.data]).toEqual(new Array(16).fill(0));
    expect(drafted(LAYERS)).toEqual({ network, logits });
    expect(drafted(LAYERS, { seed: 6 }).network.nodes[0].weights.weight.data).not.toEqual(weights('conv1').weight.data);
  });

  test('is kept without its dropout', () => {
    const kept = withoutDropout(network);
    expect(kept.nodes.map(({ name }) => name)).toEqual(['conv1', 'bn1', 'relu1', 'norm1', 'pool1', 'conv2', 'relu2', 'pool2', 'fc3', 'relu3', 'fc4', 'prob']);
    expect(kept.nodes.find(({ name }) => name === 'fc4')!.inputs).toEqual(['relu3']);
    expect(shapesOf(finishNetwork(kept)).get('prob')).toEqual([1, 2]);
  });
});

test.each<[unknown[], RegExp]>([
  [[{ conv: 2, kernel: 3, stride: 2 }, { max_pool: 12 }, { dense: 2 }], /layers\[1\] \(pool1\) does not fit an input of \[2, 9, 9\]: a window of 12/],
  [[{ dense: 4 }, { conv: 2, kernel: 3 }, { dense: 2 }], /layers\[1\] \(conv2\) does not fit an input of \[4\]: conv2d takes \[N, C, H, W\]/],
  [[{ conv: 3, kernel: 3, groups: 3 }, { conv: 4, kernel: 3, groups: 3 }, { dense: 2 }], /layers\[1\] \(conv2\)/],
])('layers that do not fit are named: %j', (layers, message) => {
  expect(() => drafted(layers)).toThrow(message);
});
