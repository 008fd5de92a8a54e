/** The best patches of units: against plain loops over all pictures, on an edge bank, and what is cut from the pictures. */
import { describe, expect, test } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { createImage, type Image } from '../../src/image/image.ts';
import { preprocess } from '../../src/image/preprocess.ts';
import { gradient } from '../../src/methods/gradient.ts';
import { cropTensor, patches, type Patch, type PatchOptions } from '../../src/methods/patches.ts';
import type { PictureSet } from '../../src/methods/pictures.ts';
import { topPatches, winnersOf, type TopOptions, type TopState, type Winner } from '../../src/methods/top_patches.ts';
import { unitFields, type Rectangle } from '../../src/methods/unit_field.ts';
import type { Network, Preprocess, Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { filled } from '../ops/reference.ts';
import { network, node } from '../scheduler/networks.ts';
import { answersTo, INPUT, noise, pictureSet, plainNetwork, WAY } from './plain_network.ts';

const engine = useEngine();
const net = plainNetwork();
const images = Array.from({ length: 11 }, (_, n) => noise(n));
images[7] = images[2]!; // equal values in two pictures
const set = pictureSet(images);
const LAYERS = ['conv1', 'relu2', 'fc'];

async function run(over: PictureSet, options: Partial<TopOptions> = {}, of: Network = net): Promise<TopState> {
  let state: TopState | undefined;
  for await (const progress of topPatches(engine(), of, over, { layers: LAYERS, preprocess: WAY, count: 3, batch: 4, ...options })) {
    if (progress.done === progress.total || options.signal?.aborted) state = await progress.state();
  }
  return state!;
}

/** The winners of every channel by sorting all maxima. */
function twin(layer: string, pictures: readonly number[], K: number): Winner[][] {
  const answers = new Map(pictures.map((picture) => [picture, answersTo(net, images[picture]!).get(layer)!]));
  const [, channels, , width = 1] = answers.values().next().value!.shape as [number, number, number?, number?];
  return Array.from({ length: channels }, (_, c) =>
    [...answers]
      .map(([picture, { data }]): Winner => {
        const plane = data.length / channels;
        const map = data.subarray(c * plane, (c + 1) * plane);
        const place = map.reduce((best, value, i) => (value > map[best]! ? i : best), 0);
        return { value: map[place]!, picture, y: Math.floor(place / width), x: place % width };
      })
      .sort((a, b) => b.value - a.value || a.picture - b.picture)
      .slice(0, K),
  );
}

function expectWinners(state: TopState, layer: string, pictures: readonly number[], K: number): void {
  const found = winnersOf(net, layer, state.lists.get(layer)!);
  const wanted = twin(layer, pictures, K);
  const places = (all: readonly Winner[][]) => all.map((own) => own.map(({ picture, y, x }) => `${picture} @${y},${x}`));
  expect(places(found), layer).toEqual(places(wanted));
  found.forEach((own, c) => own.forEach(({ value }, k) => expect(value).toBeCloseTo(wanted[c]![k]!.value, 4)));
}

describe('one pass over the pictures', () => {
  const everything = images.map((_, n) => n);

  test('finds of several layers what plain loops find; equal values, a short batch', async () => {
    const state = await run(set);
    expect(state.next).toBe(11);
    for (const layer of LAYERS) expectWinners(state, layer, everything, 3);
    // Of the two equal pictures the earlier comes first, side by side with the other.
    const pairs = [...state.lists.keys()].flatMap((layer) => winnersOf(net, layer, state.lists.get(layer)!)).map((own) => own.map(({ picture }) => picture).join());
    expect(pairs.filter((text) => text.includes('2,7')).length).toBeGreaterThan(0);
    expect(pairs.filter((text) => text.includes('7,2'))).toEqual([]);
  });

  test('has shorter lists where there are fewer pictures than places', async () => {
    const state = await run(pictureSet(images.slice(0, 2)), { count: 5, layers: ['fc'] });
    expectWinners(state, 'fc', [0, 1], 5);
  });

  test('goes on where it was stopped, to the same lists', async () => {
    const stop = new AbortController();
    const slow = { ...set, pictures: set.pictures.map((picture, n) => ({ ...picture, read: () => (n === 5 && stop.abort(), picture.read()) })) };
    const half = await run(slow, { signal: stop.signal });
    expect(half.next).toBe(4);
    const seen: number[] = [];
    const rest = { ...set, pictures: set.pictures.map((picture, n) => ({ ...picture, read: () => (seen.push(n), picture.read()) })) };
    expect(await run(rest, { resume: half })).toEqual(await run(set));
    expect(seen).toEqual([4, 5, 6, 7, 8, 9, 10]);
    await expect(run(set, { resume: { next: 4, lists: new Map() } })).rejects.toMatchObject({ code: 'usage' });
  });

  test('leaves out pictures that cannot be read, also the last ones', async () => {
    const broken = [0, 5, 10];
    const fault = new UnitscopeError('image-decode', 'no picture');
    const holes = { ...set, pictures: set.pictures.map((picture, n) => (broken.includes(n) ? { ...picture, read: () => Promise.reject(fault) } : picture)) };
    const told: number[] = [];
    const state = await run(holes, { broken: (_, __, index) => told.push(index) });
    expect([state.next, told]).toEqual([11, broken]);
    for (const layer of LAYERS) expectWinners(state, layer, everything.filter((n) => !broken.includes(n)), 3);
    await expect(run(holes)).rejects.toBe(fault);
  });

  test('refuses what cannot be, and gives its memory back', async () => {
    await expect(run(set, { layers: [] })).rejects.toMatchObject({ code: 'usage' });
    await expect(run(set, { layers: ['conv3'] })).rejects.toMatchObject({ code: 'unknown-layer' });
    await expect(run(set, { count: 0 })).rejects.toMatchObject({ code: 'usage' });
    const { bytes } = engine().memory();
    await run(set, { layers: ['all'] });
    expect(engine().memory().bytes).toBe(bytes);
  });
});

test('the top pictures of a hand-made edge bank have the orientation of the edge', async () => {
  const turns = [0, 45, 90, 135].map((degrees) => (degrees * Math.PI) / 180);
  /** Waves across the direction `turn`, four pixels long. */
  const wave = (turn: number, phase: number, y: number, x: number): number => Math.sin((Math.PI / 2) * (x * Math.cos(turn) + y * Math.sin(turn)) + phase);
  const bank = filled([4, 1, 5, 5], (i) => wave(turns[Math.floor(i / 25)]!, 0, Math.floor((i % 25) / 5) - 2, (i % 5) - 2) / 25);
  const edges = network({ x: [1, 1, 16, 16] }, [node('edges', 'conv2d', ['x'], {}, { weight: bank, bias: filled([4], () => 0) })]);
  const way: Preprocess = { channels: 'gray', range: 1, mean: [0.5], std: [0.5], fit: 'stretch' };
  const gratings = Array.from({ length: 36 }, (_, n): Image => {
    const image = createImage(16, 16, [0, 0, 0]);
    for (let i = 0; i < image.data.length; i++) if (i % 4 < 3) image.data[i] = 128 + 100 * wave(turns[n % 4]!, n, Math.floor(i / 64), Math.floor(i / 4) % 16);
    return image;
  });
  const state = await run(pictureSet(gratings), { layers: ['edges'], preprocess: way, count: 9 }, edges);
  const winners = winnersOf(edges, 'edges', state.lists.get('edges')!);
  expect(winners.map((own) => own.map(({ picture }) => picture % 4))).toEqual([0, 1, 2, 3].map((turn) => new Array(9).fill(turn)));
});

describe('patches', () => {
  const units = [[0, 0, 0], [3, 2, 1], [5, 5, 4], [2, 1, 3], [4, 4, 0]].map(([channel, y, x]) => ({ layer: 'conv2', channel: channel!, y: y!, x: x! }));
  const requests = units.map((unit, n) => ({ unit, picture: [2, 2, 7, 1, 1][n]! }));
  const inputOf = (picture: number): Tensor => preprocess(images[picture]!, WAY, INPUT);

  async function cut(options: Partial<PatchOptions> = {}, over = set): Promise<Patch[]> {
    const found: Patch[] = [];
    for await (const patch of patches(engine(), net, over, { layer: 'conv2', requests, preprocess: WAY, rule: 'deconvnet', batch: 2, ...options })) found.push(patch);
    return found;
  }

  test('are what the unit saw: 8 pixels of conv2, every second one, none beyond dense layers', () => {
    const field = unitFields(net, 'conv2');
    for (const { channel, y, x } of units) expect(field({ channel, y, x })).toEqual({ top: 2 * y - 3, left: 2 * x - 3, height: 8, width: 8 });
    expect(unitFields(net, 'fc')({ channel: 6, y: 0, x: 0 })).toEqual({ top: 0, left: 0, height: 12, width: 10 });
    expect(unitFields(net, 'conv1')({ channel: 0, y: 11, x: 0 })).toEqual({ top: 10, left: -1, height: 3, width: 3 });
  });

  test('a field of more than twice the picture is the picture', () => {
    const wide = network({ x: [1, 1, 4, 9] }, [node('wide', 'conv2d', ['x'], { padding: [4, 4, 4, 4] }, { weight: filled([1, 1, 9, 9], () => 1) })]);
    expect(unitFields(wide, 'wide')({ channel: 0, y: 1, x: 2 })).toEqual({ top: 0, left: -2, height: 4, width: 9 });
  });

  test('are cut pixel by pixel, 0 outside of the picture', async () => {
    for (const { request, rectangle, x } of await cut({ rule: undefined })) {
      const { top, left, height, width }: Rectangle = rectangle;
      const source = inputOf(requests[request]!.picture);
      expect(x!.shape).toEqual([1, 3, height, width]);
      x!.data.forEach((value, i) => {
        const [c, y, column] = [Math.floor(i / (height * width)), top + (Math.floor(i / width) % height), left + (i % width)];
        const inside = y >= 0 && y < 12 && column >= 0 && column < 10;
        expect(value).toBe(inside ? source.data[(c * 12 + y) * 10 + column]! : 0);
      });
    }
  });

  test.each(['gradient', 'deconvnet', 'guided'] as const)('the %s picture of a unit is exactly zero outside of its patch', async (rule) => {
    const found = await cut({ rule });
    expect(found.map(({ request }) => request)).toEqual([0, 1, 2, 3, 4]);
    let alive = 0;
    for (const { request, rectangle, gradient: crop } of found) {
      const { unit, picture } = requests[request]!;
      const { gradient: whole } = await gradient(engine(), net, inputOf(picture), { units: [unit], rule });
      const { top, left, height, width } = rectangle;
      whole.data.forEach((value, i) => {
        const [y, x] = [Math.floor(i / 10) % 12, i % 10];
        if (y < top || y >= top + height || x < left || x >= left + width) expect(value).toBe(0);
      });
      expect(crop!.data).toEqual(cropTensor(whole, 0, rectangle).data);
      if (crop!.data.some((value) => value !== 0)) alive++;
    }
    expect(alive).toBeGreaterThan(2);
  });

  test('one picture is read once in a row; a broken one has no patch', async () => {
    const reads: number[] = [];
    const fault = new UnitscopeError('io', 'gone');
    const counting = { ...set, pictures: set.pictures.map((picture, n) => ({ ...picture, read: () => (reads.push(n), n === 7 ? Promise.reject(fault) : picture.read()) })) };
    const told: number[] = [];
    const found = await cut({ broken: (_, __, index) => told.push(index) }, counting);
    expect([reads, told]).toEqual([[2, 7, 1], [7]]);
    expect(found.map(({ x, gradient: dx }) => [x !== undefined, dx !== undefined])).toEqual([[true, true], [true, true], [false, false], [true, true], [true, true]]);
    await expect(cut({}, counting)).rejects.toBe(fault);
    expect(await cut({ requests: [] })).toEqual([]);
  });
});
