/** Grad-CAM: which places of a layer's maps speak for a target (Selvaraju et al. 2017). */
import { UnitscopeError } from '../errors.ts';
import { ancestors, findNode } from '../network/lookup.ts';
import type { Network, Shape, Tensor } from '../network/network.ts';
import { opOf, shapesOf } from '../ops/check.ts';

const isMap = (shape: Shape): boolean => shape.length === 4 && shape[2]! * shape[3]! > 1;

/** Ops that say nothing new of a map. */
const COARSER = ['max_pool', 'average_pool', 'lp_pool', 'lrn', 'dropout'];

/**
 * The layer whose maps are the evidence: the asked one, or the last one before the target's that has maps of more than one place,
 * not counting what only pools or normalizes maps: the published choice is the last convolution, whose maps are finer.
 * @throws usage where there is none, where the asked one has no maps, or where the target does not depend on it
 */
export function evidenceLayer(network: Network, target: string, asked?: string): string {
  const from = findNode(network, target);
  const shapes = shapesOf(network);
  const before = ancestors(network, [target]).filter(({ output }) => output !== from.output);
  if (asked !== undefined) {
    const node = findNode(network, asked);
    const shape = shapes.get(node.output)!;
    if (!isMap(shape)) {
      throw new UnitscopeError('usage', `'${node.name}' is [${shape}]: it has no maps of more than one place`, { layer: node.name });
    }
    if (!before.includes(node)) {
      throw new UnitscopeError('usage', `'${from.name}' does not depend on '${node.name}'`, { layer: node.name }, 'choose a layer before that of the unit');
    }
    return node.name;
  }
  const mapped = before.filter((node) => isMap(shapes.get(node.output)!) && !opOf(node).view);
  const found = mapped.filter(({ op }) => !COARSER.includes(op)).at(-1) ?? mapped.at(-1);
  if (!found) throw new UnitscopeError('usage', `no layer before '${from.name}' has maps of more than one place`, { layer: from.name }, 'Grad-CAM needs one: choose a unit further up');
  return found.name;
}

/**
 * map[y, x] = max(0, sum over k of w[k] A[k, y, x]),   w[k] = mean over (y, x) of d score / d A[k, y, x].
 * @param activations A and its gradient, [1, K, h, w] each
 * @returns [h, w]
 */
export function camOf(activations: Tensor, gradient: Tensor): Float64Array {
  const [, channels, height, width] = activations.shape as [number, number, number, number];
  const size = height * width;
  const map = new Float64Array(size);
  for (let k = 0; k < channels; k++) {
    const own = gradient.data.subarray(k * size, (k + 1) * size);
    const weight = own.reduce((sum, g) => sum + g, 0) / size;
    for (let i = 0; i < size; i++) map[i]! += weight * activations.data[k * size + i]!;
  }
  return map.map((value) => Math.max(0, value));
}
