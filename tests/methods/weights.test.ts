/** Weights as numbers and pictures, against plain loops over the file's own order. */
import { describe, expect, test } from 'vitest';
import type { Color, Image } from '../../src/image/image.ts';
import { NOT_FINITE_COLOR } from '../../src/image/colormap.ts';
import { filterSheet, histogramPicture, isColored, kernelSheet } from '../../src/methods/weight_pictures.ts';
import { kernelsOf, unitNorms, weightHistogram, weightLayers, weightStatistics, type Kernels } from '../../src/methods/weights.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const net = network({ x: [1, 3, 8, 8] }, [
  convolution('conv', 'x', [4, 3, 3], 1),
  node('relu', 'relu', ['conv.y']),
  node('up', 'conv_transpose2d', ['relu.y'], { groups: 2, stride: [2, 2] }, { weight: random([4, 3, 2, 2], 5) }),
  node('pool', 'max_pool', ['up.y'], { kernel: [4, 4], stride: [4, 4], padding: [0, 0, 0, 0] }),
  node('flat', 'flatten', ['pool.y']),
  node('fc', 'dense', ['flat.y'], {}, { weight: random([5, 6 * 16], 6) }),
  node('last', 'dense', ['fc.y'], {}, { weight: random([2, 5], 7) }),
]);
const at = ({ width, data }: Image, x: number, y: number): number[] => [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)];
const flat = (data: readonly number[], more: Partial<Kernels> = {}): Kernels => ({ layer: 'odd', op: 'conv2d', outputs: 1, inputs: 1, groups: 1, height: 1, width: data.length, first: true, ...more, data: Float32Array.from(data) });

describe('kernels', () => {
  test('of every layer that has some', () => {
    expect(weightLayers(net)).toEqual(['conv', 'up', 'fc', 'last']);
    expect(kernelsOf(net, 'conv')).toMatchObject({ layer: 'conv', outputs: 4, inputs: 3, groups: 1, height: 3, width: 3, first: true });
    expect(kernelsOf(net, 'fc.y')).toMatchObject({ layer: 'fc', outputs: 5, inputs: 6, height: 4, width: 4, first: false });
    expect(kernelsOf(net, 'last')).toMatchObject({ outputs: 2, inputs: 5, height: 1, width: 1 });
    expect(() => kernelsOf(net, 'relu')).toThrow(/'relu' \(relu\) has no kernels/);
    expect(() => kernelsOf(net, 'conf')).toThrow(/no layer 'conf'/);
  });

  test('of a transposed convolution by its outputs', () => {
    const { outputs, inputs, groups, data } = kernelsOf(net, 'up');
    expect({ outputs, inputs, groups }).toEqual({ outputs: 6, inputs: 2, groups: 2 });
    const raw = net.nodes[2]!.weights['weight']!.data;
    for (let m = 0; m < 6; m++) {
      for (let c = 0; c < 2; c++) {
        const input = 2 * Math.floor(m / 3) + c;
        for (let k = 0; k < 4; k++) expect(data[(m * 2 + c) * 4 + k]).toBe(raw[(input * 3 + (m % 3)) * 4 + k]);
      }
    }
  });
});

describe('numbers', () => {
  test('norms and statistics', () => {
    expect([...unitNorms({ outputs: 2, data: Float32Array.of(3, 4, 0, 0) })]).toEqual([5, 0]);
    expect([...unitNorms({ outputs: 2, data: Float32Array.of(3, 4, 0, Infinity) })]).toEqual([5, NaN]);
    expect(weightStatistics({ data: Float32Array.of(1, 3, 0, -4, NaN) })).toEqual({ count: 5, least: -4, greatest: 3, mean: 0, deviation: Math.sqrt(26 / 4), norm: Math.sqrt(26), zeros: 1, notFinite: 1 });
    expect(weightStatistics({ data: Float32Array.of(NaN) })).toMatchObject({ least: 0, greatest: 0, mean: 0, deviation: 0, notFinite: 1 });
  });

  test('a histogram counts every finite weight once', () => {
    expect(weightHistogram({ data: Float32Array.of(-2, -1, 0, 0.99, 1, 2, NaN) }, 4)).toEqual({ reach: 2, counts: Uint32Array.of(1, 1, 2, 2) });
    expect(weightHistogram({ data: Float32Array.of(0, 0) }, 3)).toEqual({ reach: 0, counts: Uint32Array.of(0, 2, 0) });
  });
});

