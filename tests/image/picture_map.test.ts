import { expect, test } from 'vitest';
import { classColors } from '../../src/image/class_colors.ts';
import { createImage, type Color, type Image } from '../../src/image/image.ts';
import { MAP_BACKGROUND, pictureMap } from '../../src/image/picture_map.ts';

const RED: Color = [255, 0, 0];
const GREEN: Color = [0, 255, 0];
const at = ({ width, data }: Image, x: number, y: number): number[] => [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)];

test('a tile lies centred at its place, in its frame, with a dark line around it', () => {
  const map = pictureMap([{ tile: createImage(6, 6, RED), x: 20, y: 10, frame: GREEN }], { width: 40, height: 30 });
  expect([map.width, map.height]).toEqual([40, 30]);
  const row = Array.from({ length: 14 }, (_, i) => at(map, 13 + i, 10));
  expect(row).toEqual([...new Array(2).fill(MAP_BACKGROUND), ...new Array(2).fill(GREEN), ...new Array(6).fill(RED), ...new Array(2).fill(GREEN), ...new Array(2).fill(MAP_BACKGROUND)].map((color) => [...(color as Color)]));
});

test('of two that overlap the lower one lies on top, parted by a dark line; one that would stick out is moved in', () => {
  const map = pictureMap([{ tile: createImage(10, 10, RED), x: 20, y: 25 }, { tile: createImage(10, 10, GREEN), x: 20, y: 18 }, { tile: createImage(4, 4, GREEN), x: -50, y: 999 }], { width: 40, height: 40 });
  expect([12, 18, 19, 20, 29].map((y) => at(map, 20, y))).toEqual([[...MAP_BACKGROUND], GREEN, MAP_BACKGROUND, RED, RED].map((color) => [...color]));
  expect(at(map, 1, 38)).toEqual(GREEN);
  expect(at(map, 0, 39)).toEqual([...MAP_BACKGROUND]);
});

test('a legend stands below, in as many lines as it needs', () => {
  const [first, second] = classColors(2) as [Color, Color];
  const narrow = pictureMap([], { width: 100, height: 20, legend: [{ name: 'sun', color: first }, { name: 'sea', color: second }] });
  const wide = pictureMap([], { width: 400, height: 20, legend: [{ name: 'sun', color: first }, { name: 'sea', color: second }] });
  expect(narrow.height).toBeGreaterThan(wide.height);
  expect(at(wide, 18, 40)).toEqual(first);
  expect(at(narrow, 18, 70)).toEqual(second);
});

test('a tile without a place is refused', () => {
  expect(() => pictureMap([{ tile: createImage(2, 2, RED), x: NaN, y: 0 }], { width: 10, height: 10 })).toThrow(/no place/);
});

test('colours of classes are different, and light enough for a dark ground', () => {
  const colors = classColors(16);
  for (const [i, a] of colors.entries()) {
    expect(0.2126 * a[0] + 0.7152 * a[1] + 0.0722 * a[2]).toBeGreaterThan(90);
    for (const b of colors.slice(0, i)) expect(Math.hypot(...a.map((value, c) => value - b[c]!))).toBeGreaterThan(25);
  }
});
