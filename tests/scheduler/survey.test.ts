/** What is measured of a layer over pictures, against plain loops: lists of the best, sums, histograms; and bugs planted in the kernels. */
import { describe, expect, test } from 'vitest';
import { BINS, HISTOGRAM, LEAST } from '../../shaders/channel_histogram.wgsl.ts';
import { MOMENT } from '../../shaders/channel_moments.wgsl.ts';
import { keyValue } from '../../shaders/order_key.wgsl.ts';
import { momentsAround } from '../../src/analysis/moments.ts';
import type { Tensor } from '../../src/network/network.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { histogramsShape, momentsShape, recordMoments, recordTop, topShape } from '../../src/scheduler/survey.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { count, filled, random } from '../ops/reference.ts';
import { expectCaught, type Mutate } from './planted.ts';

const engine = useEngine();

type Shape = readonly [number, number, ...number[]];

const words = ({ data }: Tensor): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length);
/** u32 words as they travel. */
const carried = (data: Uint32Array, shape: readonly number[] = [data.length]): Tensor => ({ shape, data: new Float32Array(data.buffer, data.byteOffset, data.length) });

/**
 * Few different values of both signs, so that there are ties; now and then what is no number, or no finite one. Some channels
 * of some images have nothing above 0.
 */
function values(shape: Shape, seed: number): Tensor {
  const noise = random(shape, seed, -3, 1);
  const plane = count(shape.slice(2));
  const strange = [NaN, -0, -Infinity, 0, NaN, -0];
  const lower = (row: number): number => (row * 7 + seed * 3) % 5;
  return filled(shape, (i) => (i % 13 === 7 ? strange[Math.floor(i / 13) % 6]! : seed === 1 && i === 50 ? Infinity : Math.round(noise.data[i]! * 2) / 2 - lower(Math.floor(i / plane))));
}

/** A channel that holds nothing but what is no number, in every second image. */
function blank(y: Tensor): Tensor {
  const [, channels, ...rest] = y.shape as Shape;
  const plane = count(rest);
  y.data.forEach((_, i) => {
    const row = Math.floor(i / plane);
    if (row % channels === 0 && Math.floor(row / channels) % 2 === 0) y.data[i] = NaN;
  });
  return y;
}

