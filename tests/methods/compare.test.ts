/** Two tiny networks: every difference by hand, the same units under the same settings, one scale of colours. */
import { describe, expect, test } from 'vitest';
import { activations } from '../../src/methods/activations.ts';
import { commonUnit, compareMaps, comparePreferred, compareStructure, compareWeights, type Preferred, type PreferredOptions } from '../../src/methods/compare.ts';
import { Maximizer } from '../../src/methods/maximize.ts';
import { ascentSettings } from '../../src/methods/settings.ts';
import type { Network, Node, Preprocess } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { filled, random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const engine = useEngine();

const preprocess: Preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], fit: 'crop' };
const SHAPE = [1, 3, 8, 10];

const made = (name: string, nodes: readonly Node[]): Network => ({ ...network({ x: SHAPE }, nodes), name, preprocess });
const conv = convolution('conv', 'x', [4, 3, 3], 1);
const relu = node('relu', 'relu', ['conv.y']);
const pool = node('pool', 'max_pool', ['relu.y'], { kernel: [2, 2], stride: [2, 2] });
const scores = (outputs: number, from = 'pool.y', seed = 7): Node => node('scores', 'dense', [from], {}, { weight: random([outputs, 4 * 4 * 5], seed), bias: random([outputs], seed + 1) });

const a = made('first', [conv, relu, pool, scores(5), node('prob', 'softmax', ['scores.y'])]);

describe('structure', () => {
  test('a network and itself, its tensors under other names', () => {
    expect(compareStructure(a, a)).toEqual({ onlyA: [], onlyB: [], changed: [], same: 5 });
    const renamed = a.nodes.map((one) => ({ ...one, output: `${one.output}'`, inputs: one.inputs.map((input) => (input === 'x' ? input : `${input}'`)) }));
    expect(compareStructure(a, { ...a, nodes: renamed }).same).toBe(5);
  });

  test('layers of one alone, and layers that are built otherwise', () => {
    const b = made('second', [
      convolution('conv', 'x', [4, 3, 5], 1),
      node('relu', 'clip', ['conv.y'], { min: 0, max: 6 }),
      node('pool', 'max_pool', ['relu.y'], { kernel: [3, 3], stride: [2, 2], padding: [0, 0, 1, 1] }),
      node('drop', 'identity', ['pool.y']),
      scores(6, 'drop.y'),
    ]);
    const layer = (name: string, op: string, shape: readonly number[]) => ({ layer: name, op, shape });
    expect(compareStructure(a, b)).toEqual({
      onlyA: [layer('prob', 'softmax', [5])],
      onlyB: [layer('drop', 'identity', [4, 4, 5])],
      changed: [
        { layer: 'conv', what: ['attributes', 'weights'], a: layer('conv', 'conv2d', [4, 8, 10]), b: layer('conv', 'conv2d', [4, 8, 10]) },
        { layer: 'relu', what: ['op'], a: layer('relu', 'relu', [4, 8, 10]), b: layer('relu', 'clip', [4, 8, 10]) },
        { layer: 'pool', what: ['attributes'], a: layer('pool', 'max_pool', [4, 4, 5]), b: layer('pool', 'max_pool', [4, 4, 5]) },
        { layer: 'scores', what: ['shape', 'inputs', 'weights'], a: layer('scores', 'dense', [5]), b: layer('scores', 'dense', [6]) },
      ],
      same: 0,
    });
  });
});

test('weights: lengths and distances by hand; what has another shape, and what one alone has, are left out', () => {
  const dense = (name: string, weight: readonly number[], bias?: readonly number[]): Node =>
    node(name, 'dense', ['x'], {}, { weight: { shape: [1, weight.length], data: Float32Array.from(weight) }, ...(bias && { bias: { shape: [bias.length], data: Float32Array.from(bias) } }) });
  const [one, other] = [[dense('same', [3, 4], [1]), dense('moved', [3, 4]), dense('dead', [0, 0]), dense('grown', [1, 2]), dense('left', [1])],
    [dense('same', [3, 4], [1]), dense('moved', [3, 10]), dense('dead', [0, 2]), dense('grown', [1, 2, 3]), dense('right', [1])]].map((nodes) => ({ ...a, nodes }));
  expect(compareWeights(one, other)).toEqual([
    { layer: 'same', role: 'weight', shape: [1, 2], normA: 5, normB: 5, distance: 0, relative: 0 },
    { layer: 'same', role: 'bias', shape: [1], normA: 1, normB: 1, distance: 0, relative: 0 },
    { layer: 'moved', role: 'weight', shape: [1, 2], normA: 5, normB: Math.sqrt(109), distance: 6, relative: 1.2 },
    { layer: 'dead', role: 'weight', shape: [1, 2], normA: 0, normB: 2, distance: 2, relative: null },
  ]);
});

