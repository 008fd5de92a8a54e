/** Average pooling under both conventions of what a window at the border is divided by. */
import { averagePool as kernel, averagePoolBackward, type AveragePoolParameters } from '../../shaders/average_pool.wgsl.ts';
import { poolGrid } from '../../shaders/max_pool.wgsl.ts';
import type { Op, TensorRef } from './op.ts';
import { POOL, poolParameters, poolShape, type PoolAttributes } from './pool.ts';
import { elements } from './shape.ts';

export interface AveragePoolAttributes extends PoolAttributes {
  /** Divide by the taps inside image and padding, instead of those inside the image. */
  readonly countIncludePad: boolean;
}

const parameters = (x: TensorRef, y: TensorRef, attributes: AveragePoolAttributes): AveragePoolParameters => ({
  ...poolParameters(x.shape, y.shape, attributes),
  countPadding: attributes.countIncludePad,
  bottom: attributes.padding[2],
  right: attributes.padding[3],
});

export const averagePool: Op<AveragePoolAttributes> = {
  name: 'average_pool',
  attributes: { ...POOL, countIncludePad: false },
  weights: {},
  arity: [1, 1],
  shape: ([x], attributes, _weights, refuse) => poolShape(x!, attributes, refuse),
  forward(c) {
    const x = c.x[0]!;
    c.dispatch({
      kernel: 'average_pool',
      code: kernel(parameters(x, c.y, c.attributes)),
      tensors: { x, y: c.y },
      grid: poolGrid(x.shape[0]! * x.shape[1]!, c.y.shape[2]! * c.y.shape[3]!),
      flops: elements(c.y.shape) * c.attributes.kernel[0] * c.attributes.kernel[1],
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const x = c.x[0]!;
    c.dispatch({
      kernel: 'average_pool',
      code: averagePoolBackward({ ...parameters(x, c.y, c.attributes), accumulate: target.accumulate }),
      tensors: { dy: c.dy, dx: target.tensor },
      grid: poolGrid(x.shape[0]! * x.shape[1]!, x.shape[2]! * x.shape[3]!),
      flops: elements(c.y.shape) * c.attributes.kernel[0] * c.attributes.kernel[1],
    });
  },
};
