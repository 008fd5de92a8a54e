/** What a patch shows in place of the picture under it: a whole picture in network units, of which it shows its part. */
import { UnitscopeError } from '../errors.ts';
import { pixelBounds } from '../image/preprocess.ts';
import type { Preprocess, Tensor } from '../network/network.ts';
import { pixelUnits } from './maximize.ts';
import { gaussianTaps } from './settings.ts';
import { startImage } from './start_image.ts';

/**
 * mean: 0 in network units, the mean colour of the preprocessing (the patch of zeros of a network that takes mean-subtracted
 * pixels). zero: black, 0 in pixel levels; the same thing where the mean is 0. blur: the picture under a Gaussian whose standard
 * deviation is a quarter of the patch. noise: every value uniform in 0..255 pixel levels, from numpy's generator and a seed.
 */
export const FILLS = ['mean', 'zero', 'blur', 'noise'] as const;
export type Fill = (typeof FILLS)[number];

export interface FillOptions {
  /** Side of the patch in pixels. */
  readonly patch: number;
  readonly seed: number;
  /** Needed for what is told in pixel levels: zero and noise. */
  readonly preprocess?: Preprocess | undefined;
}

/** The fill for x [1, C, H, W], of its shape. @throws usage */
export function occlusionFill(kind: Fill, x: Tensor, { patch, seed, preprocess }: FillOptions): Tensor {
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const plane = height * width;
  const filled = (value: (i: number) => number): Tensor => ({ shape: x.shape, data: Float32Array.from({ length: channels * plane }, (_, i) => value(i)) });
  if (kind === 'mean') return filled(() => 0);
  if (kind === 'blur') return { shape: x.shape, data: blurred(x.data, channels, height, width, patch / 4) };
  if (!preprocess) throw new UnitscopeError('usage', `the fill '${kind}' is told in pixel levels, and the network does not say how they become its input`, {}, 'give mean, scale, channel order and range, or fill with mean or blur');
  if (kind === 'zero') {
    const { low } = pixelBounds(preprocess, channels);
    return filled((i) => low[Math.floor(i / plane)]!);
  }
  const { mean, scale } = pixelUnits(preprocess);
  const noise = startImage('randu', seed, mean, plane);
  return filled((i) => noise[i]! * scale[Math.floor(i / plane)]!);
}

/** Every plane under a Gaussian; past an edge the picture goes on mirrored, its edge sample twice. */
function blurred(data: Float32Array, channels: number, height: number, width: number, sigma: number): Float32Array {
  const taps = gaussianTaps(sigma);
  const along = (from: Float32Array, count: number, step: number, lines: readonly number[]): Float32Array => {
    const to = new Float32Array(from.length);
    for (const line of lines) {
      for (let i = 0; i < count; i++) {
        let sum = taps[0]! * from[line + i * step]!;
        for (let d = 1; d < taps.length; d++) sum += taps[d]! * (from[line + mirror(i - d, count) * step]! + from[line + mirror(i + d, count) * step]!);
        to[line + i * step] = sum;
      }
    }
    return to;
  };
  const rows = Array.from({ length: channels * height }, (_, row) => row * width);
  const columns = Array.from({ length: channels * width }, (_, n) => Math.floor(n / width) * height * width + (n % width));
  return along(along(data, width, 1, rows), height, width, columns);
}

function mirror(i: number, count: number): number {
  const turn = ((i % (2 * count)) + 2 * count) % (2 * count);
  return Math.min(turn, 2 * count - 1 - turn);
}
