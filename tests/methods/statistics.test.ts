/** Statistics of units over pictures, against plain float64 loops; planted dead and constant units; exact class means. */
import { describe, expect, test } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import type { Image } from '../../src/image/image.ts';
import type { PictureSet } from '../../src/methods/pictures.ts';
import { statistics, type LayerStatistics, type Statistics, type StatisticsOptions } from '../../src/methods/statistics.ts';
import { isRectified, surveyedLayers } from '../../src/methods/survey.ts';
import type { Network, Node, Preprocess, Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { filled } from '../ops/reference.ts';
import { network, node } from '../scheduler/networks.ts';
import { answersTo, noise, pictureSet, plainNetwork, WAY } from './plain_network.ts';

const engine = useEngine();

/** One channel's bias (and, with `mute`, its weights) set. */
function planted(layer: Node, name: string, channel: number, value: number, mute = false): Node {
  if (layer.name !== name) return layer;
  const { weight, bias } = layer.weights as { weight: Tensor; bias: Tensor };
  const each = weight.data.length / bias.data.length;
  return {
    ...layer,
    weights: {
      weight: mute ? { ...weight, data: weight.data.map((w, i) => (Math.floor(i / each) === channel ? 0 : w)) } : weight,
      bias: { ...bias, data: bias.data.map((b, c) => (c === channel ? value : b)) },
    },
  };
}

/** conv1:2 is dead, conv2:1 always says 0.3, fc:4 is always below 0, which no ReLU cuts. */
const net = plainNetwork((layer) => planted(planted(planted(layer, 'conv1', 2, -1e6), 'conv2', 1, 0.3, true), 'fc', 4, -1000));
const images = Array.from({ length: 11 }, (_, n) => noise(n));
const LAYERS = ['conv1', 'relu1', 'pool1', 'conv2', 'relu2', 'fc'];

async function run(over: PictureSet, options: Partial<StatisticsOptions> = {}, of: Network = net): Promise<Statistics> {
  let result: Statistics | undefined;
  for await (const progress of statistics(engine(), of, over, { layers: LAYERS, preprocess: WAY, batch: 4, ...options })) {
    if (progress.done === progress.total) result = progress.result();
  }
  return result!;
}

const layerOf = ({ layers }: Statistics, name: string): LayerStatistics => layers.find(({ layer }) => layer === name)!;

/** Every unit of a layer against loops over its float64 answers to all pictures. */
function expectStatistics(found: LayerStatistics, over: readonly Image[]): void {
  const answers = over.map((image) => answersTo(net, image).get(found.layer)!);
  const [, channels] = answers[0]!.shape as [number, number];
  expect(found.units).toHaveLength(channels);
  found.units.forEach((unit, c) => {
    const maps = answers.map(({ data }) => Array.from(data.subarray((c * data.length) / channels, ((c + 1) * data.length) / channels)));
    const all = maps.flat();
    const mean = all.reduce((sum, v) => sum + v, 0) / all.length;
    const most = all.reduce((size, v) => Math.max(size, Math.abs(v)), 2 ** -21);
    const near = (got: number, wanted: number): void => expect(Math.abs(got - wanted), `${found.layer}:${c} ${got} ${wanted}`).toBeLessThanOrEqual(1e-5 * Math.max(1, most));
    near(unit.mean, mean);
    near(unit.std, Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length));
    near(unit.min, Math.min(...all));
    near(unit.max, Math.max(...all));
    expect(unit.zeros).toBe(all.filter((v) => v === 0).length / all.length);
    expect(unit.silent).toBe(maps.filter((map) => Math.max(...map) <= 0).length / maps.length);
    expect(unit.notFinite).toBe(0);
    const { exponent, signed, counts } = unit.histogram;
    expect(signed).toBe(Math.min(...all) < 0);
    expect([most < 2 ** exponent, most >= 2 ** (exponent - 1)]).toEqual([true, true]);
    const wanted = counts.map(() => 0);
    for (const v of all) wanted[signed ? 32 + Math.floor((32 * v) / 2 ** exponent) : Math.floor((64 * v) / 2 ** exponent)]!++;
    // A value beside an edge may fall to its other side in float32.
    expect(counts.reduce((sum, count, bin) => sum + Math.abs(count - wanted[bin]!), 0)).toBeLessThanOrEqual(2);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all.length);
  });
}

