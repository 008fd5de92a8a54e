/** The wiring of the backward pass: branches, views, several inputs, layers that lie beside the path. */
import { describe, expect, test } from 'vitest';
import type { Node } from '../../src/network/network.ts';
import { compile, stage } from '../../src/scheduler/compile.ts';
import { recordBackward } from '../../src/scheduler/passes.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { filled, passesRule, random, RELU_RULES } from '../ops/reference.ts';
import { network, node, numericGradient } from './networks.ts';

const engine = useEngine();

const relu = (x: number[]): number[] => x.map((v) => Math.max(v, 0));
const cap = (x: number[]): number[] => x.map((v) => Math.min(Math.max(v, -0.4), 0.6));
const plus = (a: number[], b: number[]): number[] => a.map((v, i) => v + b[i]!);
const relus = (name: string, input: string): Node => node(name, 'relu', [input]);
const caps = (name: string, input: string): Node => node(name, 'clip', [input], { min: -0.4, max: 0.6 });
const flat = (name: string, input: string): Node => node(name, 'flatten', [input]);
const shaped = (name: string, input: string, ...shape: number[]): Node => node(name, 'reshape', [input], { shape });

interface Wiring {
  readonly nodes: readonly Node[];
  readonly f: (x: number[]) => number[];
  /** The last layer, where it is not said. */
  readonly from?: string;
  /** Layers kept beside `from`. */
  readonly keep?: readonly string[];
}

/** All over an input of [2, 3, 4]. */
const WIRINGS: Readonly<Record<string, Wiring>> = {
  'a residual connection to the input': { nodes: [relus('a', 'x'), node('sum', 'add', ['a.y', 'x'])], f: (x) => plus(relu(x), x) },
  'three readers of one layer': {
    nodes: [caps('a', 'x'), relus('b', 'a.y'), caps('c', 'a.y'), node('d', 'add', ['b.y', 'c.y']), node('e', 'add', ['d.y', 'a.y'])],
    f: (x) => plus(plus(relu(cap(x)), cap(cap(x))), cap(x)),
  },
  'one layer as both operands': { nodes: [relus('a', 'x'), node('sum', 'add', ['a.y', 'a.y'])], f: (x) => plus(relu(x), relu(x)) },
  'the input as both operands': { nodes: [node('sum', 'add', ['x', 'x'])], f: (x) => plus(x, x) },
  'a layer concatenated with itself and another': {
    nodes: [relus('a', 'x'), caps('b', 'x'), node('all', 'concat', ['a.y', 'b.y', 'a.y'], { axis: 0 })],
    f: (x) => [...relu(x), ...cap(x), ...relu(x)],
  },
  'a view between layers': { nodes: [relus('a', 'x'), flat('v', 'a.y'), caps('b', 'v.y')], f: (x) => cap(relu(x)) },
  'a view of a view of a view': {
    nodes: [relus('a', 'x'), flat('u', 'a.y'), shaped('v', 'u.y', 4, -1), node('w', 'identity', ['v.y']), caps('b', 'w.y')],
    f: (x) => cap(relu(x)),
  },
  'a view right under the seed': { nodes: [relus('a', 'x'), flat('v', 'a.y')], f: relu },
  'a view of a view right under the seed': { nodes: [relus('a', 'x'), flat('v', 'a.y'), shaped('w', 'v.y', 24)], f: relu },
  'nothing but a view': { nodes: [flat('v', 'x')], f: (x) => x },
  'nothing but views': { nodes: [flat('v', 'x'), shaped('w', 'v.y', 24)], f: (x) => x },
  'a view of the input': { nodes: [flat('v', 'x'), relus('a', 'v.y')], f: relu },
  'a view of the input beside another reader': {
    nodes: [relus('a', 'x'), flat('v', 'x'), flat('w', 'a.y'), node('sum', 'add', ['v.y', 'w.y'])],
    f: (x) => plus(x, relu(x)),
  },
  'a view that several layers read': {
    nodes: [relus('a', 'x'), flat('v', 'a.y'), caps('b', 'v.y'), node('sum', 'add', ['b.y', 'v.y'])],
    f: (x) => plus(cap(relu(x)), relu(x)),
  },
  'two views of one layer': {
    nodes: [relus('a', 'x'), flat('v', 'a.y'), shaped('w', 'a.y', 2, 12), node('sum', 'add', ['v.y', 'w.y'])],
    f: (x) => plus(relu(x), relu(x)),
  },
  'a layer read by a view and by a layer, the view first': {
    nodes: [relus('a', 'x'), node('v', 'identity', ['a.y']), caps('b', 'a.y'), node('sum', 'add', ['v.y', 'b.y'])],
    f: (x) => plus(relu(x), cap(relu(x))),
  },
  'a layer read by a layer and by a view, the view last': {
    nodes: [relus('a', 'x'), caps('b', 'a.y'), node('v', 'identity', ['a.y']), node('sum', 'add', ['v.y', 'b.y'])],
    f: (x) => plus(relu(x), cap(relu(x))),
  },
  'a view kept beside what it views': { nodes: [relus('a', 'x'), flat('v', 'a.y'), caps('b', 'v.y')], f: (x) => cap(relu(x)), keep: ['a', 'v'] },
  'from the middle, with a layer after it kept': { nodes: [relus('a', 'x'), caps('b', 'a.y'), relus('c', 'b.y')], f: relu, from: 'a', keep: ['c'] },
  'from a layer with a view after it kept': { nodes: [relus('a', 'x'), flat('v', 'a.y'), caps('b', 'v.y')], f: relu, from: 'a', keep: ['b'] },
  'from one of two branches': { nodes: [caps('a', 'x'), relus('b', 'a.y'), caps('c', 'a.y')], f: (x) => relu(cap(x)), from: 'b', keep: ['c'] },
};