describe('pictures', () => {
  // Two filters of 1 x 2 pixels: the second is half as strong.
  const filters = flat([1, -1, 0, 0.5, -0.5, 0, 0.5, -0.5, 0, 0.25, -0.25, 0], { outputs: 2, inputs: 3, height: 1, width: 2 });
  const colors = (image: Image, filter: number): number[][] => [0, 1].map((pixel) => at(image, 4 + filter * (2 * 56 + 4) + 56 * pixel + 9, 10));

  test('filters have the colours of their channels, in one scale or each in its own', () => {
    expect(isColored(filters)).toBe(true);
    expect(isColored({ ...filters, first: false })).toBe(false);
    const shared = filterSheet(filters, 'RGB', 'shared');
    expect(colors(shared, 0)).toEqual([[255, 128, 64], [1, 192, 128]]);
    expect(colors(shared, 1)).toEqual([[192, 128, 96], [64, 160, 128]]);
    expect(colors(filterSheet(filters, 'BGR', 'shared'), 0)).toEqual([[64, 128, 255], [128, 192, 1]]);
    expect(colors(filterSheet(filters, 'RGB', 'each'), 1)).toEqual([[255, 128, 64], [1, 192, 128]]);
    expect(() => filterSheet(filters, 'gray', 'each')).toThrow(/no colour pictures/);
    expect(colors(filterSheet({ ...filters, data: filters.data.map((value, i) => (i === 2 ? NaN : value)) }, 'RGB', 'shared'), 0)[0]).toEqual([...NOT_FINITE_COLOR]);
  });

  test('kernels stand in a row for each output; no more than asked for are drawn, and it says how many', () => {
    const kernels = kernelsOf(net, 'conv');
    const { image, outputs, inputs, reach } = kernelSheet(kernels, { most: 2 });
    expect({ outputs, inputs }).toEqual({ outputs: 2, inputs: 2 });
    expect(reach).toBeCloseTo(Math.max(...kernels.data.map(Math.abs)), 3);
    expect([image.width, image.height]).toEqual([2 * (3 * 16 + 2) + 2, 2 * (3 * 16 + 2) + 2]);
    // Blue below 0, orange above.
    for (let m = 0; m < 2; m++) {
      for (let c = 0; c < 2; c++) {
        const [red, , blue] = at(image, 2 + 50 * c + 8, 2 + 50 * m + 8) as unknown as Color;
        expect(red > blue).toBe(kernels.data[(m * 3 + c) * 9]! > 0);
      }
    }
  });

  test('a matrix is drawn weight by weight, depthwise kernels stand in rows', () => {
    const matrix = kernelSheet(kernelsOf(net, 'last'), { most: 1 });
    expect(matrix).toMatchObject({ outputs: 2, inputs: 5 });
    expect([matrix.image.width, matrix.image.height]).toEqual([5 * 24, 2 * 24]);
    const depthwise = kernelSheet({ ...flat(Array.from({ length: 90 }, (_, i) => i)), outputs: 10, height: 3, width: 3 }, { most: 64, scale: 'each' });
    expect(depthwise).toMatchObject({ outputs: 10, inputs: 1, reach: undefined });
    expect([depthwise.image.width, depthwise.image.height]).toEqual([5 * 50 + 2, 2 * 50 + 2]);
  });

  test('a histogram is drawn where all weights are 0, and where some are not finite', () => {
    for (const data of [[0, 0, 0], [NaN, 1, -3]]) expect(histogramPicture(flat(data))).toMatchObject({ width: 960, height: 420 });
  });
});
