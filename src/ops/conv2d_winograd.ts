/** Convolution by Winograd's minimal filtering: transform tiles of the input, multiply per product, transform back. */
import type { SharedTile } from '../../shaders/conv2d_shared.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { WINOGRAD_WORDS, winogradInput, winogradOutput, winogradSizes } from '../../shaders/winograd.wgsl.ts';
import { NO_ACTIVATION } from './activation.ts';
import { convolve } from './conv2d_direct.ts';
import { phaseWeights, type Problem } from './conv2d_problem.ts';
import { multiplyShared, sharedWeights } from './conv2d_shared.ts';
import type { Tile } from './conv2d_tile.ts';
import { packWinograd } from './conv2d_weights.ts';
import type { Choice, Recorder } from './op.ts';
import { winogradMatrices } from './winograd.ts';

/** Sizes of the three steps. */
export interface WinogradShape {
  /** Outputs of a tile and taps along one axis, and products of a tile. */
  readonly outputs: number;
  readonly taps: number;
  readonly products: number;
  /** Input channels of one group, phases included. */
  readonly channels: number;
  readonly tilesX: number;
  readonly tilesPerImage: number;
  readonly tiles: number;
  /** Bytes of the transformed input, of the products and of the transformed weights. */
  readonly bytes: readonly [number, number, number];
}

/** The shape for `size` products along an axis; undefined where the layer is not one for Winograd. */
export function winogradShape(p: Problem, size: number): WinogradShape | undefined {
  const [sy, sx] = p.stride;
  const taps = Math.ceil(p.kernel[0] / sy);
  const square = taps === Math.ceil(p.kernel[1] / sx) && p.dilation[0] * p.dilation[1] * p.insert[0] * p.insert[1] === 1;
  const outputs = size - taps + 1;
  if (!square || taps < 2 || outputs < 2) return undefined;
  const channels = p.channels * sy * sx;
  const tilesX = Math.ceil(p.outWidth / outputs);
  const tilesPerImage = Math.ceil(p.outHeight / outputs) * tilesX;
  const tiles = tilesPerImage * p.x.shape[0]!;
  const products = size * size;
  const bytes = [channels * tiles, p.outputs * tiles, p.outputs * channels].map((count) => 4 * products * p.groups * count);
  return { outputs, taps, products, channels, tilesX, tilesPerImage, tiles, bytes: bytes as [number, number, number] };
}

export function recordWinograd(recorder: Recorder, p: Problem, shape: WinogradShape, tile: Tile | SharedTile, choice: Choice): void {
  const { tileM } = tile;
  const { outputs, taps, products, tiles, tilesX, tilesPerImage, channels } = shape;
  const matrices = winogradMatrices(outputs, taps);
  const { groups, gate, shuffle } = p;
  const [, inChannels, inHeight, inWidth] = p.x.shape as [number, number, number, number];
  const [, , outHeight, outWidth] = p.y.shape as [number, number, number, number];
  const name = (what: string): string => `${p.pass}.winograd${matrices.size}.${what}`;
  const sizesOf = (what: string, rows: number, s: { channels: number; height: number; width: number; top: number; left: number }) =>
    recorder.constant(name(what), [WINOGRAD_WORDS], () => winogradSizes({ count: rows * tiles, tiles, tilesX, tilesPerImage, ...s }));

  const rows = groups * channels;
  const v = recorder.scratch(`${p.x.label}.tiles`, [1, products * rows, 1, tiles]);
  const input = sizesOf('input', rows, { channels: inChannels, height: inHeight, width: inWidth, top: p.top, left: p.left });
  recorder.dispatch({
    kernel: 'winograd',
    part: 'input',
    code: winogradInput({ bt: matrices.bt, outputs, stride: p.stride, activation: gate?.activation ?? NO_ACTIVATION, rule: gate?.rule ?? 'gradient' }),
    tensors: gate ? { sizes: input, x: p.x, gateBy: gate.by, v } : { sizes: input, x: p.x, v },
    grid: linearGrid(rows * tiles),
    flops: 0,
  });

  const made = groups * p.outputs;
  const y = recorder.scratch(`${p.y.label}.products`, [1, products * made, 1, tiles]);
  const packed = { groups, outputs: p.outputs, channels, taps: taps * taps, tileM };
  const tilesM = Math.ceil(p.outputs / tileM);
  const transformed = (): Float32Array => packWinograd(phaseWeights(p).weights(), packed, matrices, matrices);
  const packing = [products, groups * tilesM, channels, tileM];
  const w = 'depth' in tile ? sharedWeights(recorder, name('weight'), packing, transformed) : recorder.constant(name('weight'), packing, transformed);
  const multiply = { groups: products * groups, channels, outputs: p.outputs, height: 1, width: tiles, outHeight: 1, outWidth: tiles };
  const plain = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1] } as const;
  const how = { activation: NO_ACTIVATION, accumulate: false };
  const step = { flops: p.flops, choice, part: 'products' };
  if ('depth' in tile) multiplyShared(recorder, name('products'), { x: v, w, y }, { ...multiply, ...plain, images: 1, top: 0, left: 0 }, tile, how, step);
  else convolve(recorder, name('products'), { x: v, w, y }, multiply, { ...plain, ...tile, ...how }, { images: 1, ...step });

  const { bias } = p;
  const target = shuffle
    ? { height: shuffle.height, width: shuffle.width, top: shuffle.origin[0], left: shuffle.origin[1] }
    : { height: outHeight, width: outWidth, top: 0, left: 0 };
  const output = sizesOf('output', made, { channels: made, ...target });
  const b = bias && recorder.constant('channel bias', [bias.length], () => bias);
  recorder.dispatch({
    kernel: 'winograd',
    part: 'output',
    code: winogradOutput({ at: matrices.at, bias: b !== undefined, activation: p.activation, accumulate: p.accumulate, ...(shuffle && { shuffle: shuffle.phase }) }),
    tensors: { sizes: output, products: y, ...(b && { bias: b }), y: p.y },
    grid: linearGrid(made * tiles),
    flops: 0,
  });
}
