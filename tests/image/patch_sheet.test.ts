/** Sheets of units: where patches come to lie, and at which scale. */
import { expect, test } from 'vitest';
import { createImage, type Image } from '../../src/image/image.ts';
import { patchSheet, shownPatch, unitsOfSheet, type UnitBlock } from '../../src/image/patch_sheet.ts';

const patch = (side: number, red: number, height = side): Image => createImage(side, height, [red, 0, 0]);
const at = ({ data, width }: Image, x: number, y: number): number[] => [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)];

test('patches of a unit in a square, what goes with them beside it, the caption above', () => {
  const block: UnitBlock = { caption: '1', patches: [patch(24, 10), patch(24, 20), patch(24, 30)], beside: [patch(24, 40), undefined, patch(24, 60)] };
  const sheet = patchSheet([block], 4);
  // 24 pixels are shown twice as large; 8 around, 16 for the caption, 2 between.
  const [left, top, step] = [8, 24, 50];
  expect([sheet.width, sheet.height]).toEqual([8 + 2 * 98 + 4 + 8, 8 + 16 + 98 + 8]);
  expect(at(sheet, left, top)).toEqual([10, 0, 0]);
  expect(at(sheet, left + 47, top + 47)).toEqual([10, 0, 0]);
  expect(at(sheet, left + 48, top)).toEqual([16, 16, 20]);
  expect(at(sheet, left + step, top)).toEqual([20, 0, 0]);
  expect(at(sheet, left, top + step)).toEqual([30, 0, 0]);
  expect(at(sheet, left + step, top + step)).toEqual([32, 32, 38]); // no fourth one
  const beside = left + 98 + 4;
  expect(at(sheet, beside, top)).toEqual([40, 0, 0]);
  expect(at(sheet, beside + step, top)).toEqual([32, 32, 38]);
  expect(at(sheet, beside, top + step)).toEqual([60, 0, 0]);
  expect(Array.from({ length: 10 * 10 }, (_, i) => at(sheet, left + (i % 10), 8 + Math.floor(i / 10)))).toContainEqual([225, 225, 230]);
});

test('units in rows, without anything beside them; smaller patches in the middle of their cells', () => {
  const block = (red: number): UnitBlock => ({ caption: '', patches: [patch(48, red), patch(40, red, 44)], beside: [] });
  const sheet = patchSheet([1, 2, 3, 4, 5].map((n) => block(50 * n)), 2);
  const [width, height] = [98 + 8, 48 + 16 + 8];
  const columns = (sheet.width - 8) / width;
  expect(columns).toBe(2);
  expect(sheet.height).toBe(3 * height + 8);
  expect(at(sheet, 8 + width, 24 + 2 * height)).toEqual([16, 16, 20]);
  expect(at(sheet, 8, 24 + 2 * height)).toEqual([250, 0, 0]);
  expect([at(sheet, 8 + 50 + 3, 24 + 2), at(sheet, 8 + 50 + 4, 24 + 1), at(sheet, 8 + 50 + 4, 24 + 2)]).toEqual([[16, 16, 20], [16, 16, 20], [50, 0, 0]]);
});

test('large patches shrink together, and a sheet stays a size that can be looked at', () => {
  const small = shownPatch(patch(384, 200, 192));
  expect([small.width, small.height]).toEqual([96, 48]);
  expect(shownPatch(small)).toBe(small);
  const sheet = patchSheet([{ caption: '0', patches: [patch(384, 200), patch(192, 100)], beside: [] }], 2);
  expect([sheet.width, sheet.height]).toEqual([8 + 194 + 8, 8 + 16 + 96 + 8]);
  expect([at(sheet, 8 + 98, 24), at(sheet, 8 + 98 + 24, 24 + 24)]).toEqual([[16, 16, 20], [100, 0, 0]]);
  for (const [side, beside] of [[3, true], [48, false], [96, true], [500, true]] as const) {
    const units = unitsOfSheet(9, side, beside);
    expect(units).toBeGreaterThan(30);
    const patches = Array.from({ length: 9 }, () => patch(Math.min(side, 96), 1));
    const { width, height } = patchSheet(Array.from({ length: units }, () => ({ caption: '', patches, beside: beside ? patches : [] })), 9);
    expect(width * height).toBeLessThan(9.5e6);
    expect(Math.max(width, height) / Math.min(width, height)).toBeLessThan(2);
  }
  expect(patchSheet([{ caption: '7', patches: [], beside: [] }], 1).width).toBeGreaterThan(0);
});
