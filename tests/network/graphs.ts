/** Small networks for tests. */
import type { Network, Node, Tensor } from '../../src/network/network.ts';

export function tensor(shape: readonly number[], value: (index: number) => number = (index) => index): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float32Array.from({ length: count }, (_, index) => value(index)) };
}

export function layer(name: string, inputs: string[], more: Partial<Node> = {}): Node {
  return { name, output: name, op: 'identity', inputs, attributes: {}, weights: {}, ...more };
}

export function networkOf(nodes: Node[], more: Partial<Network> = {}): Network {
  return { name: 'test', inputs: [{ name: 'x', shape: [1, 3, 4, 4] }], outputs: [nodes.at(-1)!.output], nodes, ...more };
}

/** A diamond: conv, two branches, their sum. */
export function diamond(): Network {
  return networkOf([
    layer('conv', ['x'], {
      op: 'conv2d',
      output: 'conv_out',
      attributes: { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 },
      weights: { weight: tensor([2, 3, 3, 3], (i) => Math.fround(Math.sin(i))), bias: tensor([2]) },
    }),
    layer('left', ['conv_out'], { op: 'relu' }),
    layer('right', ['conv_out'], { op: 'clip', attributes: { min: 0, max: 6 } }),
    layer('sum', ['left', 'right'], { op: 'add' }),
  ]);
}
