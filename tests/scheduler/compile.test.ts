/** From a network to a plan, and the plan on a device. */
import { describe, expect, test } from 'vitest';
import type { Network } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { totals, type Plan, type Step } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { filled, random } from '../ops/reference.ts';
import { convolution, network, node, normalization } from './networks.ts';

const engine = useEngine();
/** One kernel for all convolutions: which is predicted to be quickest is another test's matter. */
const capabilities = { subgroups: false, software: true, maxBinding: 2 ** 27, kernels: { forced: 'direct' } };

const branching: Network = network({ x: [1, 3, 12, 10] }, [
  convolution('conv', 'x', [6, 3, 3], 1, { stride: [2, 2] }),
  node('relu', 'relu', ['conv.y']),
  node('pool', 'max_pool', ['relu.y'], { kernel: [3, 3], padding: [1, 1, 1, 1] }),
  node('norm', 'lrn', ['relu.y']),
  node('both', 'concat', ['pool.y', 'norm.y']),
  convolution('unused', 'both.y', [2, 12, 1], 5),
]);
const compiled = (layers = ['both'], batch = 1): Plan => compile(branching, { layers, batch, backward: { from: layers[0]!, rule: 'gradient' }, capabilities });

describe('a plan', () => {
  test('names inputs, kept layers by node and by tensor, the seed and the gradients', () => {
    const plan = compiled(['both', 'pool']);
    expect([...plan.named.keys()].sort()).toEqual(['both', 'both.y', 'd x', 'pool', 'pool.y', 'seed', 'x']);
    expect(plan.tensors[plan.named.get('seed')!]!.shape).toEqual([1, 12, 6, 5]);
    expect(plan.named.get('both')).toBe(plan.named.get('both.y'));
  });

  test('holds only the steps that the layers need, in order, labelled layer/op.pass', () => {
    const plan = compiled();
    expect([...plan.passes.keys()]).toEqual(['forward', 'backward']);
    expect(plan.passes.get('forward')!.map(({ label }) => label)).toEqual([
      'relu/conv2d.forward:border',
      'relu/conv2d.forward',
      'pool/max_pool.forward',
      'norm/lrn.forward',
      'both/concat.forward:part1', // part0 is written in place; this one would begin within 256 bytes
    ]);
  });

  test('is addressed by tensor names as well', () => {
    expect(totals(compiled(['both.y']))).toEqual(totals(compiled()));
  });

  test('is the same every time', () => {
    const text = (plan: Plan): string => JSON.stringify([plan.tensors, plan.buffers, [...plan.passes], [...plan.named]]);
    expect(text(compiled())).toBe(text(compiled()));
  });

  test('counts the work: 2 operations per multiply-add', () => {
    const plan = compile(network({ x: [1, 3, 12, 10] }, [convolution('conv', 'x', [6, 3, 3], 1)]), { layers: ['conv'], capabilities });
    expect(totals(plan).flops).toBe(2 * 6 * 12 * 10 * 3 * 9);
  });

  test('grows with the batch', () => {
    const [one, four] = [compiled(['both']), compiled(['both'], 4)];
    expect(four.tensors[four.named.get('x')!]!.shape).toEqual([4, 3, 12, 10]);
    expect([one.batch, four.batch]).toEqual([1, 4]);
    expect(totals(four).flops).toBe(4 * totals(one).flops);
  });

  test('holds weights once that both passes read as they are packed', () => {
    const net = network({ x: [1, 40] }, [
      node('fc', 'dense', ['x'], {}, { weight: random([30, 40], 1), bias: random([30], 2) }),
      normalization('norm', 'fc.y', 30, 3),
    ]);
    const plan = compile(net, { layers: ['norm'], backward: { from: 'norm', rule: 'gradient' }, capabilities });
    const labels = plan.constants.map(({ tensor }) => plan.tensors[tensor]!.label);
    expect(labels.filter((label) => /weight|norm\/a/.test(label)).sort()).toEqual(['fc/weight.0', 'norm/a']);
  });

  test('without a backward pass keeps nothing for it', () => {
    const plan = compile(branching, { layers: ['both'], capabilities });
    expect([...plan.passes.keys()]).toEqual(['forward']);
    expect(plan.tensors.some(({ label }) => /winner|scale/.test(label))).toBe(false);
  });
});

