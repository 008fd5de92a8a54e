/** Mean of every plane. */
import { globalAveragePool as kernel, globalAveragePoolBackward } from '../../shaders/global_average_pool.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import type { Op, TensorRef } from './op.ts';
import { elements } from './shape.ts';

const parameters = (x: TensorRef): { planes: number; height: number; width: number } => ({
  planes: x.shape[0]! * x.shape[1]!,
  height: x.shape[2]!,
  width: x.shape[3]!,
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
    c.dispatch({
      kernel: 'global_average_pool',
      code: kernel(parameters(x)),
      tensors: { x, y: c.y },
      grid: linearGrid(elements(c.y.shape)),
      flops: elements(x.shape),
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const x = c.x[0]!;
    c.dispatch({
      kernel: 'global_average_pool',
      code: globalAveragePoolBackward({ ...parameters(x), accumulate: target.accumulate }),
      tensors: { dy: c.dy, dx: target.tensor },
      grid: linearGrid(elements(x.shape)),
      flops: elements(x.shape),
    });
  },
};