describe('the best pictures of every channel', () => {
  interface Entry {
    readonly value: number;
    readonly picture: number;
    readonly place: number;
  }

  /** All maxima that there are, sorted. */
  function twin(batches: readonly { y: Tensor; pictures: readonly number[] }[], K: number): Entry[][] {
    const [, channels, ...rest] = batches[0]!.y.shape as Shape;
    const plane = count(rest);
    return Array.from({ length: channels }, (_, c) => {
      const entries = batches.flatMap(({ y, pictures }) =>
        pictures.flatMap((picture, n): Entry[] => {
          let best: Entry | undefined;
          for (let place = 0; place < plane; place++) {
            const value = y.data[(n * channels + c) * plane + place]! + 0;
            if (!Number.isNaN(value) && (!best || value > best.value)) best = { value, picture, place };
          }
          return best ? [best] : [];
        }),
      );
      return entries.sort((a, b) => (a.value === b.value ? a.picture - b.picture : a.value > b.value ? -1 : 1)).slice(0, K);
    });
  }

  async function check(shape: Shape, K: number, used: readonly number[], mutate?: Mutate): Promise<string[]> {
    const builder = new PlanBuilder('survey', shape[0], engine().capabilities);
    const y = builder.persistent('y', shape);
    const pictures = builder.persistent('pictures', [1 + shape[0]], 'u32');
    const lists = builder.persistent('lists', topShape(y, K), 'u32');
    recordTop(builder.recorder('survey', 'layer', 'top'), y, pictures, lists);
    const plan = builder.build();
    let next = 3;
    const batches = used.map((size, n) => ({ y: blank(values(shape, n)), pictures: Array.from({ length: size }, () => (next += 2)) }));
    let found = carried(new Uint32Array(count(lists.shape)));
    for (const batch of batches) {
      const told = new Uint32Array(1 + shape[0]).fill(99);
      told.set([batch.pictures.length, ...batch.pictures]);
      const { tensors } = await runGuarded(engine(), plan, { y: batch.y, pictures: carried(told), lists: found }, ['lists'], { mutate });
      found = tensors.get('lists')!;
    }
    const data = words(found);
    return twin(batches, K).flatMap((wanted, c) => {
      const got = Array.from({ length: K }, (_, k) => data.subarray((c * K + k) * 3, (c * K + k + 1) * 3));
      const text = got.flatMap(([key, picture, place]) => (key === 0 ? [] : [`${keyValue(key!)} of ${picture} at ${place}`])).join(', ');
      const should = wanted.map(({ value, picture, place }) => `${value} of ${picture} at ${place}`).join(', ');
      return text === should ? [] : [`channel ${c}: ${text}; not ${should}`];
    });
  }

  test.each<{ shape: Shape; K: number; used: number[] }>([
    { shape: [1, 1], K: 1, used: [1, 1] },
    { shape: [3, 70], K: 2, used: [3, 3, 1] },
    { shape: [4, 3, 5, 7], K: 9, used: [4, 4, 2] },
    { shape: [4, 3, 5, 7], K: 3, used: [2, 0, 4, 4] },
    { shape: [3, 5, 9, 11], K: 4, used: [3, 2] },
    { shape: [2, 2, 65], K: 100, used: [2] },
  ])('$shape, $K of $used', async ({ shape, K, used }) => {
    expect(await check(shape, K, used)).toEqual([]);
  });

  test('numbers are ordered, and come back as they were', async () => {
    const given = [-Infinity, -3.4e38, -1, -1e-38, 0, 1e-45, 1e-38, 1, 3.4e38, Infinity].map(Math.fround);
    const builder = new PlanBuilder('survey', 10, engine().capabilities);
    const y = builder.persistent('y', [10, 1]);
    const lists = builder.persistent('lists', topShape(y, 10), 'u32');
    recordTop(builder.recorder('survey', 'layer', 'top'), y, builder.persistent('pictures', [11], 'u32'), lists);
    const told = Uint32Array.from({ length: 11 }, (_, n) => (n === 0 ? 10 : n));
    const { tensors } = await runGuarded(engine(), builder.build(), { y: { shape: [10, 1], data: Float32Array.from(given) }, pictures: carried(told), lists: carried(new Uint32Array(30)) }, ['lists']);
    const found = words(tensors.get('lists')!);
    expect(Array.from({ length: 10 }, (_, k) => keyValue(found[3 * k]!))).toEqual([...given].reverse());
    expect(keyValue(0)).toBeNaN();
  });

  test.each<[string, string, Shape]>([
    ['key > own.x', 'key >= own.x', [4, 3, 5, 7]],
    ['b.y < a.y', 'b.y > a.y', [3, 5, 9, 11]],
    ['b.x > a.x', 'b.x >= a.x', [3, 5, 9, 11]],
    ['at += 32u', 'at += 64u', [3, 5, 9, 11]],
    ['size == 0u', 'size == 1u', [4, 3, 5, 7]],
    ['size > 0x7f800000u', 'size >= 0x7f800000u', [4, 3, 5, 7]],
    ['size > 0x7f800000u', 'size > 0x7fc00000u', [4, 3, 5, 7]],
    ['>= peak.x', '> peak.x', [4, 3, 5, 7]],
    ['peak.x <= lists', 'peak.x < lists', [4, 3, 5, 7]],
    ['n < used', 'n < 4u', [4, 3, 5, 7]],
    ['pictures[1u + n]', 'pictures[n]', [4, 3, 5, 7]],
    ['word < 3u', 'word < 2u', [4, 3, 5, 7]],
    ['peaks[n * 3u + i]', 'peaks[n + i]', [4, 3, 5, 7]],
  ])('a planted bug is noticed: %s becomes %s', async (find, replace, shape) => {
    await expectCaught((mutate) => check(shape, 3, [shape[0], shape[0], 2], mutate), find, replace);
  });
});

