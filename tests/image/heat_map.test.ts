import { describe, expect, test } from 'vitest';
import { COLOR_MAPS, mapColor, NOT_FINITE_COLOR } from '../../src/image/colormap.ts';
import { overlayHeat, spreadGrid } from '../../src/image/heat_map.ts';
import { createImage } from '../../src/image/image.ts';

const grid = { values: [0, 10, 20, 30, 40, 50], rows: [1, 5], columns: [0.5, 2.5, 5.5] };

describe('a grid over pixels', () => {
  test('nearest: the value whose place is nearest, the first of two as near', () => {
    const plane = spreadGrid(grid, 7, 6, 'nearest');
    expect([...plane.subarray(0, 7)]).toEqual([0, 0, 10, 10, 10, 20, 20]);
    expect([0, 1, 2, 3, 4, 5].map((i) => plane[i * 7])).toEqual([0, 0, 0, 0, 30, 30]);
  });

  test('bilinear: exact for what is linear between the places, constant beyond them', () => {
    const plane = spreadGrid({ values: [3, 7, 15, 11, 15, 23], rows: [1, 5], columns: [0, 2, 6] }, 8, 7, 'bilinear');
    for (let i = 0; i < 7; i++) {
      for (let j = 0; j < 8; j++) expect(plane[i * 8 + j]).toBeCloseTo(3 + 2 * Math.min(6, j) + 2 * (Math.min(5, Math.max(1, i)) - 1), 5);
    }
  });

  test('one value, and one that is missing', () => {
    expect([...spreadGrid({ values: [4], rows: [2], columns: [3] }, 2, 2, 'bilinear')]).toEqual([4, 4, 4, 4]);
    const plane = spreadGrid({ values: [1, NaN], rows: [0], columns: [0, 2] }, 3, 1, 'bilinear');
    expect([...plane]).toEqual([1, NaN, NaN]);
    expect(() => spreadGrid({ values: [1], rows: [], columns: [] }, 2, 2, 'nearest')).toThrow(/as many values/);
  });
});

describe('colours over a picture', () => {
  const image = createImage(4, 1, [200, 100, 50]);
  const grey = 0.7 * (0.299 * 200 + 0.587 * 100 + 0.114 * 50);
  const pixel = (data: Uint8ClampedArray, at: number): number[] => [...data.subarray(4 * at, 4 * at + 3)];
  const mixed = (color: readonly number[], strength: number): number[] => color.map((value) => Math.round(grey + 0.85 * strength * (value - grey)));

  test('diverging: 0 leaves the picture, both ends hide it most, beyond the range as at its end', () => {
    const { data } = overlayHeat(image, [0, 2, -1, 9], 'diverging', [-2, 2]);
    expect(pixel(data, 0)).toEqual(mixed([0, 0, 0], 0));
    expect(pixel(data, 1)).toEqual(mixed(mapColor(COLOR_MAPS.diverging, 1), 1));
    expect(pixel(data, 2)).toEqual(mixed(mapColor(COLOR_MAPS.diverging, 0.25), 0.5));
    expect(pixel(data, 3)).toEqual(pixel(data, 1));
    expect(data[3]).toBe(255);
  });

  test('ember: from the low end on; a value that is not finite has its own colour; no range is no colour', () => {
    const { data } = overlayHeat(image, [1, 3, NaN, 2], 'ember', [1, 3]);
    expect(pixel(data, 0)).toEqual(mixed([0, 0, 0], 0));
    expect(pixel(data, 1)).toEqual(mixed(mapColor(COLOR_MAPS.ember, 1), 1));
    expect(pixel(data, 2)).toEqual(mixed(NOT_FINITE_COLOR, 1));
    expect(pixel(data, 3)).toEqual(mixed(mapColor(COLOR_MAPS.ember, 0.5), 0.5));
    expect(pixel(overlayHeat(image, [0, 0, 0, 0], 'diverging', [0, 0]).data, 2)).toEqual(mixed([0, 0, 0], 0));
    expect(() => overlayHeat(image, [0], 'ember', [0, 1])).toThrow(/as many values/);
  });
});
