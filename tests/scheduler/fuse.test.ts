import { describe, expect, test } from 'vitest';
import type { Network, Node } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { fuse } from '../../src/scheduler/fuse.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node, normalization } from './networks.ts';

const engine = useEngine();

const conv = convolution('conv', 'x', [5, 3, 3], 1);
const other = convolution('other', 'x', [5, 3, 1], 5);
const norm = normalization('norm', 'conv.y', 5, 11);
const up = node('up', 'conv_transpose2d', ['x'], { stride: [2, 2] }, { weight: random([3, 5, 3, 3], 70), bias: random([5], 71) });
const relu = (input: string, name = 'relu'): Node => node(name, 'relu', [input]);
const clip = (input: string, name = 'clip'): Node => node(name, 'clip', [input], { min: 0, max: 6 });
const fully = node('fc', 'dense', ['x'], {}, { weight: random([4, 3 * 7 * 5], 31), bias: random([4], 32) });
const over = (...nodes: Node[]): Network => network({ x: [1, 3, 7, 5] }, nodes);

/** Names and ops that are left, e.g. `relu:conv2d+relu`. */
function left(net: Network, ...keep: string[]): string[] {
  return fuse(net, new Set(keep)).nodes.map(({ name, op, attributes }) => `${name}:${op}${attributes.activation ? `+${attributes.activation as string}` : ''}`);
}

describe('what is fused', () => {
  test.each([
    ['conv, norm and relu', over(conv, norm, relu('norm.y')), ['relu:conv2d+relu']],
    ['conv and clip', over(conv, clip('conv.y')), ['clip:conv2d+clip']],
    ['dense and relu', over(fully, relu('fc.y')), ['relu:dense+relu']],
    ['only the first of two activations', over(conv, relu('conv.y'), clip('relu.y')), ['relu:conv2d+relu', 'clip:clip']],
    ['no norm after an activation', over(conv, relu('conv.y'), { ...norm, inputs: ['relu.y'] }), ['relu:conv2d+relu', 'norm:batch_norm']],
    ['no norm after a dense layer', over(fully, { ...normalization('norm', 'fc.y', 4, 1) }), ['fc:dense', 'norm:batch_norm']],
    ['nothing that two layers read', over(conv, relu('conv.y'), clip('conv.y')), ['conv:conv2d', 'relu:relu', 'clip:clip']],
    ['nothing into an addition', over(conv, node('sum', 'add', ['conv.y', 'conv.y'])), ['conv:conv2d', 'sum:add']],
    ['an addition and relu', over(conv, node('sum', 'add', ['conv.y', 'conv.y']), relu('sum.y')), ['conv:conv2d', 'relu:add+relu']],
    ['nothing across a view', over(conv, node('same', 'identity', ['conv.y']), relu('same.y')), ['conv:conv2d', 'same:identity', 'relu:relu']],
    ['transposed conv, norm and relu', over(up, { ...norm, inputs: ['up.y'] }, relu('norm.y')), ['relu:conv_transpose2d+relu']],
    ['two chains that cross', over(conv, other, relu('conv.y'), relu('other.y', 'last')), ['relu:conv2d+relu', 'last:conv2d+relu']],
  ])('%s', (_, net, wanted) => expect(left(net)).toEqual(wanted));

  test.each([
    ['conv.y', ['conv:conv2d', 'norm:batch_norm', 'relu:relu']],
    ['norm.y', ['norm:conv2d', 'relu:relu']],
    ['relu.y', ['relu:conv2d+relu']],
  ])('a tensor that is watched stays: %s', (keep, wanted) => expect(left(over(conv, norm, relu('norm.y')), keep)).toEqual(wanted));

  test('a fused layer makes the tensor of its last part, and the network is not touched', () => {
    const net = over(conv, norm, relu('norm.y'));
    const copy = structuredClone(net);
    const [fused] = fuse(net, new Set()).nodes;
    expect([fused!.inputs, fused!.output]).toEqual([['x'], 'relu.y']);
    expect(net).toEqual(copy);
  });

  test('a clip without bounds has those of f32', () => {
    const [fused] = fuse(over(conv, node('clip', 'clip', ['conv.y'], { max: 1 })), new Set()).nodes;
    expect(fused!.attributes).toMatchObject({ activation: 'clip', low: -3.4028234663852886e38, high: 1 });
  });
});

