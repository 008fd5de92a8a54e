import { expect, test } from 'vitest';
import { drawAttribution, overlayHeat, strength } from '../../src/image/attribution_picture.ts';
import { COLOR_MAPS } from '../../src/image/colormap.ts';
import { normalizedGradient } from '../../src/image/deprocess.ts';
import { createImage } from '../../src/image/image.ts';
import type { Preprocess, Tensor } from '../../src/network/network.ts';

const preprocess: Preprocess = { channels: 'BGR', range: 255, mean: [104, 117, 123], std: [1, 1, 1], fit: 'crop' };
const values: Tensor = { shape: [1, 3, 1, 4], data: Float32Array.of(3, 0, 0, 40, 4, 0, 1, 0, 0, 0, 0, -30) };
const ember = (t: number): number[] => [...COLOR_MAPS.ember.subarray(3 * Math.round(255 * t), 3 * Math.round(255 * t) + 3), 255];

test('strength is the norm over the channels', () => {
  expect([...strength(values)]).toEqual([5, 0, 1, 50]);
  expect([...strength({ shape: [1, 1, 1, 2], data: Float32Array.of(-2, 3) })]).toEqual([2, 3]);
});

test('raw and grey are as a gradient is drawn, up to the percentile at full strength', () => {
  for (const mode of ['raw', 'grey'] as const) {
    expect(drawAttribution(values, preprocess, { mode })).toEqual(normalizedGradient(values, preprocess, { mode }));
    const capped = { ...values, data: values.data.map((value) => Math.min(Math.max(value, -4), 4)) };
    expect(drawAttribution(values, preprocess, { mode, full: 83 })).toEqual(normalizedGradient(capped, preprocess, { mode }));
  }
});

test('norm draws strength from none to all, or to a percentile of it', () => {
  expect([...drawAttribution(values, preprocess, { mode: 'norm' }).data]).toEqual([0.1, 0, 0.02, 1].flatMap(ember));
  expect([...drawAttribution(values, preprocess, { mode: 'norm', full: 75 }).data]).toEqual([1, 0, 0.2, 1].flatMap(ember));
  // Where the percentile is 0, the rest is still there.
  expect([...drawAttribution(values, preprocess, { mode: 'norm', full: 1 }).data.subarray(12)]).toEqual(ember(1));
  expect(() => drawAttribution(values, preprocess, { mode: 'norm', full: 0 })).toThrow('percentile');
});

test('blurred strength spreads', () => {
  const { data } = drawAttribution(values, preprocess, { mode: 'norm-blur', blur: 1 });
  expect([...data.subarray(8, 12)]).not.toEqual(ember(0.02));
  expect([...data.subarray(12)]).toEqual(ember(1));
});

test('heat lies over the picture: none leaves it dark and grey, all of it hides most', () => {
  const picture = createImage(2, 1, [200, 100, 0]);
  const { data } = overlayHeat(picture, [0, 7]);
  const grey = 0.299 * 200 + 0.587 * 100;
  expect([...data.subarray(0, 4)]).toEqual([...Array<number>(3).fill(Math.round(0.55 * grey)), 255]);
  expect([...data.subarray(4)]).toEqual([...ember(1).slice(0, 3).map((color) => Math.round(Math.min(255, 0.35 * grey + 0.75 * color))), 255]);
  expect(overlayHeat(picture, [0, 0]).data.subarray(0, 4)).toEqual(data.subarray(0, 4));
  expect(() => overlayHeat(picture, [1])).toThrow('does not lie over');
  expect(() => drawAttribution(values, preprocess, { mode: 'overlay' })).toThrow('needs the picture');
});
