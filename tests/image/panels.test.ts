import { expect, test } from 'vitest';
import { createImage } from '../../src/image/image.ts';
import { panels } from '../../src/image/panels.ts';

const RED = [255, 0, 0] as const;
const BLUE = [0, 0, 255] as const;

test('rows of pictures, small ones enlarged, each above its words', () => {
  const image = panels([[{ image: createImage(10, 4, RED), lines: ['one'] }, { image: createImage(20, 10, BLUE), lines: ['two', 'lines'] }], [{ image: createImage(20, 6, RED), lines: [] }]], { width: 20 });
  // A cell is 20 wide; the rows are 10 and 6 high, with 2 and 0 lines of 16, and 8 around everything.
  expect([image.width, image.height]).toEqual([8 + 2 * 28, 8 + (10 + 32 + 16) + (6 + 16)]);
  const at = (x: number, y: number): number[] => [...image.data.subarray(4 * (y * image.width + x), 4 * (y * image.width + x) + 3)];
  // 10 x 4 becomes 20 x 8 and stands on the line that 10 rows end at.
  expect([at(8, 9), at(8, 10), at(27, 17), at(28, 17)]).toEqual([[16, 16, 20], [...RED], [...RED], [16, 16, 20]]);
  expect([at(36, 8), at(55, 17)]).toEqual([[...BLUE], [...BLUE]]);
  expect([at(8, 66), at(27, 71), at(8, 72)]).toEqual([[...RED], [...RED], [16, 16, 20]]);
  const words = Array.from({ length: 20 * 10 }, (_, n) => at(8 + (n % 20), 26 + Math.floor(n / 20)));
  expect(words.some(([red]) => red === 225)).toBe(true);
});

test('a line that is too long goes on in the next, at a word', () => {
  const high = (...lines: string[]): number => panels([[{ image: createImage(60, 2, RED), lines }]], { width: 60 }).height;
  expect(high('abc de')).toBe(high('abc', 'de'));
  expect(high('ab cde f g')).toBe(high('ab', 'cde', 'f g'));
  expect(high('ab c')).toBe(high('ab'));
});

test('words that are too long end at the cell; nothing at all is refused', () => {
  const image = panels([[{ image: createImage(20, 2, RED), lines: ['0123456789'] }, { image: createImage(20, 2, RED), lines: [] }]], { width: 20 });
  const column = (x: number): number[] => Array.from({ length: image.height - 11 }, (_, y) => image.data[4 * ((y + 11) * image.width + x)]);
  for (let x = 28; x < 36; x++) expect(column(x).includes(225)).toBe(false);
  expect(() => panels([])).toThrow(/nothing to show/);
});
