/** What the cost model takes on a GPU and on a software adapter: plans only, nothing runs. */
import { describe, expect, test } from 'vitest';
import type { Capabilities } from '../../src/gpu/capabilities.ts';
import { gpuDirectCost, gpuSharedCost, partsFor } from '../../src/ops/conv2d_gpu_price.ts';
import { SHARED_TILES } from '../../src/ops/conv2d_shared.ts';
import { compile } from '../../src/scheduler/compile.ts';
import type { Step } from '../../src/scheduler/plan.ts';
import { network, node } from '../scheduler/networks.ts';

interface Layer {
  readonly x: readonly [number, number];
  readonly outputs: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
}

const GPU: Capabilities = { subgroups: true, software: false, maxBinding: 2 ** 30 };

/** Steps of one layer with weights of zeros: [channels, size] in. */
function steps({ x: [channels, size], outputs, kernel, stride = 1, groups = 1 }: Layer, batch: number, capabilities: Capabilities): readonly Step[] {
  const shape = [outputs, channels / groups, kernel, kernel];
  const weight = { shape, data: new Float32Array(shape.reduce((a, b) => a * b)) };
  const pad = (kernel - 1) >> 1;
  const layer = node('layer', 'conv2d', ['x'], { stride: [stride, stride], padding: [pad, pad, pad, pad], groups }, { weight });
  return compile(network({ x: [batch, channels, size, size] }, [layer]), { layers: ['layer'], capabilities }).passes.get('forward')!;
}

const chosen = (made: readonly Step[]): string => made.find(({ choice }) => choice)!.choice!.variant;

const LAYERS: Readonly<Record<string, readonly [Layer, RegExp]>> = {
  'ResNet 1x1 64>256 @56': [{ x: [64, 56], outputs: 256, kernel: 1 }, /^shared/],
  'ResNet 1x1 256>1024 @14': [{ x: [256, 14], outputs: 1024, kernel: 1 }, /^shared/],
  'ResNet 1x1 2048>512 @7': [{ x: [2048, 7], outputs: 512, kernel: 1 }, /^shared/],
  'ResNet 1x1 stride 2': [{ x: [1024, 14], outputs: 2048, kernel: 1, stride: 2 }, /^shared/],
  'ResNet 3x3 stride 2': [{ x: [128, 56], outputs: 128, kernel: 3, stride: 2 }, /^(shared|winograd .*shared)/],
  'ResNet 3x3 @7': [{ x: [512, 7], outputs: 512, kernel: 3 }, /shared/],
  'VGG 3x3 256 @56': [{ x: [256, 56], outputs: 256, kernel: 3 }, /^winograd 4x4, 3x3, shared/],
  'VGG 3x3 512 @14': [{ x: [512, 14], outputs: 512, kernel: 3 }, /^winograd 4x4, 3x3, shared/],
  'VGG first layer': [{ x: [3, 224], outputs: 64, kernel: 3 }, /^(direct|shared)/],
  'ResNet first layer': [{ x: [3, 224], outputs: 64, kernel: 7, stride: 2 }, /^(direct|shared)/],
  'MobileNet depthwise': [{ x: [512, 14], outputs: 512, kernel: 3, groups: 512 }, /^depthwise/],
};

describe.each([1, 16])('a batch of %i', (batch) => {
  test.each(Object.entries(LAYERS))('%s', (_, [layer, wanted]) => {
    expect(chosen(steps(layer, batch, GPU))).toMatch(wanted);
    expect(chosen(steps(layer, batch, { ...GPU, software: true }))).not.toContain('shared');
  });
});

/**
 * Batch, input and output channels, map, kernel; and by kernel the microseconds of its best tile on an H100 (driver 580, Dawn
 * through Vulkan): forward with bias and ReLU, weights in its cache.
 */
