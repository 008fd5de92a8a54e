/** DenseNet-121 (Huang et al. 2016): every layer reads all before it, joined; batch norm and ReLU stand in front. */
import { relu } from './activation.ts';
import type { Exporter } from './exporter.ts';
import { flatten } from './view.ts';

const BLOCKS = [6, 12, 24, 16];
const GROWTH = 32;

export function densenet121(t: Exporter): Exporter {
  let x = relu(t, 'features.relu0', t.convNorm(['features.conv0', 'features.norm0'], t.input, 64, 7, { stride: 2, padding: 3 }));
  x = t.probe(t.maxPool('features.pool0', x, 3, 2, { padding: 1 }));
  BLOCKS.forEach((layers, block) => {
    const parts = [x];
    for (let layer = 1; layer <= layers; layer++) {
      const at = `features.denseblock${block + 1}.denselayer${layer}`;
      // The first layer joins one tensor: it is written all the same.
      const joined = relu(t, `${at}.relu1`, t.batchNorm(`${at}.norm1`, t.concat(at, parts)));
      const narrow = relu(t, `${at}.relu2`, t.convNorm([`${at}.conv1`, `${at}.norm2`], joined, 4 * GROWTH, 1));
      parts.push(t.conv(`${at}.conv2`, narrow, GROWTH, 3, { padding: 1, bias: false }));
    }
    x = t.probe(t.concat(`features.denseblock${block + 1}`, parts));
    if (block === BLOCKS.length - 1) return;
    const at = `features.transition${block + 1}`;
    x = t.conv(`${at}.conv`, relu(t, `${at}.relu`, t.batchNorm(`${at}.norm`, x)), x.shape[1]! / 2, 1, { bias: false });
    x = t.probe(t.averagePool(`${at}.pool`, x, 2, 2));
  });
  x = relu(t, '', t.batchNorm('features.norm5', x));
  return t.result(t.linear('classifier', flatten(t, '', t.adaptiveAveragePool('', x, 1)), 1000));
}
