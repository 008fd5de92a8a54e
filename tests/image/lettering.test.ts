import { expect, test } from 'vitest';
import { createImage } from '../../src/image/image.ts';
import { drawLettering, letteringSize } from '../../src/image/lettering.ts';

/** The red dots of a picture, rows from the top. */
function drawn(text: string, left: number, top: number, zoom = 1, [width, height] = [13, 6]): string[] {
  const image = createImage(width!, height!, [0, 0, 0]);
  drawLettering(image, text, left, top, { zoom, color: [255, 0, 0] });
  return Array.from({ length: height! }, (_, y) => Array.from({ length: width! }, (_, x) => (image.data[4 * (y * width! + x)] ? '#' : '.')).join(''));
}

test('small letters are drawn as capitals, signs without a glyph as a gap', () => {
  expect(drawn('lT', 1, 1)).toEqual(['.............', '.#.....#####.', '.#.......#...', '.#.......#...', '.#.......#...', '.#####...#...']);
  expect(drawn('?', 0, 0).join('')).not.toContain('#');
});

test('points, commas and percent signs are drawn', () => {
  for (const sign of '.,:%/+=<>') expect(drawn(sign, 0, 0).join('')).toContain('#');
});

test('dots are as large as asked for; what would lie outside is left out', () => {
  expect(letteringSize('sun', 2)).toEqual({ width: 34, height: 10 });
  expect(letteringSize('', 2)).toEqual({ width: 0, height: 10 });
  expect(drawn('-', 0, -4, 2, [10, 4])).toEqual(['..######..', '..######..', '..........', '..........']);
  expect(drawn('I', -3, 0, 1, [3, 6])).toEqual(['#..', '...', '...', '...', '#..', '...']);
});
