import { expect, test } from 'vitest';
import { changeSize } from '../../src/analysis/change.ts';

test('norms and the ratio of peak to noise', () => {
  const { max, l2, mean, psnr } = changeSize([3, -4, 0, 0]);
  expect([max, l2, mean]).toEqual([4, 5, 1.75]);
  expect(psnr).toBeCloseTo(10 * Math.log10((255 * 255 * 4) / 25), 10);
  // A change of one level everywhere is 48.13 dB.
  expect(changeSize(new Float32Array(100).fill(-1)).psnr).toBeCloseTo(48.1308, 4);
});

test('no change has no noise', () => expect(changeSize([0, -0, 0])).toEqual({ max: 0, l2: 0, mean: 0, psnr: null }));
