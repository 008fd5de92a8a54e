/**
 * Batch normalization while a network learns: by the moments of the batch, and the running moments follow them. The forward
 * pass leaves room for the gradients of scale and shift, backward fills it, since dx is made from them, and learn hands
 * them over: it relies on backward having been recorded, with or without a gradient that anybody wants.
 */
import { batchMoments, planeMoments, planesGrid } from '../../shaders/batch_moments.wgsl.ts';
import { batchNorm, batchNormGrid, type BatchNormParameters } from '../../shaders/batch_norm.wgsl.ts';
import { batchGradients, batchNormGradient, planeGradients } from '../../shaders/batch_norm_gradient.wgsl.ts';
import { concat, concatGrid } from '../../shaders/concat.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { BackwardContext, ForwardContext, Learning, LearnContext } from './op.ts';
import { elements } from './shape.ts';

/** The part of a batch in the running moments. */
const MOMENTUM = 0.1;

/** @throws usage where a channel has a single element, which has no variance */
export function forwardLearning(c: ForwardContext<{ readonly epsilon: number }>, { weights }: Learning, p: BatchNormParameters): void {
  const [x, { batch, channels, plane }, { epsilon }] = [c.x[0]!, p, c.attributes];
  if (batch * plane < 2) {
    throw new UnitscopeError('usage', `'${c.node.name}' learns from the variance of a channel, and each has one element`, { layer: c.node.name }, 'use a larger batch');
  }
  const { software } = c.capabilities;
  const planes = c.scratch('planes', [batch, channels, 2]);
  const made = {
    a: c.scratch('a of the batch', [channels]),
    b: c.scratch('b of the batch', [channels]),
    moments: c.scratch('moments', [channels, 2]),
    dscale: c.scratch('d scale', [channels]),
    dshift: c.scratch('d shift', [channels]),
  };
  for (const [key, tensor] of Object.entries(made)) c.save(key, tensor);
  const { a, b, moments } = made;
  const { scale, shift, mean, variance } = weights as Readonly<Record<'scale' | 'shift' | 'mean' | 'variance', Learning['clock']>>;
  c.dispatch({ kernel: 'batch_moments', part: 'planes', code: planeMoments({ ...p, software }), tensors: { x, planes }, grid: planesGrid({ ...p, software }), flops: 4 * elements(x.shape) });
  c.dispatch({
    kernel: 'batch_moments',
    part: 'moments',
    code: batchMoments({ ...p, epsilon, momentum: MOMENTUM }),
    tensors: { planes, scale, shift, mean, variance, a, b, moments },
    grid: linearGrid(channels),
    flops: 6 * batch * channels,
  });
  c.dispatch({ kernel: 'batch_norm', code: batchNorm(p), tensors: { x, a, b, y: c.y }, grid: batchNormGrid(p), flops: 2 * elements(x.shape) });
}

export function backwardLearning(c: BackwardContext<unknown>, p: BatchNormParameters): void {
  const [x, { dy }, { batch, channels }] = [c.x[0]!, c, p];
  const [a, moments, dscale, dshift] = ['a', 'moments', 'dscale', 'dshift'].map((key) => c.saved(key)) as [typeof x, typeof x, typeof x, typeof x];
  const planes = c.scratch('planes of the gradient', [batch, channels, 2]);
  const slopes = c.scratch('slopes', [channels, 4]);
  const walk = { ...p, software: c.capabilities.software };
  c.dispatch({
    kernel: 'batch_norm_gradient',
    part: 'planes',
    code: planeGradients(walk),
    tensors: { x, dy, moments, planes },
    grid: planesGrid(walk),
    flops: 4 * elements(x.shape),
  });
  c.dispatch({
    kernel: 'batch_norm_gradient',
    part: 'weights',
    code: batchGradients(p),
    tensors: { planes, moments, a, dscale, dshift, slopes },
    grid: linearGrid(channels),
    flops: 2 * batch * channels,
  });
  const target = c.dx[0];
  if (!target) return;
  c.dispatch({
    kernel: 'batch_norm_gradient',
    code: batchNormGradient({ ...p, accumulate: target.accumulate }),
    tensors: { x, dy, slopes, dx: target.tensor },
    grid: batchNormGrid(p),
    flops: 4 * elements(x.shape),
  });
}

export function learnAffine(c: LearnContext<unknown>, { channels }: BatchNormParameters): void {
  const whole = { outer: 1, rows: channels, offset: 0, total: channels };
  for (const name of ['scale', 'shift']) {
    const [x, y] = [c.saved(`d${name}`), c.dw[name]!];
    c.dispatch({ kernel: 'concat', part: name, code: concat(whole), tensors: { x, y }, grid: concatGrid(whole), flops: 0, copy: { from: x, to: y, at: 0, pieces: 1 } });
  }
}
