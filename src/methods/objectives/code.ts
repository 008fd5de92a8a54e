/**
 * Objective: closeness of a layer to a given code, -|y - code|^2 / |code|^2: 0 where it is met, -1 for a layer that is all 0.
 * Source: Mahendran and Vedaldi 2015, equation 2.
 */
import { UnitscopeError } from '../../errors.ts';
import { findNode } from '../../network/lookup.ts';
import type { Network } from '../../network/network.ts';
import type { Objective } from './objective.ts';

/** @param code the layer's values for one image. @throws usage where all of them are 0, unknown-layer */
export function codeObjective(network: Network, layer: string, code: Float32Array): Objective {
  const { name } = findNode(network, layer);
  const square = code.reduce((sum, value) => sum + value * value, 0);
  if (!(square > 0 && square < Infinity)) {
    const [what, hint] = square === 0 ? ['0 everywhere', 'the layer is silent here: choose an earlier one'] : ['not made of numbers', 'the weights or the picture hold some that are not'];
    throw new UnitscopeError('usage', `the code at '${name}' is ${what}`, { layer: name }, hint);
  }
  return { terms: [{ kind: 'distance', layer: name, weight: -1 / square, values: code }] };
}
