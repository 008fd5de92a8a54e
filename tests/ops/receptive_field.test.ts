/** Receptive fields: against what a change of every single pixel changes, and against values that are known. */
import { describe, expect, test } from 'vitest';
import { feed } from '../../src/methods/activations.ts';
import type { Attributes, Network, Node, Shape, Tensor } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { OPS } from '../../src/ops/index.ts';
import { reachOf } from '../../src/ops/reach.ts';
import { receptiveFields, RULES, views, type ReceptiveField } from '../../src/ops/receptive_field.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';

const engine = useEngine();

/** Positive numbers, so that nothing cancels. */
function weight(...shape: number[]): Tensor {
  return { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 1 + 0.4 * Math.sin(3 * i + shape[0]!)) };
}

/** A layer that makes the tensor of its name; one input is enough for most. */
function at(name: string, op: string, inputs: string | string[], attributes: Attributes = {}, weights: Record<string, Tensor> = {}): Node {
  return { name, output: name, op, inputs: [inputs].flat(), attributes, weights };
}

const conv = (name: string, input: string, kernel: [number, number], { stride = [1, 1], pad = [0, 0], dilation = [1, 1], channels = [1, 1] } = {}): Node =>
  at(name, 'conv2d', input, { stride, padding: [...pad, ...pad], dilation }, { weight: weight(channels[1]!, channels[0]!, ...kernel) });
const deconv = (name: string, input: string, kernel: [number, number], stride: number[], padding: number[], dilation = [1, 1]): Node =>
  at(name, 'conv_transpose2d', input, { stride, padding, dilation }, { weight: weight(1, 1, ...kernel) });

function network(nodes: readonly Node[], shape: Shape = [1, 1, 13, 11]): Network {
  return { name: 'n', inputs: [{ name: 'x', shape }], nodes, outputs: [nodes.at(-1)!.output] };
}

test('every op has its rule', () => {
  expect([...OPS.keys()].filter((op) => !(op in RULES))).toEqual([]);
});

type Span = readonly [number, number];

interface Unit {
  /** Of its tensor, batch first. */
  readonly unit: readonly number[];
  /** First and last row, first and last column, of the pixels whose change moves it. */
  readonly seen: readonly [Span, Span] | undefined;
}