const MEASURED: readonly (readonly [readonly [number, number, number, number, number], Readonly<Record<string, number>>])[] = [
  [[16, 256, 256, 56, 3], { 'winograd 4x4, 3x3, shared': 611, 'winograd 2x2, 3x3, shared': 907, 'winograd 4x4, 3x3': 963, 'winograd 2x2, 3x3': 1497, shared: 1769, direct: 2678 }],
  [[1, 256, 256, 56, 3], { 'winograd 4x4, 3x3, shared': 61.4, 'winograd 4x4, 3x3': 71.1, 'winograd 2x2, 3x3, shared': 73.4, 'winograd 2x2, 3x3': 102, shared: 125 }],
  [[1, 64, 64, 224, 3], { 'winograd 4x4, 3x3, shared': 85.2, 'winograd 4x4, 3x3': 108, shared: 115, 'winograd 2x2, 3x3, shared': 122, 'winograd 2x2, 3x3': 159, direct: 175 }],
  [[1, 128, 128, 28, 3], { 'winograd 2x2, 3x3, shared': 15.6, 'winograd 4x4, 3x3, shared': 17.2, shared: 18.3, 'winograd 2x2, 3x3': 18.6, 'winograd 4x4, 3x3': 21.8, direct: 81.8 }],
  [[1, 256, 256, 14, 3], { 'winograd 2x2, 3x3, shared': 18.8, shared: 20.9, 'winograd 4x4, 3x3, shared': 22.1, 'winograd 4x4, 3x3': 25.7, 'winograd 2x2, 3x3': 27.6, direct: 158 }],
  [[1, 512, 512, 14, 3], { 'winograd 2x2, 3x3, shared': 34.5, 'winograd 4x4, 3x3, shared': 45.1, shared: 47.1, 'winograd 2x2, 3x3': 63.4, 'winograd 4x4, 3x3': 74.3 }],
  [[1, 512, 512, 7, 3], { shared: 24.7, 'winograd 2x2, 3x3, shared': 27.6, 'winograd 2x2, 3x3': 40.7, 'winograd 4x4, 3x3, shared': 42.6, 'winograd 4x4, 3x3': 73.5 }],
  [[1, 64, 256, 56, 1], { shared: 7.6, direct: 12.3 }],
  [[1, 1024, 256, 14, 1], { shared: 14.0, direct: 61.2 }],
  [[1, 2048, 512, 7, 1], { shared: 15.2, direct: 115 }],
];

test.each(MEASURED)('batch, channels, map, kernel %j: hardly slower than the fastest kernel on an H100', ([batch, channels, outputs, size, kernel], times) => {
  const taken = chosen(steps({ x: [channels, size], outputs, kernel }, batch, GPU)).replace(/,? tile .*$|^(shared) .*$/, '$1');
  expect(times[taken], taken).toBeLessThanOrEqual(1.35 * Math.min(...Object.values(times)));
});

test('a layer of few positions and many terms is divided among enough workgroups to fill a GPU', () => {
  const layer: Layer = { x: [512, 7], outputs: 512, kernel: 3 };
  const [product, sum] = steps(layer, 1, { ...GPU, kernels: { forced: 'shared' } });
  expect(sum!.kernel).toBe('conv2d_sum');
  expect(product!.grid[2]).toBeGreaterThan(1);
  expect(product!.grid[0] * product!.grid[1] * product!.grid[2]).toBeGreaterThanOrEqual(64);
  expect(steps(layer, 16, { ...GPU, kernels: { forced: 'shared' } })[0]!.grid[2]).toBeLessThan(product!.grid[2]);
});

test('parts whose sums do not fit a binding are not offered', () => {
  const layer: Layer = { x: [512, 7], outputs: 512, kernel: 3 };
  expect(steps(layer, 1, { ...GPU, maxBinding: 4 * 512 * 49, kernels: { forced: 'shared' } })).toHaveLength(1);
});

describe('the price', () => {
  const work = { groups: 1, channels: 256, outputs: 256, positions: 56 * 56, images: 1, rows: 3, columns: 3 };

  test('is never below the arithmetic of 64 cores, and grows with the work', () => {
    const least = (256 * 256 * 9 * 56 * 56) / (64 * 128);
    for (const tile of SHARED_TILES) {
      const cost = gpuSharedCost(tile, work, 1);
      expect(cost).toBeGreaterThan(least);
      expect(gpuSharedCost(tile, { ...work, images: 16 }, 1)).toBeGreaterThan(10 * cost);
    }
    expect(gpuDirectCost({ tileM: 16, tileP: 4 }, work)).toBeGreaterThan(least);
  });

  test('large tiles cost less where there is work for all cores, small ones where there is not', () => {
    const [large, small] = [SHARED_TILES[1]!, SHARED_TILES[5]!];
    expect(gpuSharedCost(large, { ...work, images: 16 }, 1)).toBeLessThan(gpuSharedCost(small, { ...work, images: 16 }, 1));
    const few = { ...work, positions: 49 };
    expect(gpuSharedCost(small, few, 1)).toBeLessThan(gpuSharedCost(large, few, 1));
  });

  test('parts are long enough to be worth a workgroup', () => {
    expect(partsFor(27)).toEqual([1]);
    expect(partsFor(4608)).toEqual([1, 2, 4, 8, 16]);
  });
});
