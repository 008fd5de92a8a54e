/** What 16-bit weights do to the class scores of a real network; the kernels that read them are tests/gpu/f16.test.ts. */
import { afterAll, describe, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { classLayers, feed } from '../../src/methods/activations.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { roundToFloat16, roundWeights } from '../../src/network/round_weights.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { useEngine } from '../gpu.ts';
import { recordedInput, recording } from '../recorded/recording.ts';

const engine = useEngine();
const report: string[] = [];
afterAll(() => console.log(['16-bit weights, class scores:', ...report].join('\n  ')));

test('numbers are rounded to the nearest of 11 bits', () => {
  const values = Float32Array.of(0, 1, -1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 0.1, -3.14159, 65504, 2 ** -24, 2 ** -26);
  const expected = [0, 1, -1, 1, 1 + 2 ** -9, 0.0999755859375, -3.140625, 65504, 2 ** -24, 0];
  expect([...roundToFloat16(values)]).toEqual(expected);
});

test('every weight is rounded, and nothing else is touched', () => {
  const tensor = (value: number) => ({ shape: [1], data: Float32Array.of(value) });
  const network: Network = {
    name: 'one', inputs: [{ name: 'x', shape: [1, 1, 1, 1] }], outputs: ['y'],
    nodes: [{ name: 'y', output: 'y', op: 'conv2d', inputs: ['x'], attributes: {}, weights: { weight: tensor(0.1), bias: tensor(0.1) } }],
  };
  const [node] = roundWeights(network).nodes;
  expect(node!.weights.weight!.data[0]).toBe(0.0999755859375);
  expect(node!.weights.bias!.data[0]).toBe(Math.fround(0.1));
  expect(network.nodes[0]!.weights.weight!.data[0]).toBe(Math.fround(0.1));
});

describe('SqueezeNet 1.1: the scores move by less than 1e-3, and the first class stays', () => {
  /** Class scores, with every constant that holds packed weights changed by `store` on its way to the GPU. */
  async function scores(network: Network, x: Tensor, { forced, store = (weights) => weights }: { forced?: string; store?: (weights: Float32Array) => Float32Array } = {}): Promise<Float32Array> {
    const { logits } = classLayers(network);
    const plan = compile(network, { layers: [logits], capabilities: { ...engine().capabilities, ...(forced && { kernels: { forced } }) } });
    const isWeight = (tensor: number): boolean => plan.tensors[tensor]!.label.endsWith('weight');
    const constants = plan.constants.map(({ tensor, make }) => ({ tensor, make: isWeight(tensor) ? () => store(make() as Float32Array) : make }));
    const runner = await Runner.create(engine(), { ...plan, constants });
    feed(runner, network, x);
    runner.run(['forward']);
    const { data } = await runner.read(logits);
    runner.dispose();
    return data;
  }

  test.each([
    ['cat', 'the weights of the file', (network: Network, x: Tensor) => scores(roundWeights(network), x)],
    ['chelsea', 'the weights of the file', (network: Network, x: Tensor) => scores(roundWeights(network), x)],
    ['chelsea', 'packed weights, those that Winograd transforms included', (network: Network, x: Tensor) => scores(network, x, { forced: 'winograd 4x4', store: roundToFloat16 })],
  ] as const)('%s, %s', async (image, what, rounded) => {
    const network = await loadNetwork([{ name: 'squeezenet1.1.onnx', bytes: dataBytes('models/squeezenet1.1-gluon/squeezenet1.1.onnx') }]);
    const x = await recordedInput(recording('squeezenet1.1-gluon', image), 'imagenet');
    const [exact, half] = [await scores(network, x), await rounded(network, x)];
    const error = Math.sqrt(half.reduce((sum, value, i) => sum + (value - exact[i]!) ** 2, 0) / exact.reduce((sum, value) => sum + value ** 2, 0));
    report.push(`SqueezeNet 1.1 / ${image}, ${what}: relative L2 ${error.toExponential(2)}`);
    expect(error).toBeGreaterThan(1e-5);
    expect(error).toBeLessThan(1e-3);
    const best = (values: Float32Array): number => values.indexOf(values.reduce((a, b) => Math.max(a, b)));
    expect(best(half)).toBe(best(exact));
  });
});
