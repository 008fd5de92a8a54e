/** Small networks for the tests of the planner, and a reference that needs no twin of any op. */
import type { Attributes, Network, Node, Tensor } from '../../src/network/network.ts';
import { random } from '../ops/reference.ts';

/** A layer that makes a tensor of its own name with `.y` behind it. */
export function node(name: string, op: string, inputs: readonly string[], attributes: Attributes = {}, weights: Node['weights'] = {}): Node {
  return { name, output: `${name}.y`, op, inputs, attributes, weights };
}

export function network(inputs: Readonly<Record<string, readonly number[]>>, nodes: readonly Node[]): Network {
  const read = new Set(nodes.flatMap((layer) => layer.inputs));
  return {
    name: 'small',
    inputs: Object.entries(inputs).map(([name, shape]) => ({ name, shape })),
    nodes,
    outputs: nodes.map(({ output }) => output).filter((output) => !read.has(output)),
  };
}

export function convolution(name: string, input: string, [M, C, K]: readonly [number, number, number], seed: number, attributes: Attributes = {}): Node {
  const pad = (K - 1) / 2;
  return node(name, 'conv2d', [input], { padding: [pad, pad, pad, pad], ...attributes }, { weight: random([M, C, K, K], seed), bias: random([M], seed + 1) });
}

export function normalization(name: string, input: string, channels: number, seed: number): Node {
  return node(name, 'batch_norm', [input], {}, {
    scale: random([channels], seed, -2, 2),
    shift: random([channels], seed + 1),
    mean: random([channels], seed + 2),
    variance: random([channels], seed + 3, 0.1, 2),
  });
}

/** Gradient of <f(x), dy> by central differences, element by element: exact up to rounding where f is piecewise linear. */
export function numericGradient(f: (x: number[]) => number[], x: Tensor, dy: Tensor): number[] {
  const h = 1e-4;
  const value = (at: number, step: number): number =>
    f(Array.from(x.data, (v, i) => (i === at ? v + step : v))).reduce((sum, y, i) => sum + y * dy.data[i]!, 0);
  return Array.from(x.data, (_, i) => (value(i, h) - value(i, -h)) / (2 * h));
}
