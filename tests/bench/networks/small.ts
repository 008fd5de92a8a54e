/** A network that is small enough to be trained in a moment: strides, groups, pooling, two dense layers. 79 k weights. */
import type { Network } from '../../../src/index.ts';
import { Chain } from './chain.ts';

export function smallNetwork(): Network {
  const chain = new Chain();
  chain.convRelu('conv1', [16, 3, 5, 5], { pad: 2 });
  chain.maxPool('pool1', 3, 2);
  chain.convRelu('conv2', [32, 8, 3, 3], { pad: 1, groups: 2 });
  chain.convRelu('conv3', [32, 32, 3, 3], { stride: 2, pad: 1 });
  chain.layer('fc1', 'dense', {}, [32, 32 * 8 * 8]);
  chain.layer('relu', 'relu');
  chain.layer('fc2', 'dense', {}, [10, 32]);
  return chain.network('Small', [1, 3, 32, 32]);
}
