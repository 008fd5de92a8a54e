/** Average pooling under both conventions of what a window at the border is divided by. */
import { averagePool as kernel, averagePoolBackward, averagePoolGrid, type AveragePoolParameters } from '../../shaders/average_pool.wgsl.ts';
import type { Op, TensorRef } from './op.ts';
import { POOL, poolParameters, poolShape, type PoolAttributes } from './pool.ts';
import { poolTiles } from './pool_tile.ts';
import { elements } from './shape.ts';

export interface AveragePoolAttributes extends PoolAttributes {
  /** Divide by the taps inside image and padding, instead of those inside the image. */
  readonly countIncludePad: boolean;
}

const parameters = (x: TensorRef, y: TensorRef, attributes: AveragePoolAttributes, pass: 'forward' | 'backward', software: boolean): AveragePoolParameters => {
  const sizes = poolParameters(x.shape, y.shape, attributes);
  const [, , bottom, right] = attributes.padding;
  return { ...sizes, countPadding: attributes.countIncludePad, bottom, right, tile: poolTiles(sizes, software)[pass] };
};

export const averagePool: Op<AveragePoolAttributes> = {
  name: 'average_pool',
  attributes: { ...POOL, countIncludePad: false },
  weights: {},
  arity: [1, 1],
  shape: ([x], attributes, _weights, refuse) => poolShape(x!, attributes, refuse),
  forward(c) {
    const x = c.x[0]!;
    const p = parameters(x, c.y, c.attributes, 'forward', c.capabilities.software);
    c.dispatch({
      kernel: 'average_pool',
      code: kernel(p),
      tensors: { x, y: c.y },
      grid: averagePoolGrid(p, 'forward'),
      flops: elements(c.y.shape) * c.attributes.kernel[0] * c.attributes.kernel[1],
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const p = parameters(c.x[0]!, c.y, c.attributes, 'backward', c.capabilities.software);
    c.dispatch({
      kernel: 'average_pool',
      code: averagePoolBackward({ ...p, accumulate: target.accumulate }),
      tensors: { dy: c.dy, dx: target.tensor },
      grid: averagePoolGrid(p, 'backward'),
      flops: elements(c.y.shape) * c.attributes.kernel[0] * c.attributes.kernel[1],
    });
  },
};
