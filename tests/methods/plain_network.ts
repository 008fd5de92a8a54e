/** A small network, pictures in memory, and what its layers answer to one of them in plain float64 loops. */
import { createImage, type Image } from '../../src/image/image.ts';
import { preprocess } from '../../src/image/preprocess.ts';
import type { Picture, PictureSet } from '../../src/methods/pictures.ts';
import type { Network, Node, Preprocess, Tensor } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { numbers, random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

export const INPUT = [1, 3, 12, 10] as const;

export const WAY: Preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.4, 0.3], std: [0.25, 0.3, 0.2], fit: 'stretch' };

/** conv1 [4, 12, 10], relu1, pool1 [4, 6, 5], conv2 [6, 6, 5], relu2, fc [7]. */
export function plainNetwork(change: (node: Node) => Node = (layer) => layer): Network {
  const nodes = [
    convolution('conv1', 'x', [4, 3, 3], 11),
    node('relu1', 'relu', ['conv1.y']),
    node('pool1', 'max_pool', ['relu1.y'], { kernel: [2, 2], stride: [2, 2] }),
    convolution('conv2', 'pool1.y', [6, 4, 3], 12),
    node('relu2', 'relu', ['conv2.y']),
    node('fc', 'dense', ['relu2.y'], {}, { weight: random([7, 180], 13), bias: random([7], 14) }),
  ];
  return { ...network({ x: INPUT }, nodes.map(change)), preprocess: WAY };
}

/** Noise, another for each seed. */
export function noise(seed: number, [, , height, width]: readonly number[] = INPUT): Image {
  const { integer } = numbers(seed);
  const image = createImage(width!, height!, [0, 0, 0]);
  for (let i = 0; i < image.data.length; i++) if (i % 4 < 3) image.data[i] = integer(0, 255);
  return image;
}

export function pictureSet(images: readonly Image[], labels: readonly string[] = []): PictureSet {
  return {
    labels,
    pictures: images.map((image, n): Picture => ({ name: `picture ${n}`, ...(labels.length > 0 && { label: n % labels.length }), read: () => Promise.resolve(image) })),
  };
}

/** Every layer of a network of plain convolutions, ReLU, max pooling and dense layers, by name. */
export function answersTo(net: Network, image: Image, way = WAY): Map<string, { readonly shape: readonly number[]; readonly data: Float64Array }> {
  const shapes = shapesOf(net);
  const input = preprocess(image, way, net.inputs[0]!.shape);
  const found = new Map<string, { shape: readonly number[]; data: Float64Array }>([['x', { shape: input.shape, data: Float64Array.from(input.data) }]]);
  for (const layer of net.nodes) {
    const shape = shapes.get(layer.output)!;
    const answer = { shape, data: computed(layer, found.get(layer.inputs[0]!)!, shape) };
    found.set(layer.output, answer);
    found.set(layer.name, answer);
  }
  return found;
}

function computed({ op, attributes, weights }: Node, x: { shape: readonly number[]; data: Float64Array }, shape: readonly number[]): Float64Array {
  const y = new Float64Array(shape.reduce((a, b) => a * b, 1));
  if (op === 'relu') return x.data.map((value) => Math.max(value, 0));
  const { weight, bias } = weights as { weight: Tensor; bias: Tensor };
  if (op === 'dense') return y.map((_, m) => x.data.reduce((sum, value, k) => sum + value * weight.data[m * x.data.length + k]!, bias.data[m]!));
  const [, C, H, W] = x.shape as [number, number, number, number];
  const [, , OH, OW] = shape as [number, number, number, number];
  return y.map((_, i) => {
    const [m, oy, ox] = [Math.floor(i / (OH * OW)), Math.floor(i / OW) % OH, i % OW];
    if (op === 'max_pool') {
      const [a, b] = attributes.stride as [number, number];
      let most = -Infinity;
      for (let ky = 0; ky < a; ky++) for (let kx = 0; kx < b; kx++) most = Math.max(most, x.data[(m * H + oy * a + ky) * W + ox * b + kx]!);
      return most;
    }
    const K = weight.shape[2]!;
    const pad = (K - 1) / 2;
    let sum: number = bias.data[m]!;
    for (let c = 0; c < C; c++) {
      for (let ky = 0; ky < K; ky++) {
        for (let kx = 0; kx < K; kx++) {
          const [iy, ix] = [oy + ky - pad, ox + kx - pad];
          if (iy >= 0 && ix >= 0 && iy < H && ix < W) sum += x.data[(c * H + iy) * W + ix]! * weight.data[((m * C + c) * K + ky) * K + kx]!;
        }
      }
    }
    return sum;
  });
}
