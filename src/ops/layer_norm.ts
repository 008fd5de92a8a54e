/** Layer normalization over the axes from `axis` to the last. */
import { layerNorm as kernel, layerNormBackward, layerNormGrid, type LayerNormParameters } from '../../shaders/layer_norm.wgsl.ts';
import type { Node } from '../network/network.ts';
import type { Op, Recorder, TensorRef } from './op.ts';
import { checkAxis, elements } from './shape.ts';

export interface LayerNormAttributes {
  readonly axis: number;
  readonly epsilon: number;
}

type Context = Recorder & { readonly node: Node; readonly x: readonly TensorRef[]; readonly attributes: LayerNormAttributes };

function parameters({ node, x, attributes: { axis, epsilon }, capabilities: { software } }: Context): LayerNormParameters {
  const { shape } = x[0]!;
  const { scale, shift } = node.weights;
  return { rows: elements(shape.slice(0, axis)), size: elements(shape.slice(axis)), epsilon, scale: scale !== undefined, shift: shift !== undefined, software };
}

/** The weights of those names that the layer has, on the device. */
const weights = (c: Context, names: readonly string[]): Record<string, TensorRef> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const weight = c.node.weights[name];
      return weight ? [[name, c.constant(name, weight.shape, () => weight.data)]] : [];
    }),
  );

export const layerNorm: Op<LayerNormAttributes> = {
  name: 'layer_norm',
  attributes: { axis: 1, epsilon: 1e-5 },
  weights: { scale: false, shift: false },
  arity: [1, 1],
  shape([x], { axis, epsilon }, given, refuse) {
    checkAxis(axis, x!.length, refuse);
    if (epsilon < 0) throw refuse(`epsilon must not be negative, got ${epsilon}`);
    const normalized = x!.slice(axis);
    for (const [role, { shape }] of Object.entries(given)) {
      if (`${shape}` !== `${normalized}`) throw refuse(`${role} must be [${normalized}], got [${shape}]`);
    }
    return x!;
  },
  forward(c) {
    const p = parameters(c);
    c.dispatch({
      kernel: 'layer_norm',
      code: kernel(p),
      tensors: { x: c.x[0]!, ...weights(c, ['scale', 'shift']), y: c.y },
      grid: layerNormGrid(p),
      flops: 8 * elements(c.y.shape),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const p = parameters(c);
    c.dispatch({
      kernel: 'layer_norm',
      code: layerNormBackward({ ...p, accumulate: target.accumulate }),
      tensors: { x: c.x[0]!, dy: c.dy, ...weights(c, ['scale']), dx: target.tensor },
      grid: layerNormGrid(p),
      flops: 16 * elements(c.y.shape),
    });
  },
};
