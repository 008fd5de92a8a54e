/** Pictures in pixel levels, 0..255 in the network's order of channels: what changes of a picture are counted in. */
import { UnitscopeError } from '../errors.ts';
import { deprocess } from '../image/deprocess.ts';
import type { Image } from '../image/image.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';

/** How far from a whole level the rounding of float32 may leave what was one. */
const ROUNDING = 1e-3;

/** The preprocessing that is given or, failing that, the network's own. @throws usage where there is none */
export function neededPreprocess(network: Network, given: Preprocess | undefined): Preprocess {
  const preprocess = given ?? network.preprocess;
  if (!preprocess) throw new UnitscopeError('usage', `'${network.name}' does not say how its input is preprocessed`, {}, 'give mean, scale, channel order and range');
  return preprocess;
}

/** x [N, C, H, W] in network units as pixel levels; whole levels come back whole. */
export function pixelLevels(x: Tensor, { range, mean, std }: Preprocess): Tensor {
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const data = x.data.map((value, i) => {
    const c = Math.floor(i / (height * width)) % channels;
    const level = ((value * std[c]! + mean[c]!) * 255) / range;
    const whole = Math.round(level);
    // + 0: what was 0 is not -0.
    return Math.abs(level - whole) < ROUNDING ? whole + 0 : level;
  });
  return { shape: x.shape, data };
}

/** Pixel levels [N, C, H, W] as a picture, rounded and clamped to what 8 bits hold. */
export function pictureOfLevels(levels: Tensor, preprocess: Preprocess, index = 0): Image {
  return deprocess(levels, { ...preprocess, range: 255, mean: preprocess.mean.map(() => 0), std: preprocess.std.map(() => 1) }, index);
}

/** A change in pixel levels [N, C, H, W] `gain` times as large, around mid grey. */
export function pictureOfChange(change: Tensor, preprocess: Preprocess, { gain, index = 0 }: { readonly gain: number; readonly index?: number }): Image {
  return pictureOfLevels({ shape: change.shape, data: change.data.map((value) => 128 + gain * value) }, preprocess, index);
}
