/** Between pictures, the colours 0..1 that an image is made of, and what a network takes. */
import { COLOR_MATRIX, COLOR_MEAN } from '../../shaders/color.wgsl.ts';
import { createImage, fitImage, overColor, type Image } from '../image/image.ts';
import { channelPlanes } from '../image/preprocess.ts';
import { ancestors } from '../network/lookup.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import type { ColorOptions } from '../scheduler/parameterization.ts';
import type { InputMap } from '../scheduler/synthesis.ts';

/** ITU-R BT.601, as preprocessing makes grey of colours. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** From red, green and blue in 0..1 to the network's input. */
export function inputMap({ channels, range, mean, std }: Preprocess): InputMap {
  const planes = channelPlanes(channels);
  const share = (c: number, k: number): number => (channels === 'gray' ? LUMA[k]! : Number(planes[c] === k));
  return {
    matrix: mean.map((_, c) => [0, 1, 2].map((k) => (share(c, k) * range) / std[c]!)),
    offset: mean.map((m, c) => -m / std[c]!),
  };
}

/** The picture of image `index` of colours [N, 3, H, W] in 0..1; of a network that sees grey, in grey. */
export function colorPicture({ shape, data }: Tensor, { channels }: Pick<Preprocess, 'channels'>, index = 0): Image {
  const [, , height, width] = shape as [number, number, number, number];
  const plane = height * width;
  const image = createImage(width, height, [0, 0, 0]);
  for (let i = 0; i < plane; i++) {
    const color = [0, 1, 2].map((c) => 255 * data[(3 * index + c) * plane + i]!);
    const grey = color.reduce((sum, value, c) => sum + LUMA[c]! * value, 0);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = channels === 'gray' ? grey : color[c]!;
  }
  return image;
}

/** How close to black and white a sigmoid starts: it reaches neither. */
const MARGIN = 1 / 512;

/** Pixel parameters [3, H, W] that make the picture: the inverse of `recordPixelImage`. */
export function pixelsOf(picture: Image, height: number, width: number, { fit }: Pick<Preprocess, 'fit'>, { correlate = true, sigmoid = true }: ColorOptions): Float32Array {
  const { data } = fitImage(overColor(picture, [128, 128, 128]), width, height, fit);
  const plane = height * width;
  const back = inverse(COLOR_MATRIX);
  const parameters = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    const signals = [0, 1, 2].map((c) => {
      const color = data[4 * i + c]! / 255;
      const inside = Math.min(Math.max(color, MARGIN), 1 - MARGIN);
      return sigmoid ? Math.log(inside / (1 - inside)) : color - COLOR_MEAN[c]!;
    });
    for (let c = 0; c < 3; c++) parameters[c * plane + i] = correlate ? back[c]!.reduce((sum, factor, k) => sum + factor * signals[k]!, 0) : signals[c]!;
  }
  return parameters;
}

/** Of a matrix of three rows, by cofactors. */
function inverse(m: readonly (readonly number[])[]): number[][] {
  const cofactor = (row: number, column: number): number => {
    const [a, b, c, d] = [(row + 1) % 3, (row + 2) % 3, (column + 1) % 3, (column + 2) % 3] as const;
    return m[a]![c]! * m[b]![d]! - m[a]![d]! * m[b]![c]!;
  };
  const determinant = [0, 1, 2].reduce((sum, column) => sum + m[0]![column]! * cofactor(0, column), 0);
  return [0, 1, 2].map((row) => [0, 1, 2].map((column) => cofactor(column, row) / determinant));
}

/** The part of a network that makes the layers, for images of another size. What does not fit is told when it is compiled. */
export function withInputSize(network: Network, layers: readonly string[], { height, width }: { readonly height: number; readonly width: number }): Network {
  const nodes = ancestors(network, layers);
  const made = new Set(nodes.map(({ output }) => output));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return {
    ...network,
    nodes,
    outputs: [...made].filter((name) => !read.has(name)),
    inputs: network.inputs.filter(({ name }) => read.has(name)).map(({ name, shape }) => ({ name, shape: [...shape.slice(0, -2), height, width] })),
  };
}
