/** SqueezeNet 1.1 (Iandola et al. 2016, the later release of its authors) with formula weights, 1.2 M. */
import type { Network } from '../../../src/index.ts';
import { Chain } from './chain.ts';

/** The fire modules: channels of the squeeze, and of each of the two expansions; a pooling stands before those named. */
const FIRES: readonly (readonly [name: string, squeeze: number, expand: number])[] = [
  ['fire2', 16, 64],
  ['fire3', 16, 64],
  ['fire4', 32, 128],
  ['fire5', 32, 128],
  ['fire6', 48, 192],
  ['fire7', 48, 192],
  ['fire8', 64, 256],
  ['fire9', 64, 256],
];
const POOLED = ['fire2', 'fire4', 'fire6'];

export function squeezeNet(): Network {
  const chain = new Chain();
  chain.convRelu('conv1', [64, 3, 3, 3], { stride: 2 });
  let channels = 64;
  for (const [name, squeeze, expand] of FIRES) {
    if (POOLED.includes(name)) chain.maxPool(`${name}.pool`, 3, 2, { ceil: true });
    const x = chain.convRelu(`${name}.squeeze`, [squeeze, channels, 1, 1]);
    const branches = [chain.convRelu(`${name}.1x1`, [expand, squeeze, 1, 1], {}, x), chain.convRelu(`${name}.3x3`, [expand, squeeze, 3, 3], { pad: 1 }, x)];
    chain.layer(name, 'concat', { axis: 1 }, undefined, branches);
    channels = 2 * expand;
  }
  chain.convRelu('conv10', [1000, channels, 1, 1]);
  chain.layer('pool', 'global_average_pool');
  return chain.network('SqueezeNet 1.1', [1, 3, 224, 224]);
}
