/** A network of 12 x 12 pixels in a folder, for commands that make many pictures: a unit without a gradient, a name that is markup. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import type { Node } from '../../../src/network/network.ts';
import { random } from '../../ops/reference.ts';

/** A layer of 4 units, the second of which is silent after its ReLU. */
export const ODD_LAYER = '<i>"re&lu\'';

/** conv 4 @ 12, ReLU, mean, 4 classes: batches of two are all alike. */
export function writeTinyNetwork(folder: string): string {
  const bias = random([4], 2);
  bias.data[1] = -1000;
  const layer = (name: string, op: string, input: string, attributes: Node['attributes'] = {}, weights: Node['weights'] = {}): Node => ({ name, output: name, op, inputs: [input], attributes, weights });
  const nodes = [
    layer('conv', 'conv2d', 'x', { padding: [1, 1, 1, 1] }, { weight: random([4, 3, 3, 3], 1), bias }),
    layer(ODD_LAYER, 'relu', 'conv'),
    layer('mean', 'global_average_pool', ODD_LAYER),
    layer('fc', 'dense', 'mean', {}, { weight: random([4, 4], 3, -2, 2) }),
    layer('prob', 'softmax', 'fc'),
  ];
  const preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2], fit: 'crop' } as const;
  const { json, safetensors } = writeManifest({ name: 'tiny <net>', inputs: [{ name: 'x', shape: [1, 3, 12, 12] }], outputs: ['prob'], preprocess, nodes });
  writeFileSync(join(folder, 'network.json'), json);
  writeFileSync(join(folder, 'weights.safetensors'), safetensors);
  return join(folder, 'network.json');
}
