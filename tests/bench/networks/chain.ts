/** Builds networks that carry no file: layers with formula weights, one after another, and networks of one layer. */
import type { Network, Node, Shape } from '../../../src/index.ts';
import { formulaWeights } from '../formula.ts';

type Attributes = Node['attributes'];

export interface ConvOptions {
  readonly stride?: number;
  readonly pad?: number;
  readonly groups?: number;
}

/** Each layer reads the last one unless it is told otherwise. */
export class Chain {
  readonly nodes: Node[] = [];
  last = 'x';

  layer(name: string, op: string, attributes: Attributes = {}, weights?: Shape, inputs: readonly string[] = [this.last]): string {
    this.nodes.push({ name, output: name, op, inputs, attributes, weights: weights ? { ...formulaWeights(name, weights) } : {} });
    return (this.last = name);
  }

  /** A convolution with the same padding and stride on all sides. */
  conv(name: string, shape: Shape, { stride = 1, pad = 0, groups = 1 }: ConvOptions = {}, input = this.last): string {
    const attributes = { stride: [stride, stride], padding: [pad, pad, pad, pad], groups };
    return this.layer(name, 'conv2d', attributes, shape, [input]);
  }

  /** A convolution and its ReLU, `name.relu`. */
  convRelu(name: string, shape: Shape, options: ConvOptions = {}, input = this.last): string {
    this.conv(name, shape, options, input);
    return this.layer(`${name}.relu`, 'relu');
  }

  /** Square windows; `ceil`: the last ones may reach over the edge. */
  maxPool(name: string, kernel: number, stride: number, { pad = 0, ceil = false } = {}, input = this.last): string {
    const attributes = { kernel: [kernel, kernel], stride: [stride, stride], padding: [pad, pad, pad, pad], ceil };
    return this.layer(name, 'max_pool', attributes, undefined, [input]);
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

/** One convolution. */
export function singleConv(name: string, input: Shape, weights: Shape, options: ConvOptions = {}): Network {
  const chain = new Chain();
  chain.conv('layer', weights, options);
  return chain.network(name, input);
}
