/** Where activation maximization starts: the three start images of Yosinski et al. 2015, from numpy's generator. */
import { NumpyRandom } from '../image/numpy_random.ts';

export const STARTS = ['mean_plus_rand', 'randu', 'mean'] as const;
export type Start = (typeof STARTS)[number];

/**
 * One image [C, H, W] in pixel units with the mean subtracted, clipped to nothing yet.
 * mean_plus_rand: N(0, 10); randu: U(0, 255) - mean; mean: 0. Values are drawn in double precision in C order, so
 * the same seed gives the start of the published logs.
 */
export function startImage(start: Start, seed: number, mean: readonly number[], plane: number): Float32Array {
  const image = new Float32Array(mean.length * plane);
  const random = new NumpyRandom(seed);
  if (start === 'mean_plus_rand') for (let i = 0; i < image.length; i++) image[i] = random.normal(0, 10);
  if (start === 'randu') for (let i = 0; i < image.length; i++) image[i] = random.uniform(0, 255) - mean[Math.floor(i / plane)]!;
  return image;
}
