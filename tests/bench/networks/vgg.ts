/** VGG16 (Simonyan and Zisserman 2014) with formula weights, 138 M. */
import type { Network } from '../../../src/index.ts';
import { Chain } from './chain.ts';

/** Outputs of the convolutions of each stage; a stage ends in a pooling. */
const STAGES = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]];

export function vgg16(): Network {
  const chain = new Chain();
  let channels = 3;
  STAGES.forEach((widths, stage) => {
    widths.forEach((width, i) => {
      chain.convRelu(`conv${stage + 1}_${i + 1}`, [width, channels, 3, 3], { pad: 1 });
      channels = width;
    });
    chain.maxPool(`pool${stage + 1}`, 2, 2);
  });
  chain.layer('fc6', 'dense', {}, [4096, 25088]);
  chain.layer('fc6.relu', 'relu');
  chain.layer('fc7', 'dense', {}, [4096, 4096]);
  chain.layer('fc7.relu', 'relu');
  chain.layer('fc8', 'dense', {}, [1000, 4096]);
  return chain.network('VGG16', [1, 3, 224, 224]);
}
