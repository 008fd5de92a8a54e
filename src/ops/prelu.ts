/**
 * ReLU whose slope below 0 was learned, for all of x, for each channel or for each element (shaders/binary.wgsl.ts). Its
 * gradient is the true one under every rule: what lies below 0 is not cut off.
 */
import { binary, binaryBackward, binaryGradientGrid, binaryGrid, type BinaryParameters } from '../../shaders/binary.wgsl.ts';
import type { Node } from '../network/network.ts';
import type { Op, Recorder, TensorRef } from './op.ts';
import { broadcast, elements } from './shape.ts';

const slopeOf = (c: Recorder & { readonly node: Node }): TensorRef => {
  const slope = c.node.weights.slope!;
  return c.constant('slope', slope.shape, () => slope.data);
};

const parameters = (x: TensorRef, slope: TensorRef): BinaryParameters => ({ name: 'prelu', a: x.shape, b: slope.shape, y: x.shape });

export const prelu: Op<Record<string, never>> = {
  name: 'prelu',
  attributes: {},
  weights: { slope: true },
  arity: [1, 1],
  shape([x], _attributes, { slope }, refuse) {
    if (`${broadcast(x!, slope!.shape, refuse)}` !== `${x}`) throw refuse(`the slope [${slope!.shape}] does not broadcast to [${x}]`);
    return x!;
  },
  forward(c) {
    const [x, slope] = [c.x[0]!, slopeOf(c)];
    const p = parameters(x, slope);
    c.dispatch({ kernel: 'binary', code: binary(p), tensors: { a: x, b: slope, y: c.y }, grid: binaryGrid(p), flops: elements(x.shape) });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const [x, slope] = [c.x[0]!, slopeOf(c)];
    const p = { ...parameters(x, slope), of: 'a', software: c.capabilities.software } as const;
    c.dispatch({
      kernel: 'binary',
      code: binaryBackward({ ...p, accumulate: target.accumulate }),
      tensors: { dy: c.dy, a: x, b: slope, dx: target.tensor },
      grid: binaryGradientGrid(p),
      flops: elements(x.shape),
    });
  },
};