describe('over pictures', () => {
  test('everything is what plain loops say, in several layers at once', async () => {
    const result = await run(pictureSet(images));
    expect(result.pictures).toBe(11);
    for (const layer of LAYERS) expectStatistics(layerOf(result, layer), images);
  });

  test('planted units are found: dead, constant, and below 0 without being dead', async () => {
    const result = await run(pictureSet(images));
    const facts = (name: string) => (({ dead, nearlyDead, constant }) => ({ dead, nearlyDead, constant }))(layerOf(result, name));
    for (const name of ['conv1', 'relu1', 'pool1']) expect(facts(name).dead, name).toEqual([2]);
    expect(facts('relu1').constant).toEqual([2]);
    expect(facts('conv2')).toEqual({ dead: [], nearlyDead: [], constant: [1] });
    expect(facts('fc')).toEqual({ dead: [], nearlyDead: [], constant: [] });
    expect(layerOf(result, 'fc').units[4]!.silent).toBe(1);
    expect(layerOf(result, 'conv2').classMeans).toBeUndefined();
  });

  test('a unit that one picture in a hundred wakes is nearly dead', async () => {
    const wakes = network({ x: [1, 1, 2, 2] }, [
      node('y', 'conv2d', ['x'], {}, { weight: filled([3, 1, 1, 1], () => 1), bias: { shape: [3], data: Float32Array.of(-254.5, -300, 0) } }),
      node('relu', 'relu', ['y.y']),
    ]);
    const way: Preprocess = { channels: 'gray', range: 255, mean: [0], std: [1], fit: 'stretch' };
    const grey = Array.from({ length: 100 }, (_, n): Image => ({ width: 2, height: 2, data: new Uint8ClampedArray(16).fill(255).map((v, i) => (i % 4 === 3 || n === 41 ? v : 7 + i)) }));
    const { layers } = await run(pictureSet(grey), { layers: ['y', 'relu'], preprocess: way, batch: 32 }, wakes);
    expect(layers.map(({ dead, nearlyDead }) => [dead, nearlyDead])).toEqual([[[1], [0]], [[1], [0]]]);
  });

  test('the batch changes nothing but roundings, and equal runs give equal numbers', async () => {
    const [once, again, other] = [await run(pictureSet(images)), await run(pictureSet(images)), await run(pictureSet(images), { batch: 11 })];
    expect(again).toEqual(once);
    for (const [n, { units }] of other.layers.entries()) units.forEach(({ std }, c) => expect(std).toBeCloseTo(once.layers[n]!.units[c]!.std, 4));
  });

  test('broken pictures are left out, and a stop is one', async () => {
    const fault = new UnitscopeError('image-decode', 'no picture');
    const { pictures, labels } = pictureSet(images);
    const holes = { labels, pictures: pictures.map((picture, n) => (n >= 9 || n === 3 ? { ...picture, read: () => Promise.reject(fault) } : picture)) };
    const told: number[] = [];
    const result = await run(holes, { layers: ['conv2'], broken: (_, __, index) => told.push(index) });
    expect([result.pictures, told]).toEqual([8, [3, 9, 10]]);
    expectStatistics(result.layers[0]!, images.filter((_, n) => n < 9 && n !== 3));
    const stop = new AbortController();
    stop.abort();
    await expect(run(pictureSet(images), { signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
  });
});

test('class means are exact, by the largest value and by the mean; a class without pictures has none', async () => {
  // Channels: red, green, minus blue; pixels as they are.
  const weight = { shape: [3, 3, 1, 1], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, -1) };
  const copy = network({ x: [1, 3, 12, 10] }, [node('copy', 'conv2d', ['x'], {}, { weight, bias: filled([3], () => 0) })]);
  const way: Preprocess = { channels: 'RGB', range: 255, mean: [0, 0, 0], std: [1, 1, 1], fit: 'stretch' };
  const labels = ['a', 'b', 'c', 'none'];
  const { pictures } = pictureSet(images, ['a', 'b', 'c']);
  const planes = images.map(({ data }) => [0, 1, 2].map((c) => Array.from({ length: 120 }, (_, i) => (c === 2 ? -1 : 1) * data[4 * i + c]!)));
  for (const [measure, value] of [['max', (map: number[]) => Math.max(...map)], ['mean', (map: number[]) => map.reduce((sum, v) => sum + v, 0) / 120]] as const) {
    const result = await run({ labels, pictures }, { layers: ['copy'], preprocess: way, classes: measure }, copy);
    expect(result.classCounts).toEqual([4, 4, 3, 0]);
    const { shape, data } = result.layers[0]!.classMeans!;
    expect(shape).toEqual([3, 4]);
    data.forEach((mean, i) => {
      const [c, label] = [Math.floor(i / 4), i % 4];
      const own = planes.filter((_, n) => n % 3 === label).map((maps) => value(maps[c]!));
      const wanted = own.reduce((sum, v) => sum + v, 0) / own.length;
      if (label === 3) expect(mean).toBeNaN();
      else if (measure === 'max') expect(mean).toBe(Math.fround(wanted));
      else expect(mean).toBeCloseTo(wanted, 4);
    });
  }
});

test('numbers that are not finite are counted, and left out of everything else', async () => {
  const copy = network({ x: [1, 1, 2, 2] }, [node('copy', 'conv2d', ['x'], {}, { weight: { shape: [2, 1, 1, 1], data: Float32Array.of(1, 3e38) }, bias: filled([2], () => 0) })]);
  const way: Preprocess = { channels: 'gray', range: 255, mean: [0], std: [1], fit: 'stretch' };
  const image: Image = { width: 2, height: 2, data: Uint8ClampedArray.of(0, 0, 0, 255, 1, 1, 1, 255, 2, 2, 2, 255, 3, 3, 3, 255) };
  const { layers } = await run(pictureSet([image]), { layers: ['copy'], preprocess: way }, copy);
  const [plain, large] = layers[0]!.units;
  expect(plain).toMatchObject({ notFinite: 0, min: 0, max: 3, mean: 1.5, zeros: 0.25 });
  expect(large).toMatchObject({ notFinite: 2, min: 0, max: Math.fround(3e38), zeros: 0.5 });
  expect(layers[0]!.dead).toEqual([]);
});

test('layers are named once, in the order of the network; `all` is every convolution and dense layer', () => {
  expect(surveyedLayers(net, ['fc', 'conv1.y', 'conv1'])).toEqual(['conv1', 'fc']);
  expect(surveyedLayers(net, ['relu2', 'all'])).toEqual(['conv1', 'conv2', 'relu2', 'fc']);
  expect(() => surveyedLayers(net, [])).toThrow(/no layer is given/);
  expect(() => surveyedLayers(net, ['convv1'])).toThrow(/no layer/);
  expect(LAYERS.map((layer) => isRectified(net, layer))).toEqual([true, true, false, true, true, false]);
});