/** A network of every fusion: grouped and strided convolutions, norms with and without a bias before them, a branch, a dense end. */
const bare = convolution('bare', 'r1.y', [6, 3, 3], 40, { groups: 2, stride: [2, 2] });
const everything = network({ x: [2, 4, 9, 7] }, [
  convolution('c1', 'x', [6, 4, 3], 20),
  normalization('b1', 'c1.y', 6, 21),
  relu('b1.y', 'r1'),
  { ...bare, weights: { weight: bare.weights.weight! } },
  normalization('b2', 'bare.y', 6, 42),
  node('k2', 'clip', ['b2.y'], { min: -0.5, max: 1.5 }),
  convolution('c3', 'k2.y', [6, 6, 1], 50),
  node('pool', 'max_pool', ['k2.y'], { kernel: [3, 3], padding: [1, 1, 1, 1] }),
  node('sum', 'add', ['c3.y', 'pool.y']),
  relu('sum.y', 'r3'),
  node('fc', 'dense', ['r3.y'], {}, { weight: random([7, 6 * 5 * 4], 60) }),
  relu('fc.y', 'r4'),
]);

/** Transposed convolutions, whose outputs are the second axis of their weights: in groups, without a bias, one filter a channel. */
const transposed = network({ x: [2, 4, 9, 7] }, [
  node('t1', 'conv_transpose2d', ['x'], { groups: 2, stride: [2, 1] }, { weight: random([4, 3, 2, 3], 80) }),
  normalization('b1', 't1.y', 6, 81),
  relu('b1.y', 'r1'),
  node('t2', 'conv_transpose2d', ['r1.y'], { groups: 6, padding: [1, 1, 1, 1] }, { weight: random([6, 1, 3, 3], 85), bias: random([6], 86) }),
  normalization('b2', 't2.y', 6, 87),
  relu('b2.y', 'r4'),
]);

describe('fusion changes no result', () => {
  test.each<[string, ReluRule, Network]>([
    ['the whole network', 'gradient', everything],
    ['the whole network', 'deconvnet', everything],
    ['the whole network', 'guided', everything],
    ['transposed convolutions', 'guided', transposed],
  ])('of %s, rule %s', async (_, rule, net) => {
    const results = [];
    for (const on of [true, false]) {
      const plan = compile(net, { layers: ['r4'], backward: { from: 'r4', rule }, fuse: on, capabilities: engine().capabilities });
      expect(plan.passes.get('forward')!.some(({ kernel }) => kernel === 'batch_norm')).toBe(!on);
      results.push(await runGuarded(engine(), plan, { x: random([2, 4, 9, 7], 9), seed: (shape) => random(shape, 3, -0.2, 1) }, ['r4', 'd x']));
    }
    for (const name of ['r4', 'd x']) {
      const [fused, plain] = results.map(({ tensors }) => tensors.get(name)!.data) as [Float32Array, Float32Array];
      const scale = Math.max(...plain.map(Math.abs));
      expect(scale).toBeGreaterThan(0);
      fused.forEach((value, i) => expect(Math.abs(value - plain[i]!)).toBeLessThanOrEqual(2e-6 * scale));
    }
  });

  test('to the bit, where only activations are fused', async () => {
    const net = over(conv, relu('conv.y'));
    const run = async (on: boolean, layers: string[]): Promise<Float32Array[]> => {
      const plan = compile(net, { layers, backward: { from: 'relu', rule: 'guided' }, fuse: on, capabilities: engine().capabilities });
      const { tensors } = await runGuarded(engine(), plan, { x: random([1, 3, 7, 5], 9), seed: (shape) => random(shape, 3) }, ['relu', 'd x']);
      return [...tensors.values()].map(({ data }) => data);
    };
    const fused = await run(true, ['relu']);
    expect(await run(false, ['relu'])).toEqual(fused);
    expect(await run(true, ['relu', 'conv'])).toEqual(fused);
  });
});
