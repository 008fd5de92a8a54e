import { describe, expect, test } from 'vitest';
import { blurPlane, resizePlane } from '../../src/image/plane.ts';

describe('a blurred plane', () => {
  test('of one point is the Gaussian, cut at four standard deviations', () => {
    const plane = new Float32Array(21 * 1);
    plane[10] = 1;
    const blurred = blurPlane(plane, 21, 1, 1);
    // scipy.ndimage.gaussian_filter1d, sigma 1, truncate 4.
    [0.398943469, 0.241971446, 0.053991127, 0.004431862, 0.000133831, 0].forEach((weight, d) => {
      expect(blurred[10 + d]).toBeCloseTo(weight, 7);
      expect(blurred[10 - d]).toBe(blurred[10 + d]);
    });
  });

  test('mirrors at the border, along both axes, however wide the kernel', () => {
    const [width, height, sigma] = [5, 3, 2.5];
    const plane = Float32Array.from({ length: 15 }, (_, i) => ((i * 7) % 15) - 4);
    const radius = Math.floor(4 * sigma + 0.5);
    const mirror = (at: number, size: number): number => {
      while (at < 0 || at >= size) at = at < 0 ? -1 - at : 2 * size - 1 - at;
      return at;
    };
    const tap = (d: number): number => Math.exp(-(d * d) / (2 * sigma * sigma));
    const wanted = plane.map((_, i) => {
      let [sum, total] = [0, 0];
      for (let dy = -radius; dy <= radius; dy++)
        for (let dx = -radius; dx <= radius; dx++) {
          const weight = tap(dy) * tap(dx);
          sum += weight * plane[mirror(Math.floor(i / width) + dy, height) * width + mirror((i % width) + dx, width)]!;
          total += weight;
        }
      return sum / total;
    });
    blurPlane(plane, width, height, sigma).forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
  });

  test('stays what it is with a deviation of 0; another that is none is refused', () => {
    expect([...blurPlane([1, 2, 3, 4], 2, 2, 0)]).toEqual([1, 2, 3, 4]);
    expect(() => blurPlane([1], 1, 1, -1)).toThrow('standard deviation');
  });
});

test('a plane that grows is bilinear between the centres, and repeats the edge', () => {
  expect([...resizePlane([0, 4], 2, 1, 4, 1)]).toEqual([0, 1, 3, 4]);
  expect([...resizePlane([0, 4, 8, 12], 2, 2, 4, 4)]).toEqual([0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12]);
  expect([...resizePlane([5], 1, 1, 3, 2)]).toEqual([5, 5, 5, 5, 5, 5]);
  expect([...resizePlane([3, 1, 2], 3, 1, 3, 1)]).toEqual([3, 1, 2]);
});
