/** The networks that are timed and carry no file: single layers, CaffeNet and ResNet-18 with formula weights. */
import type { Network, Node, Shape } from '../../src/index.ts';
import { formulaWeights } from './formula.ts';

type Attributes = Node['attributes'];

/** One layer after another; each reads the last one unless it is told otherwise. */
class Chain {
  readonly nodes: Node[] = [];
  last = 'x';

  layer(name: string, op: string, attributes: Attributes = {}, weights?: Shape, inputs: readonly string[] = [this.last]): string {
    this.nodes.push({ name, output: name, op, inputs, attributes, weights: weights ? { ...formulaWeights(name, weights) } : {} });
    return (this.last = name);
  }

  /** A convolution with the same padding on all sides. */
  conv(name: string, shape: Shape, { stride = 1, pad = 0, groups = 1 } = {}, input?: string): string {
    const attributes = { stride: [stride, stride], padding: [pad, pad, pad, pad], groups };
    return this.layer(name, 'conv2d', attributes, shape, input ? [input] : undefined);
  }

  network(name: string, input: Shape): Network {
    const channels = 'RGB';
    return {
      name,
      inputs: [{ name: 'x', shape: input }],
      nodes: this.nodes,
      outputs: [this.last],
      ...(input[1] === 3 && { preprocess: { channels, range: 255, mean: [104, 117, 123], std: [1, 1, 1], fit: 'crop' } as const }),
    };
  }
}

/** A network of one layer. */
export function singleLayer(name: string, op: string, input: Shape, attributes: Attributes = {}, weights?: Shape): Network {
  const chain = new Chain();
  chain.layer('layer', op, attributes, weights);
  return chain.network(name, input);
}

/** One convolution, the same padding and stride on all sides. */
export function singleConv(name: string, input: Shape, weights: Shape, options: { stride?: number; pad?: number; groups?: number } = {}): Network {
  const chain = new Chain();
  chain.conv('layer', weights, options);
  return chain.network(name, input);
}

/** CaffeNet: AlexNet on one path with groups, pooling before normalization (Jia et al. 2014). 61 M weights. */
export function caffeNet(): Network {
  const chain = new Chain();
  const relu = (name: string) => chain.layer(name, 'relu');
  const pool = (name: string) => chain.layer(name, 'max_pool', { kernel: [3, 3], stride: [2, 2], ceil: true });
  const norm = (name: string) => chain.layer(name, 'lrn', { size: 5, alpha: 1e-4, beta: 0.75, k: 1 });
  chain.conv('conv1', [96, 3, 11, 11], { stride: 4 });
  relu('relu1');
  pool('pool1');
  norm('norm1');
  chain.conv('conv2', [256, 48, 5, 5], { pad: 2, groups: 2 });
  relu('relu2');
  pool('pool2');
  norm('norm2');
  chain.conv('conv3', [384, 256, 3, 3], { pad: 1 });
  relu('relu3');
  chain.conv('conv4', [384, 192, 3, 3], { pad: 1, groups: 2 });
  relu('relu4');
  chain.conv('conv5', [256, 192, 3, 3], { pad: 1, groups: 2 });
  relu('relu5');
  pool('pool5');
  chain.layer('fc6', 'dense', {}, [4096, 9216]);
  relu('relu6');
  chain.layer('fc7', 'dense', {}, [4096, 4096]);
  relu('relu7');
  chain.layer('fc8', 'dense', {}, [1000, 4096]);
  return chain.network('CaffeNet', [1, 3, 227, 227]);
}

/** ResNet-18 (He et al. 2015), its batch norm folded into the convolutions. */
export function resNet18(): Network {
  const chain = new Chain();
  chain.conv('conv1', [64, 3, 7, 7], { stride: 2, pad: 3 });
  chain.layer('relu1', 'relu');
  let x = chain.layer('pool1', 'max_pool', { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] });
  let channels = 64;
  for (const [stage, width] of [64, 128, 256, 512].entries()) {
    for (const block of [1, 2]) {
      const name = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 1 ? 2 : 1;
      chain.conv(`${name}.conv1`, [width, channels, 3, 3], { stride, pad: 1 }, x);
      chain.layer(`${name}.relu1`, 'relu');
      const main = chain.conv(`${name}.conv2`, [width, width, 3, 3], { pad: 1 });
      const shortcut = stride === 2 ? chain.conv(`${name}.shortcut`, [width, channels, 1, 1], { stride }, x) : x;
      chain.layer(`${name}.add`, 'add', {}, undefined, [main, shortcut]);
      x = chain.layer(`${name}.relu2`, 'relu');
      channels = width;
    }
  }
  chain.layer('pool', 'global_average_pool');
  chain.layer('fc', 'dense', {}, [1000, 512]);
  return chain.network('ResNet-18', [1, 3, 224, 224]);
}
