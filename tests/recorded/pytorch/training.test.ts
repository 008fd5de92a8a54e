/** Training against recorded steps of PyTorch: losses, first gradients, weights in the end. `training.py` made the record. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Attributes, Network, Node, Shape, Tensor } from '../../../src/network/network.ts';
import { correctionsOf, type Optimizer } from '../../../src/scheduler/optimizer.ts';
import { Runner } from '../../../src/scheduler/runner.ts';
import { compileTraining } from '../../../src/scheduler/training.ts';
import { useEngine } from '../../gpu.ts';

const [STEPS, BATCH, CLASSES] = [5, 6, 4];

interface Record {
  readonly losses: readonly number[];
  readonly gradients: Readonly<globalThis.Record<string, readonly number[]>>;
  readonly weights: Readonly<globalThis.Record<string, readonly number[]>>;
}

const recorded = JSON.parse(readFileSync(new URL('training.json', import.meta.url), 'utf8')) as { first: Record; second: Record };

const size = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** The numbers that training.py begins with. */
const formula = (shape: Shape, salt: number, scale: number, offset = 0): Tensor => ({
  shape,
  data: Float32Array.from({ length: size(shape) }, (_, i) => Math.fround(scale * Math.sin(12.9898 * (i + 1) + 78.233 * salt)) + offset),
});

const images = (step: number): Float32Array => formula([BATCH, 3, 9, 8], 100 + step, 1).data;
const labels = (step: number): Uint32Array => Uint32Array.from({ length: BATCH }, (_, n) => (5 * n + 3 * step) % CLASSES);

/** A chain of layers, whose weights are numbered in its order. */
class Chain {
  readonly nodes: Node[] = [];
  private salt = 0;

  add(name: string, op: string, attributes: Attributes = {}, weights: Node['weights'] = {}): this {
    this.nodes.push({ name, output: name, op, inputs: [this.nodes.at(-1)?.output ?? 'x'], attributes, weights });
    return this;
  }

  layer(name: string, op: string, shape: Shape, attributes: Attributes = {}, bias = true): this {
    const weight = formula(shape, ++this.salt, 1.5 / Math.sqrt(size(shape.slice(1))));
    return this.add(name, op, attributes, { weight, ...(bias && { bias: formula([shape[0]!], ++this.salt, 0.1) }) });
  }

  norm(name: string, channels: number): this {
    const of = (value: number): Tensor => ({ shape: [channels], data: new Float32Array(channels).fill(value) });
    const [scale, shift] = [formula([channels], ++this.salt, 0.3, 1), formula([channels], ++this.salt, 0.2)];
    return this.add(name, 'batch_norm', { epsilon: 1e-5 }, { scale, shift, mean: of(0), variance: of(1) });
  }

  get network(): Network {
    return { name: 'chain', inputs: [{ name: 'x', shape: [1, 3, 9, 8] }], outputs: [this.nodes.at(-1)!.output], nodes: this.nodes };
  }
}

const CASES: Readonly<globalThis.Record<'first' | 'second', { network: Network; optimizer: Optimizer; rate: number; decay: number; smoothing: number }>> = {
  first: {
    network: new Chain()
      .layer('conv1', 'conv2d', [6, 3, 3, 3], { padding: [1, 1, 1, 1] }).add('relu1', 'relu')
      .layer('conv2', 'conv2d', [8, 3, 3, 3], { stride: [2, 2], padding: [1, 1, 1, 1], groups: 2 }, false).norm('norm2', 8).add('relu2', 'relu')
      .layer('conv3', 'conv2d', [5, 8, 3, 2], { padding: [2, 1, 2, 1], dilation: [2, 2] }, false).add('relu3', 'relu')
      .layer('fc4', 'dense', [10, 100]).add('relu4', 'relu').layer('fc5', 'dense', [CLASSES, 10]).network,
    optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true }, rate: 0.05, decay: 0.001, smoothing: 0.1,
  },
  second: {
    network: new Chain()
      .layer('conv1', 'conv2d', [8, 3, 5, 5], { stride: [2, 1], padding: [2, 2, 2, 2] }).add('relu1', 'relu')
      .add('norm1', 'lrn', { size: 5, alpha: 0.1, beta: 0.75, k: 1 }).add('pool1', 'max_pool', { kernel: [3, 3], stride: [2, 2] })
      .layer('conv2', 'conv2d', [8, 1, 3, 3], { padding: [1, 1, 1, 1], groups: 8 }).add('relu2', 'relu')
      .layer('conv3', 'conv2d', [12, 8, 1, 1]).add('relu3', 'relu').add('pool3', 'average_pool', { kernel: [1, 2], stride: [1, 1] })
      .layer('fc4', 'dense', [CLASSES, 48]).network,
    optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, rate: 0.01, decay: 0.02, smoothing: 0,
  },
};

/** |a - b| over the norm of b. */
function distance(actual: Float32Array, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  const [apart, whole] = expected.reduce(([d, w], value, i) => [d + (actual[i]! - value) ** 2, w + value ** 2], [0, 0]);
  return Math.sqrt(apart / whole);
}

describe('training as PyTorch does it', () => {
  const engine = useEngine();

  it.each(['first', 'second'] as const)('%s network', async (name) => {
    const { network, optimizer, rate, decay, smoothing } = CASES[name];
    const { losses, gradients, weights } = recorded[name];
    const { plan, parameters } = compileTraining(network, { logits: network.outputs[0]!, batch: BATCH, optimizer, decay, smoothing, capabilities: engine().capabilities });
    const runner = await Runner.create(engine(), plan);
    try {
      for (const node of network.nodes) for (const [role, { data }] of Object.entries(node.weights)) runner.write(`${node.name}/${role}`, data);
      for (let step = 1; step <= STEPS; step++) {
        runner.write('data', images(step));
        runner.write('labels', labels(step));
        runner.write('clock', Uint32Array.of(step, 0, 0, 0));
        runner.write('schedule', Float32Array.of(rate, ...correctionsOf(optimizer, step), 0));
        runner.write('tally', new Float32Array(4));
        runner.run(['forward', 'loss', 'tally', 'backward', 'update']);
        expect(Math.abs((await runner.read('tally')).data[0]! - losses[step - 1]!), `loss of step ${step}`).toBeLessThan(2e-5 * losses[step - 1]!);
        if (step > 1) continue;
        expect(parameters.filter(({ g }) => g).map((one) => one.name).sort()).toEqual(Object.keys(gradients).sort());
        for (const [parameter, gradient] of Object.entries(gradients)) expect(distance((await runner.read(`d ${parameter}`)).data, gradient), `d ${parameter}`).toBeLessThan(1e-5);
      }
      for (const [parameter, value] of Object.entries(weights)) expect(distance((await runner.read(parameter)).data, value), parameter).toBeLessThan(1e-4);
    } finally {
      runner.dispose();
    }
  });
});
