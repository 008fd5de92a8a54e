/** Dropout: the identity, but for a network in training, where it drops elements at random. The mask is made twice, not kept. */
import { concat, concatBackward, concatGrid, type ConcatParameters } from '../../shaders/concat.wgsl.ts';
import { dropout as kernel, dropoutBackward } from '../../shaders/dropout.wgsl.ts';
import { elementwiseGrid } from '../../shaders/prelude.wgsl.ts';
import type { Shape } from '../network/network.ts';
import type { Op } from './op.ts';
import { elements } from './shape.ts';

export interface DropoutAttributes {
  /** The part of the elements that is dropped, from 0 to below 1. */
  readonly rate: number;
}

/** A number below 2^32 for a name (FNV-1a): what tells the random numbers of one layer from those of another. */
export function numberOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** All of a tensor as one block of a copy, image by image. */
const whole = ([images = 1, ...rest]: Shape): ConcatParameters => ({ outer: images, rows: elements(rest), offset: 0, total: elements(rest) });

export const dropout: Op<DropoutAttributes> = {
  name: 'dropout',
  attributes: { rate: 0.5 },
  weights: {},
  arity: [1, 1],
  shape([x], { rate }, _weights, refuse) {
    if (!(rate >= 0 && rate < 1)) throw refuse(`the rate must be from 0 to below 1, got ${rate}`);
    return x!;
  },
  forward(c) {
    const [x, count, { rate }] = [c.x[0]!, elements(c.y.shape), c.attributes];
    if (c.learning) {
      const code = kernel({ count, rate, layer: numberOf(c.node.name) });
      c.dispatch({ kernel: 'dropout', code, tensors: { x, clock: c.learning.clock, y: c.y }, grid: elementwiseGrid(count), flops: count });
      return;
    }
    const copy = { from: x, to: c.y, at: 0, pieces: 1 };
    c.dispatch({ kernel: 'concat', code: concat(whole(x.shape)), tensors: { x, y: c.y }, grid: concatGrid(whole(x.shape)), flops: 0, copy });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const { tensor: dx, accumulate } = target;
    const [count, { rate }] = [elements(c.y.shape), c.attributes];
    if (c.learning) {
      const code = dropoutBackward({ count, rate, layer: numberOf(c.node.name), accumulate });
      c.dispatch({ kernel: 'dropout', code, tensors: { dy: c.dy, clock: c.learning.clock, dx }, grid: elementwiseGrid(count), flops: count });
      return;
    }
    c.dispatch({
      kernel: 'concat',
      code: concatBackward({ ...whole(dx.shape), accumulate }),
      tensors: { dy: c.dy, dx },
      grid: concatGrid(whole(dx.shape)),
      flops: 0,
      ...(!accumulate && { copy: { from: c.dy, to: dx, at: 0, pieces: 1 } }),
    });
  },
};
