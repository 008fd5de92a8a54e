import { expect, test } from 'vitest';
import { createImage, cropImage, enlarge, fitImage, overColor } from '../../src/image/image.ts';
import type { Image } from '../../src/image/image.ts';
import { decodePng } from '../../src/image/png.ts';
import { dataBytes } from '../formats/reference-data.ts';

/** A gray opaque picture of these rows. */
function gray(rows: number[][]): Image {
  const width = rows[0]?.length ?? 0;
  return { width, height: rows.length, data: Uint8ClampedArray.from(rows.flat().flatMap((v) => [v, v, v, 255])) };
}

const reds = (image: Image) => Array.from(image.data).filter((_, i) => i % 4 === 0);

test('a picture of the wanted size is not touched', () => {
  const image = gray([[1, 2], [3, 4]]);
  expect(fitImage(image, 2, 2, 'crop')).toBe(image);
  expect(overColor(image, [9, 9, 9])).toBe(image);
});

test('halving weighs each source pixel with the triangle filter', () => {
  // Support 2 around centre 2 (in source pixels): weights 1/4, 3/4, 3/4, 1/4 of half the sum.
  const row = gray([[10, 20, 60, 100, 200, 240]]);
  const expected = [
    (0.75 * 10 + 0.75 * 20 + 0.25 * 60) / 1.75,
    (0.25 * 20 + 0.75 * 60 + 0.75 * 100 + 0.25 * 200) / 2,
    (0.25 * 100 + 0.75 * 200 + 0.75 * 240) / 1.75,
  ];
  expect(reds(fitImage(row, 3, 1, 'stretch'))).toEqual(expected.map(Math.round));
});

test('doubling is bilinear', () => {
  expect(reds(fitImage(gray([[0, 100]]), 4, 1, 'stretch'))).toEqual([0, 25, 75, 100]);
});

test('a constant picture stays constant at any size', () => {
  const image = createImage(37, 23, [13, 200, 77]);
  for (const [width, height] of [[5, 5], [1, 1], [64, 3], [7, 61]] as const) {
    for (const fit of ['crop', 'stretch'] as const) {
      expect(fitImage(image, width, height, fit)).toEqual(createImage(width, height, [13, 200, 77]));
    }
  }
});

test('crop keeps the centre of the longer side', () => {
  const wide = gray([[0, 50, 100, 150, 200, 250], [0, 50, 100, 150, 200, 250]]);
  expect(reds(fitImage(wide, 2, 2, 'crop'))).toEqual([100, 150, 100, 150]);
  const tall = gray([[0], [60], [120], [180], [240]]);
  expect(reds(fitImage(tall, 1, 1, 'crop'))).toEqual([120]);
});

test('colours of transparent pixels do not bleed', () => {
  const image: Image = { width: 2, height: 1, data: Uint8ClampedArray.of(255, 0, 0, 255, 0, 255, 0, 0) };
  expect([...fitImage(image, 1, 1, 'stretch').data]).toEqual([255, 0, 0, 128]);
  expect([...overColor(image, [10, 20, 30]).data]).toEqual([255, 0, 0, 255, 10, 20, 30, 255]);
});

test('a photograph scales to the recorded picture, but for rounding between the two directions', async () => {
  // Recorded: shorter side to 256 with a triangle filter, then the centre of 224 x 224.
  const scaled = fitImage(await decodePng(dataBytes('images/originals/chelsea.png')), 385, 256, 'stretch');
  const centre = cropImage(scaled, 80, 16, 224, 224);
  const recorded = await decodePng(dataBytes('images/prepared/chelsea_224.png'));
  const differences = recorded.data.map((value, i) => Math.abs(value - (centre.data[i] ?? 0)));
  expect(Math.max(...new Set(differences))).toBeLessThanOrEqual(1);
  expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.2);
});

test('cutting outside the picture gives transparent black', () => {
  const cut = cropImage(gray([[1, 2], [3, 4]]), 1, 1, 2, 2);
  expect([...cut.data]).toEqual([4, 4, 4, 255, ...new Array<number>(12).fill(0)]);
  expect(cropImage(gray([[1]]), 5, 5, 1, 1)).toEqual(createImage(1, 1));
});

test('enlarging repeats pixels', () => {
  expect(reds(enlarge(gray([[1, 2], [3, 4]]), 2))).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
});

test('sizes that are none are refused', () => {
  expect(() => createImage(0, 1)).toThrow(/positive whole/);
  expect(() => createImage(1 << 14, 1 << 13)).toThrow(/more than/);
  expect(() => enlarge(gray([[1]]), 1.5)).toThrow(/enlargement/);
  expect(() => fitImage({ width: 2, height: 2, data: new Uint8ClampedArray(4) }, 1, 1, 'crop')).toThrow(/16 bytes/);
});
