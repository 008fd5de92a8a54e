/** GoogLeNet (Szegedy et al. 2014) with formula weights, 7 M, its classifiers for training left out. */
import type { Network } from '../../../src/index.ts';
import { Chain } from './chain.ts';

type Widths = readonly [direct: number, reduce3: number, conv3: number, reduce5: number, conv5: number, pool: number];

/** The inception modules, Table 1 of the paper; a letter a follows a pooling. */
const MODULES: readonly (readonly [name: string, widths: Widths])[] = [
  ['3a', [64, 96, 128, 16, 32, 32]],
  ['3b', [128, 128, 192, 32, 96, 64]],
  ['4a', [192, 96, 208, 16, 48, 64]],
  ['4b', [160, 112, 224, 24, 64, 64]],
  ['4c', [128, 128, 256, 24, 64, 64]],
  ['4d', [112, 144, 288, 32, 64, 64]],
  ['4e', [256, 160, 320, 32, 128, 128]],
  ['5a', [256, 160, 320, 32, 128, 128]],
  ['5b', [384, 192, 384, 48, 128, 128]],
];

const LRN = { size: 5, alpha: 1e-4, beta: 0.75, k: 1 };

export function googLeNet(): Network {
  const chain = new Chain();
  chain.convRelu('conv1', [64, 3, 7, 7], { stride: 2, pad: 3 });
  chain.maxPool('pool1', 3, 2, { ceil: true });
  chain.layer('norm1', 'lrn', LRN);
  chain.convRelu('conv2_reduce', [64, 64, 1, 1]);
  chain.convRelu('conv2', [192, 64, 3, 3], { pad: 1 });
  chain.layer('norm2', 'lrn', LRN);
  let channels = 192;
  for (const [name, [direct, reduce3, conv3, reduce5, conv5, pool]] of MODULES) {
    if (name.endsWith('a')) chain.maxPool(`pool${name[0]}`, 3, 2, { ceil: true });
    const x = chain.last;
    const branches = [
      chain.convRelu(`${name}.1x1`, [direct, channels, 1, 1], {}, x),
      (chain.convRelu(`${name}.3x3_reduce`, [reduce3, channels, 1, 1], {}, x), chain.convRelu(`${name}.3x3`, [conv3, reduce3, 3, 3], { pad: 1 })),
      (chain.convRelu(`${name}.5x5_reduce`, [reduce5, channels, 1, 1], {}, x), chain.convRelu(`${name}.5x5`, [conv5, reduce5, 5, 5], { pad: 2 })),
      (chain.maxPool(`${name}.pool`, 3, 1, { pad: 1 }, x), chain.convRelu(`${name}.pool_proj`, [pool, channels, 1, 1])),
    ];
    chain.layer(name, 'concat', { axis: 1 }, undefined, branches);
    channels = direct + conv3 + conv5 + pool;
  }
  chain.layer('pool', 'global_average_pool');
  chain.layer('classifier', 'dense', {}, [1000, channels]);
  return chain.network('GoogLeNet', [1, 3, 224, 224]);
}
