/** Input without files: patches of colour with noise over them, about as large as a normalized photograph. */
import type { Shape, Tensor } from '../../src/network/network.ts';
import { formulaTensor } from '../recorded/formula_weights.ts';

const PATCHES = 5;

/** [N, C, H, W], mean square about 1; every name gives another picture. */
export function picture(name: string, shape: Shape): Tensor {
  const [images, channels, height, width] = shape as [number, number, number, number];
  const patches = formulaTensor(`${name}/patches`, [images, channels, PATCHES, PATCHES], 1.5).data;
  const { data } = formulaTensor(`${name}/noise`, shape, 0.9);
  for (let plane = 0, i = 0; plane < images * channels; plane++) {
    for (let y = 0; y < height; y++) {
      const row = (plane * PATCHES + Math.floor((y * PATCHES) / height)) * PATCHES;
      for (let x = 0; x < width; x++, i++) data[i]! += patches[row + Math.floor((x * PATCHES) / width)]!;
    }
  }
  return { shape, data };
}
