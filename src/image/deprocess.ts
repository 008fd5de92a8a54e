/** From a network's input, or a gradient at it, back to a picture. The inverse of preprocess.ts. */
import { UnitscopeError } from '../errors.ts';
import type { Preprocess, Tensor } from '../network/network.ts';
import { mapPlane } from './colormap.ts';
import type { ColorMapName } from './colormap.ts';
import type { Image } from './image.ts';
import { createImage } from './image.ts';
import { channelPlanes, checkPreprocess } from './preprocess.ts';

/** One image [C, H, W] of a batch. */
interface Planes {
  channels: number;
  height: number;
  width: number;
  data: Float32Array;
}

/** pixel = (x * std + mean) * 255 / range of image `index` of x [N, C, H, W], rounded and clamped to 0..255. */
export function deprocess(x: Tensor, preprocess: Preprocess, index = 0): Image {
  const { range, mean, std } = preprocess;
  const planes = imageOf(x, preprocess, index);
  return compose(planes, preprocess, (value, c) => ((value * (std[c] as number) + (mean[c] as number)) * 255) / range);
}

/**
 * What x adds to the mean colour: 0 is mid grey, the largest deviation is black or white, one scale for all
 * channels (the `best_X` picture of the Deep Visualization Toolbox). Deviations count in pixel units, x * std.
 */
export function contrastStretch(x: Tensor, preprocess: Preprocess, index = 0): Image {
  const planes = imageOf(x, preprocess, index);
  const size = planes.height * planes.width;
  const scaled = planes.data.map((value, i) => value * (preprocess.std[Math.floor(i / size)] as number));
  return symmetric({ ...planes, data: scaled }, preprocess);
}

/** How a gradient is shown. `norm` is the L2 norm over the channels, drawn with `map`. */
export interface GradientDisplay {
  /** `raw`: colour, 0 is mid grey. `grey`: the channels' mean, 0 is mid grey. `norm`: strength alone. */
  mode: 'raw' | 'grey' | 'norm';
  /** For `norm`; `ember` unless told. */
  map?: ColorMapName;
}

/** The gradient dx [N, C, H, W] of image `index` at its own largest contrast. */
export function normalizedGradient(dx: Tensor, preprocess: Preprocess, display: GradientDisplay, index = 0): Image {
  const planes = imageOf(dx, preprocess, index);
  if (display.mode === 'raw') return symmetric(planes, preprocess);
  const { channels, height, width, data } = planes;
  const size = height * width;
  const plane = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const value = data[c * size + i] as number;
      sum += display.mode === 'norm' ? value * value : value;
    }
    plane[i] = display.mode === 'norm' ? Math.sqrt(sum) : sum / channels;
  }
  if (display.mode === 'norm') return mapPlane(plane, width, height, display.map ?? 'ember');
  return symmetric({ channels: 1, height, width, data: plane }, preprocess);
}

/** 0 to mid grey, +-max |value| to white and black. Values that are not finite do not set the scale. */
function symmetric(planes: Planes, preprocess: Preprocess): Image {
  let peak = 0;
  for (const value of planes.data) if (Number.isFinite(value)) peak = Math.max(peak, Math.abs(value));
  const scale = peak > 0 ? 127.5 / peak : 0;
  return compose(planes, preprocess, (value) => 127.5 + value * scale);
}

/** Writes the planes in RGB order; one plane is written to all three. */
function compose(planes: Planes, preprocess: Preprocess, pixel: (value: number, channel: number) => number): Image {
  const { channels, height, width, data } = planes;
  const image = createImage(width, height, [0, 0, 0]);
  const size = height * width;
  const order = channelPlanes(preprocess.channels);
  for (let c = 0; c < channels; c++) {
    const targets = channels === 1 ? [0, 1, 2] : [order[c] as number];
    for (let i = 0; i < size; i++) {
      const value = pixel(data[c * size + i] as number, c);
      for (const target of targets) image.data[i * 4 + target] = value;
    }
  }
  return image;
}

function imageOf(x: Tensor, preprocess: Preprocess, index: number): Planes {
  const [batch, channels, height, width] = x.shape;
  if (x.shape.length !== 4 || !batch || !channels || !height || !width) {
    throw new UnitscopeError('usage', `a picture is made from [N, C, H, W], not from [${x.shape.join(', ')}]`);
  }
  if (!Number.isInteger(index) || index < 0 || index >= batch) {
    throw new UnitscopeError('usage', `there is no image ${index} in a batch of ${batch}`);
  }
  checkPreprocess(preprocess, channels);
  const size = channels * height * width;
  return { channels, height, width, data: x.data.subarray(index * size, (index + 1) * size) };
}
