/**
 * From a picture to a network's input: x[c] = (pixel[c] * range / 255 - mean[c]) / std[c].
 * What the numbers are belongs to the network; nothing is guessed here.
 */
import { UnitscopeError } from '../errors.ts';
import type { Preprocess, Shape, Tensor } from '../network/network.ts';
import type { Color, Image } from './image.ts';
import { fitImage, overColor } from './image.ts';

/** Where the planes of a network's input lie in RGBA. Gray has no entry of its own: it is the luma. */
const PLANES: Readonly<Record<Preprocess['channels'], readonly number[]>> = {
  RGB: [0, 1, 2],
  BGR: [2, 1, 0],
  gray: [0],
};

/** For each of the network's channels, the index of its colour in RGBA (gray: 0). Throws `usage` for no such order. */
export function channelPlanes(channels: Preprocess['channels']): readonly number[] {
  if (!Object.hasOwn(PLANES, channels)) throw wrongField('channels', `must be RGB, BGR or gray, got '${channels}'`);
  return PLANES[channels];
}

/**
 * The input tensor [1, C, H, W] of one picture; `shape` is the network's input [N, C, H, W].
 * A picture of exactly H x W is taken pixel by pixel, any other is scaled as `preprocess.fit` says.
 * Transparent parts show the mean colour, which is x = 0. A gray network gets the luma
 * (0.299 R + 0.587 G + 0.114 B, rounded), which is the pixel itself where R = G = B.
 * The arithmetic is that of float32 programs, each step rounded, so that recorded inputs match to the bit.
 * Throws `usage` when shape and preprocessing contradict each other.
 */
export function preprocess(image: Image, preprocess: Preprocess, shape: Shape): Tensor {
  const [channels, height, width] = imageShape(shape);
  const values = valueTables(preprocess, channels);
  const { data } = fitImage(overColor(image, meanColor(preprocess)), width, height, preprocess.fit);

  const size = height * width;
  const x = new Float32Array(channels * size);
  PLANES[preprocess.channels].forEach((plane, c) => {
    const table = values[c] as Float32Array;
    for (let i = 0; i < size; i++) {
      const pixel = preprocess.channels === 'gray' ? luma(data, i * 4) : (data[i * 4 + plane] as number);
      x[c * size + i] = table[pixel] as number;
    }
  });
  return { shape: [1, channels, height, width], data: x };
}

/** Tensors [n, C, H, W] of one C, H, W joined along the batch axis. Throws `usage` when they do not agree. */
export function stackImages(tensors: readonly Tensor[]): Tensor {
  const first = tensors[0];
  if (!first) throw new UnitscopeError('usage', 'there is no image to stack');
  const inner = first.shape.slice(1);
  let batch = 0;
  for (const { shape } of tensors) {
    if (shape.length !== first.shape.length || inner.some((extent, axis) => extent !== shape[axis + 1])) {
      throw new UnitscopeError('usage', `cannot stack images of [${first.shape.join(', ')}] and [${shape.join(', ')}]`);
    }
    batch += shape[0] ?? 1;
  }
  const data = new Float32Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let offset = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, offset);
    offset += tensor.data.length;
  }
  return { shape: [batch, ...inner], data };
}

/** The values of x for a pixel of 0 and of 255, per channel: what lies outside is no picture. */
export function pixelBounds(preprocess: Preprocess, channels: number): { low: number[]; high: number[] } {
  const values = valueTables(preprocess, channels);
  return { low: values.map((table) => table[0] as number), high: values.map((table) => table[255] as number) };
}

/** The colour whose x is 0, in 0..255 RGB, clamped to what a pixel can be. */
export function meanColor(preprocess: Preprocess): Color {
  const color: [number, number, number] = [0, 0, 0];
  const level = (c: number) => Math.min(255, Math.max(0, ((preprocess.mean[c] ?? 0) * 255) / preprocess.range));
  if (preprocess.channels === 'gray') color.fill(level(0));
  else PLANES[preprocess.channels].forEach((plane, c) => (color[plane] = level(c)));
  return color;
}

/**
 * Throws `usage`, naming the field, unless the numbers can be used: `channels` planes, as many means and
 * stds, all finite, range and stds above 0.
 */
export function checkPreprocess(preprocess: Preprocess, channels = channelPlanes(preprocess.channels).length): void {
  const planes = channelPlanes(preprocess.channels);
  if (planes.length !== channels) {
    throw wrongField('channels', `are ${preprocess.channels}, but the network's input has ${channels} channel(s)`);
  }
  if (!(preprocess.range > 0 && Number.isFinite(preprocess.range))) {
    throw wrongField('range', `must be above 0, got ${preprocess.range}`);
  }
  for (const field of ['mean', 'std'] as const) {
    const values = preprocess[field];
    if (values.length !== channels) {
      throw wrongField(field, `needs ${channels} number(s) for ${preprocess.channels}, got ${values.length}`);
    }
    if (!values.every((value) => Number.isFinite(value) && (field === 'mean' || value > 0))) {
      throw wrongField(field, `must be ${field === 'mean' ? 'finite' : 'above 0'}, got ${values.join(', ')}`);
    }
  }
  if (preprocess.fit !== 'crop' && preprocess.fit !== 'stretch') {
    throw wrongField('fit', `must be crop or stretch, got '${String(preprocess.fit)}'`);
  }
}

/** The `usage` error about one field of a preprocessing. */
export function wrongField(field: string, complaint: string): UnitscopeError {
  return new UnitscopeError(
    'usage',
    `the preprocessing's ${field} ${complaint}`,
    { attribute: field },
    'x = (pixel * range / 255 - mean) / std, for example channels=BGR;range=255;mean=104,117,123;std=1',
  );
}

/** x for each of the 256 pixel values, per channel. */
function valueTables(preprocess: Preprocess, channels: number): Float32Array[] {
  checkPreprocess(preprocess, channels);
  const { range, mean, std } = preprocess;
  return mean.map((m, c) =>
    Float32Array.from({ length: 256 }, (_, pixel) => {
      const centred = Math.fround(Math.fround((pixel * range) / 255) - Math.fround(m));
      return centred / Math.fround(std[c] as number);
    }),
  );
}

function imageShape(shape: Shape): [number, number, number] {
  const [, channels, height, width] = shape;
  if (shape.length !== 4 || !channels || !height || !width) {
    throw new UnitscopeError('usage', `a picture needs an input of [N, C, H, W], this one is [${shape.join(', ')}]`);
  }
  return [channels, height, width];
}

/** ITU-R BT.601 luma, as image libraries convert to gray. */
function luma(data: Uint8ClampedArray, i: number): number {
  return Math.round(0.299 * (data[i] as number) + 0.587 * (data[i + 1] as number) + 0.114 * (data[i + 2] as number));
}