describe('the backward pass through', () => {
  test.each(Object.entries(WIRINGS))('%s', async (_, { nodes, f, from = nodes.at(-1)!.name, keep = [] }) => {
    const x = filled([2, 3, 4], (i) => ((i * 7) % 24) / 12 - 1.03);
    const { capabilities } = engine();
    const plan = compile(network({ x: x.shape }, nodes), { layers: [from, ...keep], backward: { from, rule: 'gradient' }, capabilities });
    const { tensors, written } = await runGuarded(engine(), plan, { x, seed: (shape) => random(shape, 3) }, [from, 'd x']);
    f([...x.data]).forEach((y, i) => expect(tensors.get(from)!.data[i]).toBeCloseTo(y, 6));
    const wanted = numericGradient(f, x, written.get('seed')!);
    expect(tensors.get('d x')!.shape).toEqual(x.shape);
    wanted.forEach((g, i) => expect(tensors.get('d x')!.data[i]).toBeCloseTo(g, 5));
  });
});

test.each(RELU_RULES)('every ReLU on the way follows the rule %s', async (rule) => {
  const x = random([2, 9], 1);
  const nodes = [relus('a', 'x'), caps('b', 'a.y'), node('shift', 'add', ['b.y'], {}, { addend: random([9], 5, -0.3, 0.1) }), relus('c', 'shift.y')];
  const { capabilities } = engine();
  const plan = compile(network({ x: x.shape }, nodes), { layers: ['c', 'shift', 'b', 'a'], backward: { from: 'c', rule }, capabilities });
  const { tensors, written } = await runGuarded(engine(), plan, { x, seed: (shape) => random(shape, 3) }, ['d x', 'shift', 'a']);
  const pass = (g: number, active: boolean): number => (passesRule(rule, active, g) ? g : 0);
  const [shift, a] = [tensors.get('shift')!.data, tensors.get('a')!.data];
  const wanted = written.get('seed')!.data.map((g, i) => {
    const atC = pass(g, shift[i]! > 0);
    const atB = pass(atC, a[i]! > -0.4 && a[i]! < Math.fround(0.6));
    return pass(atB, x.data[i]! > 0);
  });
  expect(tensors.get('d x')!.data).toEqual(wanted);
});

describe('several inputs', () => {
  const nodes = [relus('a', 'x'), caps('b', 'z'), node('sum', 'add', ['a.y', 'b.y'])];
  const two = network({ x: [2, 3], z: [1, 3], unread: [5] }, nodes);

  test('each receives its gradient; one that nothing reads takes no memory', async () => {
    const plan = compile(two, { layers: ['sum'], backward: { from: 'sum', rule: 'gradient' }, capabilities: engine().capabilities });
    expect([...plan.named.keys()].sort()).toEqual(['d x', 'd z', 'seed', 'sum', 'sum.y', 'x', 'z']);
    const [x, z] = [random([2, 3], 1), random([1, 3], 2)];
    const { tensors, written } = await runGuarded(engine(), plan, { x, z, seed: (shape) => random(shape, 3) }, ['d x', 'd z']);
    const dy = written.get('seed')!.data;
    expect(tensors.get('d x')!.data).toEqual(dy.map((g, i) => (x.data[i]! > 0 ? g : 0)));
    const inside = (v: number): boolean => v > Math.fround(-0.4) && v < Math.fround(0.6);
    expect(tensors.get('d z')!.data).toEqual(z.data.map((v, i) => (inside(v) ? dy[i]! + dy[i + 3]! : 0)));
  });

  test('one that the layer does not depend on has the gradient zero', async () => {
    const plan = compile(two, { layers: ['a', 'sum'], backward: { from: 'a', rule: 'gradient' }, capabilities: engine().capabilities });
    const runner = await Runner.create(engine(), plan);
    runner.write('seed', new Float32Array(6).fill(1));
    runner.run(['forward', 'backward']);
    expect((await runner.read('d z')).data).toEqual(new Float32Array(3));
    runner.dispose();
  });

  test('a gradient towards an input that the layer does not depend on is refused', () => {
    const made = stage(two, { layers: ['a', 'sum'], training: true, capabilities: engine().capabilities });
    const seed = made.builder.persistent('seed', [2, 3]);
    const to = new Map([['z', made.builder.persistent('d z', [1, 3])]]);
    expect(() => recordBackward(made.builder, made.recorded, 'a.y', seed, to, 'gradient')).toThrow(
      expect.objectContaining({ code: 'no-gradient', address: { layer: 'a.y' } }),
    );
  });

  test('no step is recorded for a gradient that nobody asked for', () => {
    const made = stage(two, { layers: ['sum'], training: true, capabilities: engine().capabilities });
    const seed = made.builder.persistent('seed', [2, 3]);
    recordBackward(made.builder, made.recorded, 'sum.y', seed, new Map([['x', made.builder.persistent('d x', [2, 3])]]), 'gradient');
    expect(made.builder.build().passes.get('backward')!.map(({ label }) => label)).toEqual(['a/relu.backward']);
  });
});

