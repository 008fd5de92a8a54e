/** Convolution by tiles in workgroup memory: for GPUs, and for all but what spreads its input with zeros. */
import {
  conv2dShared, SHARED_SIZES, sharedSizes, sharedTaps, sharedTapsLength, type SharedTile, type SharedVariant,
} from '../../shaders/conv2d_shared.wgsl.ts';
import { conv2dSum, SUM_SIZES, sumSizes } from '../../shaders/conv2d_sum.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { encodeFloat16 } from '../network/float16.ts';
import type { Shape } from '../network/network.ts';
import { NO_ACTIVATION } from './activation.ts';
import type { Pair, Problem } from './conv2d_problem.ts';
import { packRows, packWeights } from './conv2d_weights.ts';
import type { Choice, Recorder, TensorRef } from './op.ts';
import { elements } from './shape.ts';

/**
 * Large tiles use each number that is fetched more often; small ones waste less of a small layer, and are more of them. Of
 * two of one size, the one with more outputs an invocation is faster where a layer fills the GPU, the other where it does not.
 * Measured on an H100, VGG's 256 -> 256 at 56 x 56, 16 images: 64x128 33.5 TFLOP/s, 128x64 32.3 (8x4: 30.1), 64x64 32.3,
 * 128x128 28.2 (16 terms deep: 26.6), 256x64 26.6.
 */
export const SHARED_TILES: readonly SharedTile[] = [
  { tileM: 128, tileP: 128, rows: 8, columns: 8, depth: 8 },
  { tileM: 128, tileP: 64, rows: 8, columns: 8, depth: 16 },
  { tileM: 128, tileP: 64, rows: 8, columns: 4, depth: 16 },
  { tileM: 64, tileP: 128, rows: 8, columns: 8, depth: 16 },
  { tileM: 64, tileP: 64, rows: 8, columns: 4, depth: 16 },
  { tileM: 64, tileP: 64, rows: 4, columns: 4, depth: 16 },
  { tileM: 64, tileP: 32, rows: 4, columns: 4, depth: 16 },
  { tileM: 32, tileP: 64, rows: 8, columns: 4, depth: 16 },
  { tileM: 32, tileP: 32, rows: 4, columns: 4, depth: 16 },
  { tileM: 64, tileP: 16, rows: 4, columns: 2, depth: 16 },
  { tileM: 16, tileP: 128, rows: 4, columns: 4, depth: 16 },
];

/** A convolution as the kernel sees it: what of a `Problem` its sizes and its text depend on. */
export interface SharedLayer extends Pick<Problem, 'groups' | 'channels' | 'outputs' | 'kernel' | 'stride' | 'dilation' | 'top' | 'left' | 'outHeight' | 'outWidth'> {
  readonly images: number;
  readonly height: number;
  readonly width: number;
}

/** The layer of a problem; undefined where the kernel does not serve it. */
export function sharedLayer(p: Problem): SharedLayer | undefined {
  const [images, , height, width] = p.x.shape as [number, number, number, number];
  // A place in the window is 16 bits of a row and 16 of a column.
  const fits = p.kernel.every((taps, axis) => (taps - 1) * p.dilation[axis]! < 0xffff);
  return fits && p.insert[0] * p.insert[1] === 1 ? { ...p, images, height, width } : undefined;
}

/** True where every term of every position lies inside the image, and a position is one element. */
function isPoint({ kernel, stride, top, left, height, width, outHeight, outWidth }: SharedLayer): boolean {
  const inside = (last: number, before: number, size: number): boolean => before <= 0 && last - before < size;
  return kernel[0] * kernel[1] === 1 && inside((outHeight - 1) * stride[0], top, height) && inside((outWidth - 1) * stride[1], left, width);
}

interface Operands {
  readonly x: TensorRef;
  /** As `packWeights` and `packRows` lay them out for the tile. */
  readonly w: TensorRef;
  readonly bias?: TensorRef | undefined;
  readonly y: TensorRef;
}

/** Packed weights as the kernel reads them: 16 bits each, two to a word, where the engine was asked for that. */
export function sharedWeights(recorder: Recorder, label: string, shape: Shape, make: () => Float32Array): TensorRef {
  if (!recorder.capabilities.f16) return recorder.constant(label, shape, make);
  return recorder.constant(`${label}.f16`, [elements(shape) / 2], () => new Uint32Array(encodeFloat16(make()).buffer));
}

