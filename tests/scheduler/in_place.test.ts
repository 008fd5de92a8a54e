/**
 * Concatenations and branches whose copies are left out, on a device: a batch of one shares memory where a batch of
 * two copies the parts of a concatenation, and both give the same results.
 */
import { describe, expect, test } from 'vitest';
import type { Network, Node } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';
import { compile } from '../../src/scheduler/compile.ts';
import type { Plan } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from './networks.ts';

const engine = useEngine();

const conv = (name: string, input: string, shape: readonly [number, number, number], seed: number): Node[] => [
  convolution(`${name}.conv`, input, shape, seed),
  node(name, 'relu', [`${name}.conv.y`]),
];

/** Planes of 8 x 8: every channel begins where a binding may. */
const NETWORKS: Readonly<Record<string, { readonly net: Network; readonly copies: number }>> = {
  'a fire module': {
    net: network({ x: [1, 3, 8, 8] }, [
      ...conv('squeeze', 'x', [4, 3, 1], 1),
      ...conv('expand1', 'squeeze.y', [5, 4, 1], 2),
      ...conv('expand3', 'squeeze.y', [6, 4, 3], 3),
      node('both', 'concat', ['expand1.y', 'expand3.y']),
      ...conv('last', 'both.y', [4, 11, 1], 4),
    ]),
    copies: 0,
  },
  'parts that others read too, before and after': {
    net: network({ x: [1, 3, 8, 8] }, [
      ...conv('a', 'x', [4, 3, 3], 1),
      ...conv('b', 'a.y', [4, 4, 3], 2),
      node('both', 'concat', ['a.y', 'b.y']),
      ...conv('c', 'both.y', [4, 8, 1], 3),
      ...conv('d', 'a.y', [4, 4, 1], 4),
      node('sum', 'add', ['c.y', 'd.y']),
    ]),
    copies: 1, // a's gradient has begun when that of the concatenation is ready: it is added to it
  },
  'a dense block': {
    net: network({ x: [1, 3, 8, 8] }, [
      ...conv('a', 'x', [4, 3, 3], 1),
      ...conv('b', 'a.y', [4, 4, 3], 2),
      node('ab', 'concat', ['a.y', 'b.y']),
      ...conv('c', 'ab.y', [4, 8, 3], 3),
      node('abc', 'concat', ['ab.y', 'c.y']),
      ...conv('d', 'abc.y', [4, 12, 1], 4),
      node('abcd', 'concat', ['abc.y', 'd.y']),
      ...conv('e', 'abcd.y', [4, 16, 1], 5),
    ]),
    copies: 1, // d reads the buffer in which it would have to write
  },
  'an input, a view and a slice as parts': {
    net: network({ x: [1, 4, 8, 8] }, [
      ...conv('a', 'x', [4, 4, 3], 1),
      node('v', 'identity', ['a.y']),
      node('s', 'slice', ['a.y'], { start: [0, 1, 0, 0], size: [0, 2, 0, 0], step: [1, 1, 1, 1] }),
      node('all', 'concat', ['x', 'v.y', 's.y']),
      node('last', 'lrn', ['all.y']),
    ]),
    copies: 6, // the input keeps its memory; the slice reads what lies in the concatenation, and is copied there
  },
  'channels padded with zeros beside a branch': {
    net: network({ x: [1, 4, 8, 8] }, [
      ...conv('a', 'x', [4, 4, 3], 1),
      ...conv('b', 'a.y', [8, 4, 3], 2),
      node('wide', 'pad', ['a.y'], { before: [0, 2, 0, 0], after: [0, 2, 0, 0] }),
      node('sum', 'add', ['b.y', 'wide.y']),
      node('last', 'relu', ['sum.y']),
    ]),
    copies: 1, // zeros around the channels have to be written
  },
  'residual blocks': {
    net: network({ x: [1, 4, 8, 8] }, [
      ...conv('a', 'x', [4, 4, 3], 1),
      ...conv('b', 'a.y', [4, 4, 3], 2),
      convolution('c', 'b.y', [4, 4, 3], 3),
      node('sum', 'add', ['c.y', 'a.y']),
      node('r', 'relu', ['sum.y']),
      convolution('d', 'r.y', [6, 4, 3], 4),
      convolution('s', 'r.y', [6, 4, 1], 5),
      node('sum2', 'add', ['d.y', 's.y']),
      node('last', 'relu', ['sum2.y']),
    ]),
    copies: 0,
  },
};

const copying = (plan: Plan): string[] =>
  [...plan.passes.values()].flat().filter(({ kernel, pass }) => kernel === 'concat' || kernel === 'slice' || (kernel === 'add' && pass === 'backward')).map(({ label }) => label);

describe.each(Object.entries(NETWORKS))('%s', (_, { net, copies }) => {
  const from = net.nodes.at(-1)!.name;
  const planOf = (batch: number, layers: readonly string[], rule: ReluRule, capabilities = engine().capabilities): Plan =>
    compile(net, { batch, layers, backward: { from, rule }, capabilities });

  // Kernels that read a tensor itself, not a copy with a border, cannot write into the same buffer: more copies are left with those.
  test(`leaves ${copies} copies`, () => {
    const steps = copying(planOf(1, [from], 'gradient', { software: true, subgroups: true, maxBinding: 2 ** 27 }));
    expect(steps, steps.join(', ')).toHaveLength(copies);
  });

  test.each<[ReluRule, string]>([['gradient', 'nothing'], ['guided', 'nothing'], ['deconvnet', 'everything']])('rule %s, %s kept beside the result', async (rule, kept) => {
    const layers = kept === 'nothing' ? [from] : net.nodes.map(({ name }) => name);
    const names = [...layers, 'd x'];
    const results = [];
    for (const batch of [1, 2]) {
      const twice = (shape: readonly number[], seed: number) => {
        const one = random([1, ...shape.slice(1)], seed);
        return { shape, data: Float32Array.from({ length: batch * one.data.length }, (__, i) => one.data[i % one.data.length]!) };
      };
      const x = twice([batch, ...net.inputs[0]!.shape.slice(1)], 7);
      for (const layout of ['planned', 'apart'] as const) {
        const { tensors } = await runGuarded(engine(), planOf(batch, layers, rule), { x, seed: (shape) => twice(shape, 8) }, names, { layout });
        results.push(tensors);
      }
    }
    for (const name of names) {
      const [one, ...others] = results.map((tensors) => tensors.get(name)!.data) as [Float32Array, ...Float32Array[]];
      const scale = Math.max(...one.map(Math.abs));
      for (const other of others) one.forEach((value, i) => expect(Math.abs(value - other[i]!), name).toBeLessThanOrEqual(1e-5 * scale));
      expect(one.some((value) => value !== 0), name).toBe(true);
    }
  });
});

test('a kept part can be read, and written as an input of its own can', async () => {
  const { net } = NETWORKS['a fire module']!;
  const plan = compile(net, { layers: ['expand1', 'expand3', 'both'], capabilities: engine().capabilities });
  expect(plan.tensors[plan.named.get('expand3')!]!.offset).toBe(5 * 256);
  const runner = await Runner.create(engine(), plan);
  runner.write('x', random([1, 3, 8, 8], 7).data);
  runner.run(['forward']);
  const [both, third] = [(await runner.read('both')).data, (await runner.read('expand3')).data];
  expect(third).toEqual(both.subarray(5 * 64));
  runner.write('expand3', Float32Array.of(41, 42), 64);
  expect((await runner.read('both')).data.subarray(6 * 64, 6 * 64 + 2)).toEqual(Float32Array.of(41, 42));
  runner.dispose();
});