describe('a plan is refused', () => {
  test('for a layer that is not there, with the nearest names', () => {
    expect(() => compiled(['pol'])).toThrow(expect.objectContaining({ code: 'unknown-layer', hint: expect.stringContaining('pool') as string }));
  });

  test('for an op that is not implemented, but only where it is needed', () => {
    const net = network({ x: [1, 4] }, [node('a', 'relu', ['x']), node('b', 'lstm', ['a.y'])]);
    const error = { code: 'model-unsupported', address: { layer: 'b', op: 'lstm' } };
    expect(() => compile(net, { layers: ['b'], capabilities })).toThrow(expect.objectContaining(error));
    expect(compile(net, { layers: ['a'], capabilities }).passes.get('forward')!.length).toBe(1);
  });

  test('where one step needs more workgroups than a device starts', () => {
    const net = network({ x: [70000, 1, 1, 1] }, [convolution('conv', 'x', [1, 1, 1], 1)]);
    const error = { code: 'limit', address: { step: 'conv/conv2d.forward' } };
    expect(() => compile(net, { layers: ['conv'], capabilities })).toThrow(expect.objectContaining(error));
  });
});

describe('a plan on a device', () => {
  const x = random([2, 3, 12, 10], 1);

  test('gives the same bits every time', async () => {
    const plan = compile(branching, { batch: 2, layers: ['both'], backward: { from: 'both', rule: 'gradient' }, capabilities: engine().capabilities });
    const runner = await Runner.create(engine(), plan);
    runner.write('x', x.data);
    runner.write('seed', random([2, 12, 6, 5], 2).data);
    const results = [];
    for (let i = 0; i < 5; i++) {
      runner.run(['forward', 'backward']);
      results.push([(await runner.read('both')).data, (await runner.read('d x')).data]);
    }
    runner.dispose();
    for (const result of results) expect(result).toEqual(results[0]);
    expect(results[0]![1]!.some((g) => g !== 0)).toBe(true);
  });

  test('treats the images of a batch alike, and apart', async () => {
    const read = async (batch: number, data: Float32Array): Promise<Float32Array> => {
      const runner = await Runner.create(engine(), compile(branching, { batch, layers: ['both'], capabilities: engine().capabilities }));
      runner.write('x', data);
      runner.run(['forward']);
      const { data: y } = await runner.read('both');
      runner.dispose();
      return y;
    };
    const both = await read(2, x.data);
    expect(both.slice(0, 360)).toEqual(await read(1, x.data.slice(0, 360)));
    expect(both.slice(360)).toEqual(await read(1, x.data.slice(360)));
  });

  test('gives all its memory back', async () => {
    const before = engine().memory();
    const runner = await Runner.create(engine(), compiled());
    expect(engine().memory().bytes - before.bytes).toBe(totals(runner.plan).memory);
    runner.dispose();
    runner.dispose();
    expect(engine().memory()).toEqual(before);
    expect(() => runner.run(['forward'])).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  test('leaves nothing allocated when a kernel does not compile, and names the line', async () => {
    const before = engine().memory();
    const plan = compiled();
    const misspell = (step: Step): Step => (step.kernel === 'lrn' && step.pass === 'forward' ? { ...step, code: step.code.replace('@compute', '@compote') } : step);
    const passes = new Map([...plan.passes].map(([pass, steps]) => [pass, steps.map(misspell)]));
    const error = { code: 'shader', address: { step: 'norm/lrn.forward', line: expect.any(Number) as number } };
    await expect(Runner.create(engine(), { ...plan, passes })).rejects.toMatchObject(error);
    expect(engine().memory()).toEqual(before);
  });

  test('refuses a tensor that does not fit one binding, and a name that is not kept', async () => {
    const net = network({ x: [1, 1, 6000, 6000] }, [node('relu', 'relu', ['x'])]);
    await expect(Runner.create(engine(), compile(net, { layers: ['relu'], capabilities }))).rejects.toMatchObject({ code: 'limit' });
    const runner = await Runner.create(engine(), compiled());
    expect(() => runner.tensor('pool')).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(() => runner.write('x', filled([1, 3, 12, 11], () => 0).data)).toThrow(expect.objectContaining({ code: 'usage' }));
    runner.dispose();
  });
});
