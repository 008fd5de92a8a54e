/** Scores of pictures against plain loops over pictures of a few pixels. */
import { expect, test } from 'vitest';
import { rankOf, shareNear, softmaxOf, thumbnail, totalVariation, type Pixels } from '../../src/analysis/picture_scores.ts';
import { numbers } from '../ops/reference.ts';

function picture(width: number, height: number, seed: number): Pixels {
  const { integer } = numbers(seed);
  return { width, height, data: Uint8ClampedArray.from({ length: 4 * width * height }, () => integer(0, 255)) };
}

const at = ({ width, data }: Pixels, y: number, x: number, c: number): number => data[4 * (y * width + x) + c]!;

test('total variation is the mean difference of neighbours', () => {
  for (const [width, height] of [[5, 4], [1, 7], [6, 1]] as const) {
    const own = picture(width, height, width);
    const steps: number[] = [];
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < height; y++) for (let x = 1; x < width; x++) steps.push(Math.abs(at(own, y, x, c) - at(own, y, x - 1, c)));
      for (let y = 1; y < height; y++) for (let x = 0; x < width; x++) steps.push(Math.abs(at(own, y, x, c) - at(own, y - 1, x, c)));
    }
    expect(totalVariation(own)).toBeCloseTo(steps.reduce((a, b) => a + b) / steps.length, 10);
  }
  expect(totalVariation(picture(1, 1, 3))).toBe(0);
});

test('pixels of a colour are those that lie within a level of it in all three channels', () => {
  const data = Uint8ClampedArray.of(114, 115, 116, 0, 115, 115, 115, 255, 113, 115, 115, 255, 115, 115, 117, 255, 116, 114, 115, 9);
  expect(shareNear({ width: 5, height: 1, data }, [114.75, 114.75, 115.5], 1)).toBe(2 / 5);
  expect(shareNear({ width: 5, height: 1, data }, [114.75, 114.75, 115.5], 2)).toBe(1);
});

test('a thumbnail has the means of boxes, whatever the sizes', () => {
  for (const [width, height, side] of [[7, 5, 3], [6, 6, 2], [4, 9, 4], [3, 2, 5]] as const) {
    const own = picture(width, height, side);
    // Every pixel as side x side equal parts: each box is then width x height whole parts.
    const expected = [0, 1, 2].flatMap((c) =>
      Array.from({ length: side * side }, (_, box) => {
        const [v, u] = [Math.floor(box / side), box % side];
        let sum = 0;
        for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) sum += at(own, Math.floor((v * height + y) / side), Math.floor((u * width + x) / side), c);
        return sum / (width * height);
      }),
    );
    const found = thumbnail(own, side);
    expect(found).toHaveLength(expected.length);
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 9));
  }
});

test('rank and softmax', () => {
  const values = Float32Array.of(2, 5, 5, -1, 1000);
  expect([0, 1, 2, 3, 4].map((index) => rankOf(values, index))).toEqual([4, 2, 2, 5, 1]);
  expect(rankOf([NaN, 1], 0)).toBeNaN();
  expect(rankOf([NaN, 1], 1)).toBe(1);
  expect(softmaxOf([1, 2, 4], 1)).toBeCloseTo(Math.exp(2) / (Math.exp(1) + Math.exp(2) + Math.exp(4)), 12);
  expect(softmaxOf(values, 4)).toBe(1);
});