/** Every unit of every layer: each image of one batch has another pixel changed. */
async function changed(net: Network): Promise<Map<string, Unit[]>> {
  const [, , height, width] = net.inputs[0]!.shape as [number, number, number, number];
  const pixels = height * width;
  const x = Float32Array.from({ length: (pixels + 1) * pixels }, (_, i) => 1 + 0.1 * Math.sin(i % pixels) + (i % pixels === Math.floor(i / pixels) - 1 ? 1e5 : 0));
  const layers = net.nodes.map(({ name }) => name);
  const runner = await Runner.create(engine(), compile(net, { layers, batch: pixels + 1, fuse: false, capabilities: engine().capabilities }));
  feed(runner, net, { shape: [pixels + 1, 1, height, width], data: x });
  runner.run(['forward']);
  const found = new Map<string, Unit[]>();
  for (const layer of layers) {
    const { shape, data } = await runner.read(layer);
    const count = data.length / (pixels + 1);
    const index = (u: number): number[] => shape.map((size, axis) => Math.floor(u / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size);
    found.set(layer, Array.from({ length: count }, (_, u) => {
      const moved = Array.from({ length: pixels }, (_, p) => p).filter((p) => data[(p + 1) * count + u] !== data[u]);
      const span = (values: number[]): Span => [Math.min(...values), Math.max(...values)];
      return { unit: index(u), seen: moved.length === 0 ? undefined : [span(moved.map((p) => Math.floor(p / width))), span(moved.map((p) => p % width))] };
    }));
  }
  runner.dispose();
  return found;
}

/** Channels of one place are one unit: a field is theirs together. */
function merged(units: readonly Unit[], along: readonly (number | undefined)[]): Unit[] {
  const places = new Map<string, Unit>();
  for (const { unit, seen } of units) {
    const place = unit.map((index, axis) => (axis === 1 && !along.includes(1) ? 0 : index));
    const other = places.get(String(place))?.seen;
    const both = seen && other ? ([0, 1].map((axis) => [Math.min(seen[axis]![0], other[axis]![0]), Math.max(seen[axis]![1], other[axis]![1])]) as unknown as [Span, Span]) : (seen ?? other);
    places.set(String(place), { unit: place, seen: both });
  }
  return [...places.values()];
}

const isInside = (spans: readonly Span[], net: Network): boolean => spans.every(([first, last], axis) => first >= 0 && last < net.inputs[0]!.shape[2 + axis]! && first <= last);
const covers = (outer: readonly Span[], inner: readonly Span[]): boolean => outer.every(([first, last], axis) => first <= inner[axis]![0] && last >= inner[axis]![1]);

const pool = (name: string, op: string, input: string, kernel: number[], stride: number[], pad = [0, 0], ceil = false): Node =>
  at(name, op, input, { kernel, stride, padding: [...pad, ...pad], ceil });
const resize = (name: string, input: string, mode: string, size: number[], coordinates: string, rounding = 'floor'): Node => at(name, 'resize', input, { mode, size, scale: [0, 0], coordinates, rounding });

describe('every unit sees what a change of single pixels shows', () => {
  test.each<[string, Node[], Shape?]>([
    ['windows in a row', [
      conv('c1', 'x', [3, 4], { stride: [2, 1], pad: [1, 2] }), at('r', 'relu', 'c1'), pool('p1', 'max_pool', 'r', [3, 2], [2, 3], [1, 0], true),
      conv('c2', 'p1', [2, 2], { dilation: [2, 1], pad: [1, 1] }), pool('p2', 'average_pool', 'c2', [2, 2], [1, 2], [0, 1]), pool('p3', 'lp_pool', 'p2', [2, 1], [2, 1]),
    ], [1, 1, 24, 17]],
    ['transposed, with a way around', [
      conv('down', 'x', [3, 3], { stride: [2, 2], pad: [1, 1] }), conv('deep', 'down', [3, 3], { stride: [2, 2], pad: [1, 1] }), deconv('up1', 'deep', [4, 3], [2, 2], [1, 1, 2, 1]),
      at('cut', 'slice', 'down', { start: [0, 0, 0, 0], size: [0, 0, 11, 9], step: [1, 1, 1, 1] }), at('skip', 'concat', ['up1', 'cut'], { axis: 1 }),
      conv('mix', 'skip', [3, 3], { pad: [1, 1], channels: [2, 1] }), deconv('up2', 'mix', [2, 5], [2, 2], [0, 2, 1, 1]),
    ], [1, 1, 21, 19]],
    ['transposed with gaps and dilation', [deconv('gaps', 'x', [2, 4], [3, 3], [0, 0, 0, 0], [1, 2]), conv('c', 'gaps', [2, 2], { stride: [2, 1] }), deconv('d', 'c', [3, 3], [2, 3], [1, 1, 1, 1], [3, 2])]],
    ['cut, padded, turned round', [
      at('p', 'pad', 'x', { before: [0, 0, 1, -1], after: [0, 0, 0, 2] }), conv('c', 'p', [2, 2], { stride: [1, 2] }), at('s', 'slice', 'c', { start: [0, 0, 1, 5], size: [0, 0, 6, 3], step: [1, 1, 2, -2] }), conv('d', 's', [2, 2]),
    ]],
    ['resized', [
      resize('n', 'x', 'nearest', [26, 22], 'asymmetric'), conv('c', 'n', [3, 3], { pad: [1, 1] }), resize('l', 'c', 'linear', [13, 33], 'half_pixel'),
      resize('a', 'l', 'linear', [25, 17], 'align_corners'), resize('m', 'a', 'nearest', [10, 34], 'half_pixel', 'round_prefer_ceil'), conv('d', 'm', [2, 2]),
    ]],
    ['one for all: pools, dense, a softmax over a column', [
      conv('c', 'x', [3, 3], { stride: [3, 2], channels: [1, 2] }), pool('p', 'max_pool', 'c', [2, 2], [1, 1]), at('g', 'global_average_pool', 'p'), at('m', 'global_max_pool', 'c'), at('se', 'multiply', ['c', 'm']),
      at('rows', 'reduce_sum', 'c', { axes: [3], keep: false }), at('column', 'reduce_mean', 'c', { axes: [2], keep: true }), at('sum', 'add', ['c', 'column']),
      at('turned', 'transpose', 'c', { order: [0, 3, 2, 1] }), at('up', 'transpose', 'turned', { order: [0, 3, 2, 1] }), at('same', 'add', ['up', 'c']),
      at('split', 'reshape', 'c', { shape: [0, 2, 1, 4, 5] }), at('shuffled', 'transpose', 'split', { order: [0, 2, 1, 3, 4] }), at('merged', 'reshape', 'shuffled', { shape: [0, 2, 4, 5] }),
      at('flat', 'flatten', 'p', { axis: 1 }), at('fc', 'dense', 'flat', {}, { weight: weight(3, 24) }), at('lines', 'reshape', 'c', { shape: [0, 8, 5] }), at('norm', 'lrn_within', 'c', { size: 3, alpha: 1 }),
    ]],
  ])('%s', async (_, nodes, shape) => {
    const net = network(nodes, shape);
    const compared = new Map<string, number>();
    const seen = views(net, shapesOf(net), net.inputs[0]!);
    for (const [layer, every] of await changed(net)) {
      const view = seen.get(layer)!;
      if (typeof view === 'string') throw new Error(view);
      const stated = (unit: readonly number[]) => view.map(({ reach, along }) => reachOf(reach, along === undefined ? 0 : unit[along]!)) as [Span, Span];
      const units = merged(every, view.map(({ along }) => along));
      const exact = units.filter(({ unit }) => isInside(stated(unit), net));
      expect({ layer, units: exact }).toEqual({ layer, units: exact.map(({ unit }) => ({ unit, seen: stated(unit) })) });
      // Near the border zeros stand in for what lies outside: less is seen, never more.
      expect({ layer, units: units.filter(({ unit, seen: found }) => found && !covers(stated(unit), found)) }).toEqual({ layer, units: [] });
      compared.set(layer, exact.length);
    }
    expect([...compared].filter(([, count]) => count === 0)).toEqual([]);
  });
});

/** One channel, as the field depends on none. */
const fieldsOf = (nodes: Node[], shape: Shape): Map<string, ReceptiveField> =>
  new Map([...receptiveFields(network(nodes, shape))].map(([layer, inputs]) => [layer, inputs.get('x') as ReceptiveField]));
const square = (size: number, stride: number, offset: number): ReceptiveField => ({ size: [size, size], stride: [stride, stride], offset: [offset, offset] });

describe('known values', () => {
  test('AlexNet: 11, 19, 51, 67, 99, 131, 163, 195', () => {
    const fields = fieldsOf(
      [
        conv('conv1', 'x', [11, 11], { stride: [4, 4] }), pool('pool1', 'max_pool', 'conv1', [3, 3], [2, 2], [0, 0], true), conv('conv2', 'pool1', [5, 5], { pad: [2, 2] }), pool('pool2', 'max_pool', 'conv2', [3, 3], [2, 2], [0, 0], true),
        conv('conv3', 'pool2', [3, 3], { pad: [1, 1] }), conv('conv4', 'conv3', [3, 3], { pad: [1, 1] }), conv('conv5', 'conv4', [3, 3], { pad: [1, 1] }), pool('pool5', 'max_pool', 'conv5', [3, 3], [2, 2], [0, 0], true),
        at('flat', 'flatten', 'pool5'), at('fc6', 'dense', 'flat', {}, { weight: weight(2, 36) }),
      ],
      [1, 1, 227, 227],
    );
    expect([...fields.values()].map(({ size }) => size[0])).toEqual([11, 19, 51, 67, 99, 131, 163, 195, 227, 227]);
    expect(fields.get('conv5')).toEqual(square(163, 16, 17));
    expect(fields.get('pool5')).toEqual(square(195, 32, 33));
    expect(fields.get('fc6')).toEqual(square(227, 0, 113));
  });

  test('VGG16: conv5_3 196, pool5 212', () => {
    const nodes: Node[] = [];
    [2, 2, 3, 3, 3].forEach((depth, block) => {
      for (let i = 1; i <= depth; i++) nodes.push(conv(`conv${block + 1}_${i}`, nodes.at(-1)?.name ?? 'x', [3, 3], { pad: [1, 1] }));
      nodes.push(pool(`pool${block + 1}`, 'max_pool', nodes.at(-1)!.name, [2, 2], [2, 2]));
    });
    const fields = fieldsOf(nodes, [1, 1, 224, 224]);
    expect(fields.get('conv5_3')).toEqual(square(196, 16, 7.5));
    expect(fields.get('pool5')).toEqual(square(212, 32, 15.5));
  });

  test('ResNet-18: 99, 211, 435 at strides 8, 16, 32', () => {
    const nodes = [conv('conv1', 'x', [7, 7], { stride: [2, 2], pad: [3, 3] }), pool('pool1', 'max_pool', 'conv1', [3, 3], [2, 2], [1, 1])];
    let last = 'pool1';
    for (let block = 0; block < 8; block++) {
      const stride = block > 0 && block % 2 === 0 ? [2, 2] : [1, 1];
      nodes.push(conv(`a${block}`, last, [3, 3], { stride, pad: [1, 1] }), conv(`b${block}`, `a${block}`, [3, 3], { pad: [1, 1] }));
      if (stride[0] === 2) nodes.push(conv(`s${block}`, last, [1, 1], { stride }));
      nodes.push(at(`y${block}`, 'add', [`b${block}`, stride[0] === 2 ? `s${block}` : last]));
      last = `y${block}`;
    }
    const fields = fieldsOf(nodes, [1, 1, 224, 224]);
    expect(['y1', 'y3', 'y5', 'y7'].map((y) => fields.get(y))).toEqual([square(43, 4, 0), square(99, 8, 0), square(211, 16, 0), square(435, 32, 0)]);
    expect(fields.get('s2')).toEqual(square(43, 8, 0));
  });

  test('GoogLeNet: the widest branch counts', () => {
    const nodes = [
      conv('conv1', 'x', [7, 7], { stride: [2, 2], pad: [3, 3] }), pool('pool1', 'max_pool', 'conv1', [3, 3], [2, 2], [0, 0], true),
      conv('conv2', 'pool1', [3, 3], { pad: [1, 1] }), pool('pool2', 'max_pool', 'conv2', [3, 3], [2, 2], [0, 0], true),
    ];
    let last = 'pool2';
    for (const id of ['3a', '3b', '4a', '4b', '4c', '4d', '4e', '5a', '5b']) {
      nodes.push(conv(`${id}/1`, last, [1, 1]), conv(`${id}/3`, last, [3, 3], { pad: [1, 1] }), conv(`${id}/5`, last, [5, 5], { pad: [2, 2] }), pool(`${id}/pool`, 'max_pool', last, [3, 3], [1, 1], [1, 1]));
      nodes.push(at(id, 'concat', [`${id}/1`, `${id}/3`, `${id}/5`, `${id}/pool`]), conv(`${id}/one`, id, [1, 1], { channels: [4, 1] }));
      last = `${id}/one`;
      if (id === '3b' || id === '4e') nodes.push(pool((last = `${id}/max`), 'max_pool', `${id}/one`, [3, 3], [2, 2], [0, 0], true));
    }
    nodes.push(pool('pool5', 'average_pool', last, [7, 7], [1, 1]));
    const fields = fieldsOf(nodes, [1, 1, 224, 224]);
    expect(['3a', '3b', '4a', '4e', '5a', '5b', 'pool5'].map((id) => fields.get(id)!.size[0])).toEqual([59, 91, 171, 427, 587, 715, 907]);
    expect(fields.get('4a')!.stride).toEqual([16, 16]);
  });

  test('an image twice as large: half a pixel from unit to unit', () => {
    expect(fieldsOf([deconv('up', 'x', [4, 4], [2, 2], [1, 1, 1, 1])], [1, 1, 8, 8]).get('up')).toEqual(square(2, 0.5, -0.25));
    expect(fieldsOf([resize('up', 'x', 'nearest', [16, 24], 'asymmetric')], [1, 1, 8, 8]).get('up')).toEqual({ size: [1, 1], stride: [1 / 2, 1 / 3], offset: [-0.25, -1 / 3] });
  });
});

describe('what has none', () => {
  test.each<[string, Node[], RegExp]>([
    ['maps side by side', [at('a', 'concat', ['x', 'x'], { axis: 3 }), at('b', 'relu', 'a')], /'a' joins maps side by side/],
    ['fields that move apart', [conv('a', 'x', [2, 2], { stride: [2, 2] }), at('s', 'slice', 'x', { start: [0, 0, 0, 0], size: [0, 0, 4, 4], step: [1, 1, 1, 1] }), at('b', 'add', ['a', 's'])], /units of 'b' see fields that move apart/],
    ['an image as channels', [at('t', 'transpose', 'x', { order: [0, 2, 1, 3] }), conv('b', 't', [1, 1], { channels: [8, 1] })], /'b' takes an axis of the image for its channels/],
    ['a stride that repeats too late', [deconv('a', 'x', [1, 1], [1, 2000], [0, 0, 0, 0]), at('b', 'relu', 'a')], /the strides up to 'a' repeat too late/],
  ])('%s', (_, nodes, reason) => {
    expect(receptiveFields(network(nodes, [1, 1, 8, 8])).get('b')!.get('x')).toEqual({ reason: expect.stringMatching(reason) });
  });

  test('each image of several has its own; a vector has none', () => {
    const net: Network = {
      name: 'n',
      inputs: [{ name: 'x', shape: [1, 1, 8, 8] }, { name: 'z', shape: [1, 1, 8, 6] }, { name: 'v', shape: [1, 8] }],
      nodes: [conv('a', 'x', [3, 3]), at('g', 'global_average_pool', 'z'), at('b', 'add', ['a', 'g']), at('r', 'relu', 'v')],
      outputs: ['b', 'r'],
    };
    const fields = receptiveFields(net);
    expect(fields.get('b')).toEqual(new Map([['x', square(3, 1, 1)], ['z', { size: [8, 6], stride: [0, 0], offset: [3.5, 2.5] }]]));
    expect(fields.get('r')).toEqual(new Map());
  });
});