/** Records the kernel itself; with more than one part of the terms y is [parts, groups M, N OH OW]. */
export function multiplyShared(
  recorder: Recorder,
  label: string,
  { x, w, bias, y }: Operands,
  layer: SharedLayer,
  tile: SharedTile,
  how: Pick<SharedVariant, 'activation' | 'accumulate'> & { readonly gate?: Problem['gate']; readonly shuffle?: Problem['shuffle']; readonly parts?: number },
  step: { readonly flops: number; readonly choice?: Choice; readonly part?: string },
): void {
  const { groups, channels, outputs, kernel, dilation, images, height, width, outHeight, outWidth } = layer;
  const { gate, shuffle, parts = 1, ...rest } = how;
  const terms = channels * kernel[0] * kernel[1];
  const tiles = Math.ceil(outputs / tile.tileM);
  const positions = images * outHeight * outWidth;
  const plane = height * width;
  const point = isPoint(layer);
  const turns = Math.ceil(Math.ceil(terms / tile.depth) / parts);
  const sizes = recorder.constant(`${label}.sizes`, [SHARED_SIZES], () =>
    sharedSizes({
      groups,
      outputs,
      terms,
      tiles,
      plane,
      groupSize: channels * plane,
      height,
      width,
      outWidth,
      area: outHeight * outWidth,
      positions,
      strideY: layer.stride[0],
      strideX: layer.stride[1],
      top: layer.top,
      left: layer.left,
      turns,
      ...sizesOfImage(shuffle),
    }),
  );
  const taps = point ? undefined : recorder.constant(`${label}.taps`, [sharedTapsLength(terms)], () => sharedTaps({ channels, plane, width, kernel, dilation }));
  recorder.dispatch({
    kernel: 'conv2d_shared',
    code: conv2dShared({
      ...tile,
      ...rest,
      point,
      bias: bias !== undefined,
      parts: parts > 1,
      half: recorder.capabilities.f16 ?? false,
      ...(gate && { gate }),
      ...(shuffle && { shuffle: shuffle.phase }),
    }),
    tensors: { sizes, x, ...(gate && { gateBy: gate.by }), ...(taps && { taps }), w, ...(bias && { bias }), y },
    grid: [Math.ceil(positions / tile.tileP), groups * tiles, parts],
    ...step,
  });
}

const sizesOfImage = (shuffle: Problem['shuffle']) => ({
  originY: shuffle?.origin[0] ?? 0,
  originX: shuffle?.origin[1] ?? 0,
  imageHeight: shuffle?.height ?? 0,
  imageWidth: shuffle?.width ?? 0,
});

export function recordShared(recorder: Recorder, p: Problem, layer: SharedLayer, tile: SharedTile, parts: number, choice: Choice): void {
  const { groups, channels, outputs, activation, accumulate, shuffle, gate, flops } = p;
  const terms: Pair = p.kernel;
  const packed = { groups, outputs, channels, taps: terms[0] * terms[1], tileM: tile.tileM };
  const label = `${p.pass}.shared`;
  const w = sharedWeights(recorder, `${label}.weight`, [groups, Math.ceil(outputs / tile.tileM), channels, packed.taps, tile.tileM], () => packWeights(p.weights(), packed));
  if (parts === 1) {
    const bias = p.bias && recorder.constant(`${label}.bias`, [groups, Math.ceil(outputs / tile.tileM) * tile.tileM], () => packRows(p.bias!, packed));
    multiplyShared(recorder, label, { x: p.x, w, bias, y: p.y }, layer, tile, { activation, accumulate, ...(gate && { gate }), ...(shuffle && { shuffle }) }, { flops, choice });
    return;
  }
  const rows = groups * outputs;
  const area = p.outHeight * p.outWidth;
  const positions = layer.images * area;
  const sums = recorder.scratch(`${p.y.label}.sums`, [parts, rows, positions]);
  multiplyShared(recorder, label, { x: p.x, w, y: sums }, layer, tile, { activation: NO_ACTIVATION, accumulate: false, parts, ...(gate && { gate }) }, { flops, choice });
  const sizes = recorder.constant(`${p.pass}.sums`, [SUM_SIZES], () =>
    sumSizes({ count: rows * positions, rows, positions, area, outWidth: p.outWidth, parts, ...sizesOfImage(shuffle) }),
  );
  const bias = p.bias && recorder.constant('channel bias', [p.bias.length], () => p.bias!);
  recorder.dispatch({
    kernel: 'conv2d_sum',
    part: 'sum',
    code: conv2dSum({ bias: bias !== undefined, activation, accumulate, ...(shuffle && { shuffle: shuffle.phase }) }),
    tensors: { sizes, sums, ...(bias && { bias }), y: p.y },
    grid: linearGrid(rows * positions),
    flops: 0,
  });
}