describe('sums and histograms of every channel', () => {
  /** In each image another mean, which is large beside the deviation. */
  const far = (shape: Shape): Tensor => {
    const noise = random(shape, 5);
    const image = count(shape) / shape[0];
    return filled(shape, (i) => 1000 * (1 + Math.floor(i / image)) + 0.25 * noise.data[i]!);
  };
  const positive = (shape: Shape): Tensor => {
    const noise = random(shape, 3, -7, 7);
    return filled(shape, (i) => Math.max(0, noise.data[i]!));
  };
  const kinds: Record<string, (shape: Shape) => Tensor> = {
    'of both signs, not all finite': (shape) => blank(values(shape, 1)),
    'with a mean far from 0': far,
    'never below 0': positive,
    'always the same': (shape) => filled(shape, () => 0.1),
    'all 0': (shape) => filled(shape, () => 0),
    'a power of two': (shape) => filled(shape, (i) => (i % 3 === 0 ? 4 : 0.5)),
    'very small and very large': (shape) => filled(shape, (i) => [1e-30, -1e-9, 3e35, -2e35][i % 4]!),
  };

  async function check(y: Tensor, used: number, mutate?: Mutate): Promise<string[]> {
    const [batch, channels, ...rest] = y.shape as Shape;
    const plane = count(rest);
    const builder = new PlanBuilder('survey', batch, engine().capabilities);
    const ref = builder.persistent('y', y.shape);
    const out = { moments: builder.persistent('moments', momentsShape(ref), 'u32'), histograms: builder.persistent('histograms', histogramsShape(ref), 'u32') };
    recordMoments(builder.recorder('survey', 'layer', 'statistics'), ref, builder.persistent('pictures', [1 + batch], 'u32'), out);
    const told = carried(Uint32Array.from({ length: 1 + batch }, (_, n) => (n === 0 ? used : n)));
    const { tensors } = await runGuarded(engine(), builder.build(), { y, pictures: told }, ['moments', 'histograms'], { mutate });
    const moments = words(tensors.get('moments')!);
    const histograms = words(tensors.get('histograms')!);
    const found: string[] = [];
    const expectThat = (what: string, got: number, wanted: number, allowed = 0): void => {
      if (!(Math.abs(got - wanted) <= allowed) && !Object.is(got + 0, wanted + 0)) found.push(`${what} is ${got}, not ${wanted}`);
    };
    for (let c = 0; c < channels; c++) {
      const all: number[] = [];
      for (let n = 0; n < batch; n++) {
        const own = Array.from(y.data.subarray((n * channels + c) * plane, (n * channels + c + 1) * plane)).filter(Number.isFinite);
        if (n < used) all.push(...own);
        const at = (n * channels + c) * MOMENT.words;
        const floats = new Float32Array(moments.buffer, moments.byteOffset + 4 * at, 3);
        const measured = momentsAround(floats[0]!, moments[at + MOMENT.finite]!, floats[1]!, floats[2]!);
        const mean = own.length === 0 ? 0 : own.reduce((sum, v) => sum + v, 0) / own.length;
        const squares = own.reduce((sum, v) => sum + (v - mean) ** 2, 0);
        const spread = own.reduce((most, v) => Math.max(most, Math.abs(v - mean)), 0);
        const where = `of image ${n}, channel ${c}`;
        expectThat(`count ${where}`, measured.count, own.length);
        expectThat(`mean ${where}`, measured.mean, mean, 1e-6 * spread + 1e-12 * Math.abs(mean));
        if (spread < 1e18) expectThat(`squares ${where}`, measured.squares, squares, 1e-5 * squares + own.length * (1e-7 * mean) ** 2);
        expectThat(`zeros ${where}`, moments[at + MOMENT.zeros]!, own.filter((v) => v === 0).length);
        if (own.length > 0) expectThat(`most ${where}`, keyValue(moments[at + MOMENT.most]!), Math.max(...own));
        if (own.length > 0) expectThat(`least ${where}`, keyValue(moments[at + MOMENT.least]!), Math.min(...own));
      }
      const at = c * HISTOGRAM.words;
      const signed = all.some((v) => v < 0);
      let exponent = LEAST;
      while (all.some((v) => Math.abs(v) >= 2 ** exponent)) exponent++;
      const counts = new Array<number>(BINS).fill(0);
      for (const v of all) counts[signed ? BINS / 2 + Math.floor((BINS / 2) * (v / 2 ** exponent)) : Math.floor(BINS * (v / 2 ** exponent))]!++;
      expectThat(`exponent of channel ${c}`, histograms[at + HISTOGRAM.exponent]! | 0, exponent);
      expectThat(`sign of channel ${c}`, histograms[at + HISTOGRAM.signed]!, signed ? 1 : 0);
      counts.forEach((wanted, bin) => expectThat(`bin ${bin} of channel ${c}`, histograms[at + HISTOGRAM.counts + bin]!, wanted));
    }
    return found.slice(0, 5);
  }

  test.each(Object.entries(kinds))('%s', async (_, make) => {
    for (const [shape, used] of [[[3, 2], 3], [[3, 4, 5, 3], 2], [[2, 3, 13, 7], 2]] as [Shape, number][]) expect(await check(make(shape), used)).toEqual([]);
  });

  test('equal runs give equal bits', async () => {
    const y = values([2, 3, 13, 7], 4);
    const once = async (): Promise<Uint32Array> => {
      const builder = new PlanBuilder('survey', 2, engine().capabilities);
      const ref = builder.persistent('y', y.shape);
      recordMoments(builder.recorder('survey', 'layer', 'statistics'), ref, builder.persistent('pictures', [3], 'u32'), {
        moments: builder.persistent('moments', momentsShape(ref), 'u32'),
        histograms: builder.persistent('histograms', histogramsShape(ref), 'u32'),
      });
      return words((await runGuarded(engine(), builder.build(), { y, pictures: carried(Uint32Array.of(2, 0, 1)) }, ['moments'])).tensors.get('moments')!);
    };
    expect(await once()).toEqual(await once());
  });

  test.each([
    ['a.sum + b.sum', 'a.sum + a.sum'],
    ['max(a.most, b.most)', 'a.most'],
    ['d * d', 'd'],
    ['(bits & 0x7fffffffu) < 0x7f800000u', '(bits & 0x7fffffffu) <= 0x7f800000u'],
    ['other < 8u', 'other < 7u'],
    ['- 126', '- 127'],
    ['least < 2147483648u', 'least <= 2147483648u'],
    ['select(0, 32, negative)', 'select(0, 31, negative)'],
    ['i < used * 91u', 'i < 2u * 91u'],
    ['i += 64u', 'i += 65u'],
    ['n < used', 'n < 1u'],
  ])('a planted bug is noticed: %s becomes %s', async (find, replace) => {
    const y = values([2, 3, 13, 7], 4);
    y.data.fill(9, 91 * 3); // the second image, which does not count, but in its first channel
    const given: [Tensor, number][] = [[y, 1], [values([2, 3, 13, 7], 4), 2], [far([2, 3, 13, 7]), 2], [positive([2, 3, 13, 7]), 2]];
    await expectCaught(async (mutate) => {
      const found: string[] = [];
      for (const [tensor, used] of given) if (found.length === 0) found.push(...(await check(tensor, used, mutate)));
      return found;
    }, find, replace);
  });
});
