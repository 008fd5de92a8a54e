/**
 * What training pictures looked like: a batch normalization keeps mean and variance of what came to it in training. The right
 * preprocessing brings pictures that look alike there, whatever they show.
 */
import type { Network, Tensor } from '../network/network.ts';

export interface TrainedMoments {
  /** The tensor that the first batch normalization reads: a network input or the output of a layer. */
  readonly tensor: string;
  readonly mean: Float32Array;
  /** With the epsilon of the layer. */
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/** The moments at the first batch normalization; undefined for a network that has none. */
export function trainedMoments({ nodes }: Network): TrainedMoments | undefined {
  const node = nodes.find(({ op, weights }) => op === 'batch_norm' && weights['mean'] && weights['variance']);
  if (!node) return undefined;
  const epsilon = Number(node.attributes['epsilon'] ?? 1e-5);
  return { tensor: node.inputs[0]!, mean: node.weights['mean']!.data, variance: node.weights['variance']!.data.map((value) => value + epsilon), epsilon };
}

/**
 * How far what has come is from what came in training: the Kullback-Leibler divergence of normal distributions with the two
 * means and variances, ((v + (m - mean)^2) / variance - 1 - ln(v / variance)) / 2, the median over the channels. 0 is alike.
 * @param tensor [N, C, ...]
 */
export function momentDistance({ mean, variance, epsilon }: TrainedMoments, tensor: Tensor): number {
  const distances = Array.from(mean, (trained, c) => {
    const { m, v } = momentsOf(tensor, c);
    const [have, want] = [v + epsilon, variance[c]!];
    return ((have + (m - trained) ** 2) / want - 1 - Math.log(have / want)) / 2;
  }).sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] ?? 0;
}

/** Mean and variance of one channel over all images and positions. */
function momentsOf({ shape, data }: Tensor, channel: number): { m: number; v: number } {
  const [batch = 1, channels = 1, ...plane] = shape;
  const size = plane.reduce((a, b) => a * b, 1);
  let [sum, squares] = [0, 0];
  for (let n = 0; n < batch; n++) {
    const start = (n * channels + channel) * size;
    for (let i = start; i < start + size; i++) {
      sum += data[i]!;
      squares += data[i]! ** 2;
    }
  }
  const m = sum / (batch * size);
  return { m, v: Math.max(0, squares / (batch * size) - m * m) };
}
