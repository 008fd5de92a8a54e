/** CaffeNet and AlexNet without normalization, with formula weights. 61 M each. */
import type { Network } from '../../../src/index.ts';
import { Chain } from './chain.ts';

function build(name: string, normalized: boolean): Network {
  const chain = new Chain();
  const relu = (layer: string) => chain.layer(layer, 'relu');
  const poolNorm = (index: number) => {
    chain.maxPool(`pool${index}`, 3, 2, { ceil: true });
    if (normalized) chain.layer(`norm${index}`, 'lrn', { size: 5, alpha: 1e-4, beta: 0.75, k: 1 });
  };
  chain.conv('conv1', [96, 3, 11, 11], { stride: 4 });
  relu('relu1');
  poolNorm(1);
  chain.conv('conv2', [256, 48, 5, 5], { pad: 2, groups: 2 });
  relu('relu2');
  poolNorm(2);
  chain.conv('conv3', [384, 256, 3, 3], { pad: 1 });
  relu('relu3');
  chain.conv('conv4', [384, 192, 3, 3], { pad: 1, groups: 2 });
  relu('relu4');
  chain.conv('conv5', [256, 192, 3, 3], { pad: 1, groups: 2 });
  relu('relu5');
  chain.maxPool('pool5', 3, 2, { ceil: true });
  chain.layer('fc6', 'dense', {}, [4096, 9216]);
  relu('relu6');
  chain.layer('fc7', 'dense', {}, [4096, 4096]);
  relu('relu7');
  chain.layer('fc8', 'dense', {}, [1000, 4096]);
  return chain.network(name, [1, 3, 227, 227]);
}

/** AlexNet on one path with groups, pooling before normalization (Jia et al. 2014). */
export const caffeNet = (): Network => build('CaffeNet', true);

/** The same without its normalization. */
export const alexNet = (): Network => build('AlexNet', false);
