/** Packs convolution weights into the order in which the kernel reads them, once per plan. */

export interface Packing {
  readonly groups: number;
  /** Output and input channels of one group. */
  readonly outputs: number;
  readonly channels: number;
  readonly kernel: readonly [number, number];
  readonly tileM: number;
}

/** [groups M, C, KH, KW] -> [groups, tiles, C, KH, KW, TILE_M]; rows past M are zero. */
export function packForward(weight: Float32Array, p: Packing): Float32Array {
  const taps = p.kernel[0] * p.kernel[1];
  const tiles = Math.ceil(p.outputs / p.tileM);
  const packed = new Float32Array(p.groups * tiles * p.channels * taps * p.tileM);
  for (let group = 0; group < p.groups; group++) {
    for (let m = 0; m < p.outputs; m++) {
      const tile = Math.floor(m / p.tileM);
      const to = (group * tiles + tile) * p.channels * taps * p.tileM + (m % p.tileM);
      const from = (group * p.outputs + m) * p.channels * taps;
      for (let k = 0; k < p.channels * taps; k++) packed[to + k * p.tileM] = weight[from + k]!;
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
 * The weights of the gradient: input and output channels exchange roles and the taps turn round. Row
 * (c, ry, rx) of a group holds the taps ky = ry + phase j of channel c (kx likewise), last j first.
 */
export function packGradient(
  weight: Float32Array,
  p: Packing & { readonly phase: readonly [number, number]; readonly taps: readonly [number, number] },
): Float32Array {
  const [kernelHeight, kernelWidth] = p.kernel;
  const rows = p.channels * p.phase[0] * p.phase[1];
  const tiles = Math.ceil(rows / p.tileM);
  const taps = p.taps[0] * p.taps[1];
  const packed = new Float32Array(p.groups * tiles * p.outputs * taps * p.tileM);
  for (let group = 0; group < p.groups; group++) {
    for (let m = 0; m < p.outputs; m++) {
      for (let c = 0; c < p.channels; c++) {
        const from = ((group * p.outputs + m) * p.channels + c) * kernelHeight * kernelWidth;
        for (let ky = 0; ky < kernelHeight; ky++) {
          for (let kx = 0; kx < kernelWidth; kx++) {
            const row = (c * p.phase[0] + (ky % p.phase[0])) * p.phase[1] + (kx % p.phase[1]);
            const ty = p.taps[0] - 1 - Math.floor(ky / p.phase[0]);
            const tx = p.taps[1] - 1 - Math.floor(kx / p.phase[1]);
            const tile = group * tiles + Math.floor(row / p.tileM);
            const to = ((tile * p.outputs + m) * taps + ty * p.taps[1] + tx) * p.tileM + (row % p.tileM);
            packed[to] = weight[from + ky * kernelWidth + kx]!;
          }
        }
      }
    }
  }
  return packed;
}
