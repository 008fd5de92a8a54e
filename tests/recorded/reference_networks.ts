/** Manifests of the field's reference networks with formula weights: CaffeNet, AlexNet (Krizhevsky), GoogLeNet. */
import { readManifest } from '../../src/formats/manifest/network.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { formulaWeights } from './formula_weights.ts';

interface Layer {
  name: string;
  op: string;
  inputs: string[];
  attributes?: Record<string, unknown>;
  weights?: Record<string, string>;
}

/** Collects layers; every method returns the name of the layer that it adds. */
class Graph {
  readonly nodes: Layer[] = [];
  readonly tensors = new Map<string, Tensor>();

  add(name: string, op: string, inputs: string[], attributes?: Record<string, unknown>, weights?: Record<string, string>): string {
    this.nodes.push({ name, op, inputs, ...(attributes && { attributes }), ...(weights && { weights }) });
    return name;
  }

  private weights(name: string, shape: number[]): Record<string, string> {
    for (const [key, tensor] of formulaWeights(name, shape)) this.tensors.set(key, tensor);
    return { weight: `${name}/w`, bias: `${name}/b` };
  }

  conv(name: string, x: string, [channels, outputs, size]: [number, number, number], { stride = 1, pad = 0, groups = 1 } = {}): string {
    const attributes = { stride: [stride, stride], padding: [pad, pad, pad, pad], groups };
    return this.add(name, 'conv2d', [x], attributes, this.weights(name, [outputs, channels / groups, size, size]));
  }

  relu(name: string, x: string): string {
    return this.add(name, 'relu', [x]);
  }

  dense(name: string, x: string, inputs: number, outputs: number): string {
    return this.add(name, 'dense', [x], undefined, this.weights(name, [outputs, inputs]));
  }

  maxPool(name: string, x: string, { size = 3, stride = 2, pad = 0 } = {}): string {
    return this.add(name, 'max_pool', [x], { kernel: [size, size], stride: [stride, stride], padding: [pad, pad, pad, pad], ceil: true });
  }

  lrn(name: string, x: string): string {
    return this.add(name, 'lrn', [x], { size: 5, alpha: 1e-4, beta: 0.75, k: 1 });
  }

  network(name: string, size: number): Network {
    const manifest = {
      format: 'unitscope',
      version: 1,
      name,
      inputs: [{ name: 'data', shape: [1, 3, size, size] }],
      outputs: [this.nodes.at(-1)!.name],
      preprocess: { channels: 'BGR', range: 255, mean: [104, 117, 123], std: [1, 1, 1], fit: 'crop' },
      nodes: this.nodes,
    };
    return readManifest(JSON.stringify(manifest), this.tensors);
  }
}

/** AlexNet's eight layers; Krizhevsky normalizes before pooling, CaffeNet after. */
function alexNet(name: string, normFirst: boolean): Network {
  const g = new Graph();
  const reduce = (index: number, x: string): string =>
    normFirst ? g.maxPool(`pool${index}`, g.lrn(`norm${index}`, x)) : g.lrn(`norm${index}`, g.maxPool(`pool${index}`, x));
  let x = g.relu('relu1', g.conv('conv1', 'data', [3, 96, 11], { stride: 4 }));
  x = reduce(1, x);
  x = g.relu('relu2', g.conv('conv2', x, [96, 256, 5], { pad: 2, groups: 2 }));
  x = reduce(2, x);
  x = g.relu('relu3', g.conv('conv3', x, [256, 384, 3], { pad: 1 }));
  x = g.relu('relu4', g.conv('conv4', x, [384, 384, 3], { pad: 1, groups: 2 }));
  x = g.relu('relu5', g.conv('conv5', x, [384, 256, 3], { pad: 1, groups: 2 }));
  x = g.maxPool('pool5', x);
  x = g.add('drop6', 'identity', [g.relu('relu6', g.dense('fc6', x, 9216, 4096))]);
  x = g.add('drop7', 'identity', [g.relu('relu7', g.dense('fc7', x, 4096, 4096))]);
  g.add('prob', 'softmax', [g.dense('fc8', x, 4096, 1000)]);
  return g.network(name, 227);
}

export const caffeNet = (): Network => alexNet('bvlc_reference_caffenet', false);
export const krizhevskyNet = (): Network => alexNet('bvlc_alexnet', true);

/** Channels of the nine inception modules: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection (table 1 of the paper). */
const INCEPTION: readonly [string, number[]][] = [
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

/** GoogLeNet (Szegedy et al. 2014) as published for Caffe. */
export function googLeNet(): Network {
  const g = new Graph();
  const conv = (block: string, kind: string, x: string, shape: [number, number, number], options = {}): string =>
    g.relu(`${block}/relu_${kind}`, g.conv(`${block}/${kind}`, x, shape, options));
  let x = conv('conv1', '7x7_s2', 'data', [3, 64, 7], { stride: 2, pad: 3 });
  g.nodes.at(-1)!.name = x = 'conv1/relu_7x7';
  x = g.lrn('pool1/norm1', g.maxPool('pool1/3x3_s2', x));
  x = conv('conv2', '3x3_reduce', x, [64, 64, 1]);
  x = conv('conv2', '3x3', x, [64, 192, 3], { pad: 1 });
  x = g.maxPool('pool2/3x3_s2', g.lrn('conv2/norm2', x));
  let channels = 192;
  for (const [id, [one, reduce3, three, reduce5, five, pool]] of INCEPTION as [string, [number, number, number, number, number, number]][]) {
    const block = `inception_${id}`;
    const a = conv(block, '1x1', x, [channels, one, 1]);
    const b = conv(block, '3x3', conv(block, '3x3_reduce', x, [channels, reduce3, 1]), [reduce3, three, 3], { pad: 1 });
    const c = conv(block, '5x5', conv(block, '5x5_reduce', x, [channels, reduce5, 1]), [reduce5, five, 5], { pad: 2 });
    const d = conv(block, 'pool_proj', g.maxPool(`${block}/pool`, x, { stride: 1, pad: 1 }), [channels, pool, 1]);
    x = g.add(`${block}/output`, 'concat', [a, b, c, d], { axis: 1 });
    channels = one + three + five + pool;
    if (id === '3b') x = g.maxPool('pool3/3x3_s2', x);
    if (id === '4e') x = g.maxPool('pool4/3x3_s2', x);
  }
  x = g.add('pool5/7x7_s1', 'average_pool', [x], { kernel: [7, 7], stride: [1, 1] });
  x = g.add('pool5/drop_7x7_s1', 'identity', [x]);
  g.add('prob', 'softmax', [g.dense('loss3/classifier', x, 1024, 1000)]);
  return g.network('bvlc_googlenet', 224);
}
