import { expect, test } from 'vitest';
import { COLOR_MAPS, mapColor, mapPlane, NOT_FINITE_COLOR, planeRange } from '../../src/image/colormap.ts';
import type { ColorMapName } from '../../src/image/colormap.ts';
import type { Image } from '../../src/image/image.ts';
import { createImage } from '../../src/image/image.ts';
import { gridOfMaps, sheet } from '../../src/image/sheet.ts';

/** CIE 1976 lightness of entry `i`, 0..100. */
function lightness(name: ColorMapName, i: number): number {
  const [r, g, b] = mapColor(COLOR_MAPS[name], i / 255).map((byte) => {
    const v = byte / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (y * 24389) / 27;
}

test('the ends and the middle of the maps', () => {
  const ends = (name: ColorMapName) => [0, 0.5, 1].map((t) => mapColor(COLOR_MAPS[name], t));
  expect(ends('grey')).toEqual([[0, 0, 0], [128, 128, 128], [255, 255, 255]]);
  expect(ends('ember')).toEqual([[7, 7, 7], [203, 36, 86], [245, 245, 245]]);
  expect(ends('diverging')).toEqual([[117, 186, 255], [27, 27, 27], [247, 156, 64]]);
});

test.each(['grey', 'ember'] as const)('%s grows lighter all the way', (name) => {
  for (let i = 1; i < 256; i++) expect(lightness(name, i)).toBeGreaterThanOrEqual(lightness(name, i - 1) - 0.3);
  expect(lightness(name, 255) - lightness(name, 0)).toBeGreaterThan(85);
});

test('the diverging map is darkest and colourless at 0, with arms of equal lightness', () => {
  const [r, g, b] = mapColor(COLOR_MAPS.diverging, 0.5);
  expect(Math.max(r, g, b)).toBe(Math.min(r, g, b));
  for (let i = 0; i < 128; i++) {
    expect(Math.abs(lightness('diverging', i) - lightness('diverging', 255 - i))).toBeLessThan(4);
    if (i > 0) expect(lightness('diverging', i)).toBeLessThanOrEqual(lightness('diverging', i - 1) + 0.3);
  }
  const [low, high] = [mapColor(COLOR_MAPS.diverging, 0), mapColor(COLOR_MAPS.diverging, 1)];
  // Blue against yellow is what remains to red-green blind eyes.
  expect(low[2] - low[0]).toBeGreaterThan(80);
  expect(high[0] - high[2]).toBeGreaterThan(80);
});

test('mapped planes: range, clamping, values that are not finite', () => {
  const image = mapPlane([0, 1, 2, 4, -1, NaN], 3, 2, 'grey', [0, 2]);
  expect(Array.from({ length: 6 }, (_, i) => [...image.data.subarray(i * 4, i * 4 + 3)])).toEqual([
    [0, 0, 0],
    [128, 128, 128],
    [255, 255, 255],
    [255, 255, 255],
    [0, 0, 0],
    [...NOT_FINITE_COLOR],
  ]);
  expect([...mapPlane([Infinity], 1, 1, 'ember').data]).toEqual([...NOT_FINITE_COLOR, 255]);
  expect([...mapPlane([0], 1, 1, 'diverging').data.subarray(0, 3)]).toEqual([...mapColor(COLOR_MAPS.diverging, 0.5)]);
  expect(() => mapPlane([1, 2], 3, 1, 'grey')).toThrow(/needs 3 values/);
});

test('the range of a plane', () => {
  expect(planeRange([1, 3, NaN], 'ember')).toEqual([0, 3]);
  expect(planeRange([-1, 3, -Infinity], 'grey')).toEqual([-1, 3]);
  expect(planeRange([-4, 3], 'diverging')).toEqual([-4, 4]);
  expect(planeRange([-4, -3], 'grey')).toEqual([-4, -3]);
  expect(planeRange([NaN], 'grey')).toEqual([0, 0]);
});

const pixel = (image: Image, x: number, y: number) => [
  ...image.data.subarray((y * image.width + x) * 4, (y * image.width + x) * 4 + 3),
];

test('a sheet places pictures in reading order, centred in their cells', () => {
  const colors = [10, 20, 30].map((v) => createImage(1, 1, [v, v, v]));
  const all = sheet([...colors, createImage(3, 3, [40, 40, 40])], { columns: 2, gap: 1, background: [1, 2, 3] });
  expect([all.width, all.height]).toEqual([9, 9]);
  expect([pixel(all, 2, 2), pixel(all, 6, 2), pixel(all, 2, 6), pixel(all, 5, 5), pixel(all, 7, 7)]).toEqual(
    [10, 20, 30, 40, 40].map((v) => [v, v, v]),
  );
  expect(pixel(all, 0, 0)).toEqual([1, 2, 3]);
  expect(pixel(all, 8, 8)).toEqual([1, 2, 3]);
});

test('a sheet is about square unless told, and no wider than its pictures', () => {
  const images = Array.from({ length: 5 }, () => createImage(2, 2));
  expect(sheet(images, { gap: 0 })).toMatchObject({ width: 6, height: 4 });
  expect(sheet(images, { gap: 0, columns: 9 })).toMatchObject({ width: 10, height: 2 });
  expect(() => sheet([])).toThrow(/at least one/);
  expect(() => sheet(images, { columns: 0 })).toThrow(/columns/);
  expect(() => sheet(images, { gap: -1 })).toThrow(/gap/);
});

test('maps of a layer, each at its own contrast or all at one', () => {
  const tensor = { shape: [1, 2, 1, 2], data: Float32Array.of(0, 1, 0, 4) };
  const each = gridOfMaps(tensor, { map: 'grey', gap: 0, columns: 2 });
  expect([0, 1, 2, 3].map((x) => pixel(each, x, 0)[0])).toEqual([0, 255, 0, 255]);
  const shared = gridOfMaps(tensor, { map: 'grey', gap: 0, columns: 2, contrast: 'shared' });
  expect([0, 1, 2, 3].map((x) => pixel(shared, x, 0)[0])).toEqual([0, 64, 0, 255]);
  expect(gridOfMaps(tensor, { gap: 0, columns: 1, zoom: 3 })).toMatchObject({ width: 6, height: 6 });
  const dense = gridOfMaps({ shape: [2, 3], data: new Float32Array(6) }, { gap: 0, index: 1 });
  expect(dense).toMatchObject({ width: 2, height: 2 });
  expect(() => gridOfMaps(tensor, { index: 1 })).toThrow(/index/);
  expect(() => gridOfMaps({ shape: [3], data: new Float32Array(3) })).toThrow(/maps are drawn from/);
});
