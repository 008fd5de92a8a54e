/** ResNet-18 and ResNet-50 (He et al. 2015) with formula weights, their batch norm folded into the convolutions. */
import type { Network } from '../../../src/index.ts';
import { Chain } from './chain.ts';

const WIDTHS = [64, 128, 256, 512];

/** What comes before the first block: 64 channels, 56 x 56. */
function stem(): Chain {
  const chain = new Chain();
  chain.conv('conv1', [64, 3, 7, 7], { stride: 2, pad: 3 });
  chain.layer('relu1', 'relu');
  chain.maxPool('pool1', 3, 2, { pad: 1 });
  return chain;
}

function finish(chain: Chain, name: string, channels: number): Network {
  chain.layer('pool', 'global_average_pool');
  chain.layer('fc', 'dense', {}, [1000, channels]);
  return chain.network(name, [1, 3, 224, 224]);
}

/** Blocks of two 3x3. 12 M weights. */
export function resNet18(): Network {
  const chain = stem();
  let channels = 64;
  for (const [stage, width] of WIDTHS.entries()) {
    for (const block of [1, 2]) {
      const name = `layer${stage + 1}.${block}`;
      const x = chain.last;
      const stride = stage > 0 && block === 1 ? 2 : 1;
      chain.conv(`${name}.conv1`, [width, channels, 3, 3], { stride, pad: 1 });
      chain.layer(`${name}.relu1`, 'relu');
      const main = chain.conv(`${name}.conv2`, [width, width, 3, 3], { pad: 1 });
      const shortcut = stride === 2 ? chain.conv(`${name}.shortcut`, [width, channels, 1, 1], { stride }, x) : x;
      chain.layer(`${name}.add`, 'add', {}, undefined, [main, shortcut]);
      chain.layer(`${name}.relu2`, 'relu');
      channels = width;
    }
  }
  return finish(chain, 'ResNet-18', channels);
}

/** Blocks of 1x1, 3x3 (which has the stride) and 1x1. 26 M weights. */
export function resNet50(): Network {
  const chain = stem();
  let channels = 64;
  for (const [stage, width] of WIDTHS.entries()) {
    for (let block = 1; block <= [3, 4, 6, 3][stage]!; block++) {
      const name = `layer${stage + 1}.${block}`;
      const x = chain.last;
      const stride = stage > 0 && block === 1 ? 2 : 1;
      chain.convRelu(`${name}.conv1`, [width, channels, 1, 1]);
      chain.convRelu(`${name}.conv2`, [width, width, 3, 3], { stride, pad: 1 });
      const main = chain.conv(`${name}.conv3`, [4 * width, width, 1, 1]);
      const shortcut = block === 1 ? chain.conv(`${name}.shortcut`, [4 * width, channels, 1, 1], { stride }, x) : x;
      chain.layer(`${name}.add`, 'add', {}, undefined, [main, shortcut]);
      chain.layer(`${name}.relu`, 'relu');
      channels = 4 * width;
    }
  }
  return finish(chain, 'ResNet-50', channels);
}
