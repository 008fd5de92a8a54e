/** Mean of every plane: average pooling whose one window is the plane. */
import { averagePool, averagePoolBackward, averagePoolGrid, type AveragePoolParameters } from '../../shaders/average_pool.wgsl.ts';
import type { Op, TensorRef } from './op.ts';
import { poolParameters } from './pool.ts';
import { elements } from './shape.ts';

const parameters = (x: TensorRef, y: TensorRef): AveragePoolParameters => ({
  ...poolParameters(x.shape, y.shape, { kernel: [x.shape[2]!, x.shape[3]!], stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1] }),
  countPadding: false,
  bottom: 0,
  right: 0,
});

export const globalAveragePool: Op<Record<string, never>> = {
  name: 'global_average_pool',
  attributes: {},
  weights: {},
  arity: [1, 1],
  shape([x], _attributes, _weights, refuse) {
    if (x!.length !== 4) throw refuse(`global_average_pool takes [N, C, H, W], got ${x!.length} axes`);
    return [x![0]!, x![1]!, 1, 1];
  },
  forward(c) {
    const x = c.x[0]!;
    const p = parameters(x, c.y);
    c.dispatch({
      kernel: 'average_pool',
      code: averagePool(p),
      tensors: { x, y: c.y },
      grid: averagePoolGrid(p, 'forward'),
      flops: elements(x.shape),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const p = parameters(c.x[0]!, c.y);
    c.dispatch({
      kernel: 'average_pool',
      code: averagePoolBackward({ ...p, accumulate: target.accumulate }),
      tensors: { dy: c.dy, dx: target.tensor },
      grid: averagePoolGrid(p, 'backward'),
      flops: elements(c.x[0]!.shape),
    });
  },
};
