/** What a training step is here, the same for all: the labels, the optimizer, and how the first step is compared. */
import type { Network, Shape, Tensor } from '../../src/index.ts';

/** Stochastic gradient descent on the mean softmax cross-entropy: v = momentum v + g, w = w - rate v. */
export const RATE = 0.01;
export const MOMENTUM = 0.9;

/** The class of image n: n modulo the number of classes. @param scores shape [N, K] */
export function labelsOf([images, classes]: Shape): Uint32Array {
  return Uint32Array.from({ length: images! }, (_, n) => n % classes!);
}

/** The parameters of all layers: in the order of the network, the weight before the bias. */
export const parametersOf = ({ nodes }: Network): Tensor[] => nodes.flatMap(({ weights: { weight, bias } }) => [weight, bias].flatMap((tensor) => tensor ?? []));

/**
 * The gradient that the first step has used, by what it has changed: (before - after) / rate, for there was no momentum yet.
 * @param after the data of `parametersOf` behind the step
 */
export function firstGradient(before: Network, after: readonly Float32Array[]): Float32Array {
  const parameters = parametersOf(before);
  const gradient = new Float32Array(parameters.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const [i, { data }] of parameters.entries()) {
    const learnt = after[i]!;
    if (learnt.length !== data.length) throw new Error(`parameter ${i} has ${learnt.length} numbers instead of ${data.length}`);
    for (let k = 0; k < data.length; k++) gradient[at++] = (data[k]! - learnt[k]!) / RATE;
  }
  return gradient;
}
