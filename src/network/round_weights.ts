/** What 16-bit weights cost in accuracy, to be seen on any adapter: the weights are rounded, the kernels stay as they are. */
import { decodeFloat16, encodeFloat16 } from './float16.ts';
import type { Network } from './network.ts';

/** The nearest 16-bit floats; exact to 11 bits between 6e-5 and 65504. */
export const roundToFloat16 = (values: Float32Array): Float32Array => decodeFloat16(encodeFloat16(values));

/** The network with every `weight` rounded to 16 bits, as an engine with `f16` stores those of convolutions. Biases stay. */
export function roundWeights(network: Network): Network {
  const nodes = network.nodes.map((node) => {
    const { weight } = node.weights;
    return weight ? { ...node, weights: { ...node.weights, weight: { ...weight, data: roundToFloat16(weight.data) } } } : node;
  });
  return { ...network, nodes };
}
