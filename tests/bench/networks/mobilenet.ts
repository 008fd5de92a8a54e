/** MobileNet v1 1.0 (Howard et al. 2017) with formula weights, 4.2 M, its batch norm folded into the convolutions. */
import type { Network } from '../../../src/index.ts';
import { Chain, type ConvOptions } from './chain.ts';

/** Output channels and stride of each depthwise separable pair. */
const PAIRS: readonly (readonly [channels: number, stride: number])[] = [
  [64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], [512, 1], [512, 1], [512, 1], [512, 1], [512, 1], [1024, 2], [1024, 1],
];

export function mobileNet(): Network {
  const chain = new Chain();
  const convClip = (name: string, shape: readonly number[], options: ConvOptions = {}) => {
    chain.conv(name, shape, options);
    chain.layer(`${name}.clip`, 'clip', { min: 0, max: 6 });
  };
  convClip('conv1', [32, 3, 3, 3], { stride: 2, pad: 1 });
  let channels = 32;
  PAIRS.forEach(([width, stride], i) => {
    convClip(`${i + 1}.depthwise`, [channels, 1, 3, 3], { stride, pad: 1, groups: channels });
    convClip(`${i + 1}.pointwise`, [width, channels, 1, 1]);
    channels = width;
  });
  chain.layer('pool', 'global_average_pool');
  chain.layer('fc', 'dense', {}, [1000, channels]);
  return chain.network('MobileNet 1.0', [1, 3, 224, 224]);
}
