/** Packs convolution weights into the order in which the kernels read them, once per plan. */
import type { WinogradMatrices } from './winograd.ts';

export interface Packing {
  readonly groups: number;
  /** Output and input channels of one group. */
  readonly outputs: number;
  readonly channels: number;
  /** KH KW. */
  readonly taps: number;
  readonly tileM: number;
}

/** [groups, M, C, KH, KW] -> [groups, tiles, C, KH, KW, TILE_M]; rows past M are zero. */
export function packWeights(weight: Float32Array, p: Packing): Float32Array {
  const tiles = Math.ceil(p.outputs / p.tileM);
  const terms = p.channels * p.taps;
  const packed = new Float32Array(p.groups * tiles * terms * p.tileM);
  for (let group = 0; group < p.groups; group++) {
    for (let m = 0; m < p.outputs; m++) {
      const to = (group * tiles + Math.floor(m / p.tileM)) * terms * p.tileM + (m % p.tileM);
      const from = (group * p.outputs + m) * terms;
      for (let k = 0; k < terms; k++) packed[to + k * p.tileM] = weight[from + k]!;
    }
  }
  return packed;
}

/** One value per output channel, padded like the rows of the tiles. */
export function packRows(values: Float32Array, p: Packing): Float32Array {
  const tiles = Math.ceil(p.outputs / p.tileM);
  const packed = new Float32Array(p.groups * tiles * p.tileM);
  for (let group = 0; group < p.groups; group++) {
    for (let m = 0; m < p.outputs; m++) packed[group * tiles * p.tileM + m] = values[group * p.outputs + m]!;
  }
  return packed;
}

/**
 * [groups, M, C, KH, KW] -> G w G', [products, groups, tiles, C, TILE_M], in double precision until it is stored.
 * `vertical` and `horizontal` are the matrices of the two axes.
 */
export function packWinograd(weight: Float32Array, p: Packing, vertical: WinogradMatrices, horizontal: WinogradMatrices): Float32Array {
  const tiles = Math.ceil(p.outputs / p.tileM);
  const { groups, channels, outputs, tileM } = p;
  const [kernelHeight, kernelWidth] = [vertical.taps, horizontal.taps];
  const products = vertical.size * horizontal.size;
  const stride = groups * tiles * channels * tileM;
  const packed = new Float32Array(products * stride);
  const half = new Float64Array(vertical.size * kernelWidth);
  for (let row = 0; row < groups * outputs; row++) {
    const m = row % outputs;
    const tile = Math.floor(row / outputs) * tiles + Math.floor(m / tileM);
    for (let c = 0; c < channels; c++) {
      const from = (row * channels + c) * kernelHeight * kernelWidth;
      for (let i = 0; i < vertical.size; i++) {
        for (let kx = 0; kx < kernelWidth; kx++) {
          let sum = 0;
          for (let ky = 0; ky < kernelHeight; ky++) sum += vertical.g[i]![ky]! * weight[from + ky * kernelWidth + kx]!;
          half[i * kernelWidth + kx] = sum;
        }
      }
      const to = (tile * channels + c) * tileM + (m % tileM);
      for (let i = 0; i < vertical.size; i++) {
        for (let j = 0; j < horizontal.size; j++) {
          let sum = 0;
          for (let kx = 0; kx < kernelWidth; kx++) sum += horizontal.g[j]![kx]! * half[i * kernelWidth + kx]!;
          packed[(i * horizontal.size + j) * stride + to] = sum;
        }
      }
    }
  }
  return packed;
}