/** The same layers with weights that no input gets through. */
const dead = made('dead', [node('conv', 'conv2d', ['x'], conv.attributes, { weight: conv.weights['weight'], bias: filled([4], () => -1e6) }), relu, pool, scores(5)]);

describe('what the same units prefer', () => {
  const options: PreferredOptions = { units: ['scores:1', 'scores:4'], seeds: [0, 3], settings: ascentSettings({ policy: 'normalized', rate: 2, iterations: 5 }) };

  test('as a maximizer of each makes it, unit by unit and seed by seed; a silent one says so', async () => {
    const results: (readonly Preferred[])[] = [];
    const steps: string[] = [];
    for await (const { side, step, iterations, result } of comparePreferred(engine(), [{ network: a }, { network: dead }], options)) {
      if (result) results.push(result);
      else steps.push(`${side}: ${step} of ${iterations}`);
    }
    expect(steps).toEqual(['0: 1 of 5', '0: 2 of 5', '0: 3 of 5', '0: 4 of 5', '0: 5 of 5', '1: 1 of 5']);
    expect(results.map((side) => side.map(({ unit, seed, status }) => `${unit} ${seed} ${status}`))).toEqual([
      ['scores:1 0 running', 'scores:1 3 running', 'scores:4 0 running', 'scores:4 3 running'],
      ['scores:1 0 noGradient', 'scores:1 3 noGradient', 'scores:4 0 noGradient', 'scores:4 3 noGradient'],
    ]);
    const own = await Maximizer.create(engine(), a, { units: ['scores:4'], seeds: [3], settings: options.settings });
    try {
      let best = -Infinity;
      for await (const { images } of own.run()) best = Math.max(best, images[0].score);
      const [image] = await own.pictures();
      const found = results[0][3];
      expect(found.score).toBeCloseTo(best, 4);
      image.data.forEach((value, i) => expect(Math.abs(value - found.image.data[i])).toBeLessThanOrEqual(1));
    } finally {
      own.dispose();
    }
  });

  test('a unit that one of them lacks is refused before any work, naming the network', async () => {
    const narrow = made('narrow', [conv, relu, pool, scores(3)]);
    await expect(comparePreferred(engine(), [{ network: a }, { network: narrow }], options).next()).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/^in 'narrow': 'scores:4' lies outside/) as string });
    expect(() => commonUnit([{ network: a }, { network: narrow }], 'prob:1')).toThrow(/in 'narrow': the network has no layer/);
    expect(commonUnit([{ network: a }, { network: narrow }], 'scores:2').map(({ channel }) => channel)).toEqual([2, 2]);
  });

  test('it stops when asked to, and leaves nothing behind', async () => {
    const before = engine().memory();
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      for await (const { step } of comparePreferred(engine(), [{ network: a }, { network: a }], { ...options, settings: { ...options.settings, iterations: 10_000 }, signal: stop.signal })) if (step === 2) stop.abort();
    };
    await expect(run()).rejects.toMatchObject({ code: 'aborted' });
    expect(engine().memory()).toEqual(before);
  });
});

test('maps of both under one range: around zero where some value is negative, else from zero on', async () => {
  const [x, b] = [random(SHAPE, 2), made('other', [convolution('conv', 'x', [4, 3, 3], 50), relu, pool, scores(5)])];
  const sides = [{ network: a, x }, { network: b, x }];
  for (const layer of ['conv', 'relu']) {
    const compared = await compareMaps(engine(), sides, layer);
    const own = await Promise.all(sides.map(async (side) => (await activations(engine(), side.network, x, { layers: [layer] })).get(layer)!.data));
    compared.tensors.forEach(({ data }, side) => expect(data).toEqual(own[side]));
    const most = Math.max(...own.flatMap((data) => [...data].map(Math.abs)));
    expect([compared.map, ...compared.range]).toEqual(layer === 'conv' ? ['diverging', -most, most] : ['ember', 0, most]);
  }
  await expect(compareMaps(engine(), sides, 'conv9')).rejects.toMatchObject({ code: 'unknown-layer', message: expect.stringMatching(/in 'first'/) as string });
});