describe('gradients at several layers', () => {
  /** x -> a -> v (a view) -> b, and c beside b: every one of them may hold a gradient of its own. */
  const nodes = [relus('a', 'x'), flat('v', 'a.y'), caps('b', 'v.y'), relus('c', 'a.y')];
  const x = filled([2, 3, 4], (i) => ((i * 7) % 24) / 12 - 1.03);
  const parts: Readonly<Record<string, (x: number[]) => number[]>> = { a: relu, v: relu, b: (v) => cap(relu(v)), c: (v) => relu(relu(v)) };

  test.each([['a', 'b'], ['v', 'b'], ['a', 'v', 'b'], ['c', 'b'], ['a', 'v', 'b', 'c']])('%s %s %s %s', async (...asked) => {
    const layers = asked.filter((name) => name !== undefined);
    const { builder, recorded, layer } = stage(network({ x: x.shape }, nodes), { layers, training: true, capabilities: engine().capabilities });
    const seeds = new Map(layers.map((name) => [`${name}.y`, builder.persistent(`seed ${name}`, layer(name).shape)]));
    const [[from, dy], ...also] = [...seeds].reverse() as [[string, NonNullable<ReturnType<typeof seeds.get>>]];
    recordBackward(builder, recorded, from, dy, new Map([['x', builder.persistent('d x', x.shape)]]), 'gradient', undefined, { also: new Map(also), pass: 'down' });
    const plan = builder.build();
    expect([...plan.passes.keys()]).toEqual(['forward', 'down']);
    const write = Object.fromEntries(layers.map((name, n) => [`seed ${name}`, (shape: readonly number[]) => random(shape, n)]));
    const { tensors, written } = await runGuarded(engine(), plan, { x, ...write }, ['d x']);
    const wanted = layers.map((name) => numericGradient(parts[name]!, x, written.get(`seed ${name}`)!)).reduce((sum, own) => plus(sum, own));
    wanted.forEach((g, i) => expect(tensors.get('d x')!.data[i]).toBeCloseTo(g, 5));
  });

  test('one that the input does not reach is refused', () => {
    const made = stage(network({ x: [2, 3], z: [2, 3] }, [relus('a', 'x'), relus('b', 'z')]), { layers: ['a', 'b'], training: true, capabilities: engine().capabilities });
    const persistent = (name: string) => made.builder.persistent(name, [2, 3]);
    const record = () => recordBackward(made.builder, made.recorded, 'a.y', persistent('seed'), new Map([['x', persistent('d x')]]), 'gradient', undefined, { also: new Map([['b.y', persistent('seed b')]]) });
    expect(record).toThrow(expect.objectContaining({ code: 'no-gradient', address: { layer: 'b.y' } }));
  });
});

test('a chain of fifty layers: memory is shared and the gradient is right', async () => {
  const nodes = Array.from({ length: 50 }, (_, i) => {
    const input = i === 0 ? 'x' : `n${i - 1}.y`;
    if (i % 3 === 0) return relus(`n${i}`, input);
    if (i % 3 === 1) return node(`n${i}`, 'add', [input], {}, { addend: random([7], i, -0.1, 0.1) });
    return node(`n${i}`, 'max_pool', [input], { kernel: [1, 3], padding: [0, 1, 0, 1] });
  });
  const x = random([1, 2, 5, 7], 1);
  const plan = compile(network({ x: x.shape }, nodes), { layers: ['n49'], backward: { from: 'n49', rule: 'gradient' }, capabilities: engine().capabilities });
  expect(plan.buffers.length).toBeLessThan(new Set(plan.tensors.map(({ root }) => root)).size / 2);
  const write = { x, seed: (shape: readonly number[]) => random(shape, 3) };
  const shared = await runGuarded(engine(), plan, write, ['n49', 'd x'], { layout: 'planned' });
  const separate = await runGuarded(engine(), plan, write, ['n49', 'd x'], { layout: 'apart' });
  expect(shared.tensors.get('n49')!.data).toEqual(separate.tensors.get('n49')!.data);
  expect(shared.tensors.get('d x')!.data).toEqual(separate.tensors.get('d x')!.data);
  expect(shared.tensors.get('d x')!.data.some((g) => g !== 0)).toBe(true);
});
