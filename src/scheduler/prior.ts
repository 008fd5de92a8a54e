/** Records priors of images: what they cost, and their share of a gradient. */
import { prior as kernel, priorFold, priorGrid, priorParts, priorSum, type PriorKind, type PriorParameters } from '../../shaders/prior.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

/** Costs of an image. A gradient that is climbed wants negative weights. */
export type Prior = { readonly weight: number } & (
  | {
      /** Sum of ((x[i, j + 1] - x[i, j])^2 + (x[i + 1, j] - x[i, j])^2)^(beta / 2), beta from 1 on. */
      readonly kind: 'total_variation';
      readonly beta: number;
    }
  | {
      /** Sum of |x|^alpha, alpha from 1 on. */
      readonly kind: 'alpha_norm';
      readonly alpha: number;
    }
  | {
      /** Sum of |x - center|. */
      readonly kind: 'l1';
      readonly center: number;
    }
);

export interface PriorTensors {
  /** [N, C, H, W] f32. */
  readonly image: TensorRef;
  /** Of the same shape: the prior's gradient, times its weight, is added to what is there. */
  readonly dimage: TensorRef;
}

/** @throws usage for numbers out of their range */
export function recordPrior(recorder: Recorder, { image, dimage }: PriorTensors, prior: Prior): void {
  const p = parametersOf(image, prior);
  if (`${dimage.shape}` !== `${image.shape}`) throw new UnitscopeError('usage', `[${dimage.shape}] is no gradient of an image [${image.shape}]`);
  recorder.dispatch({
    kernel: 'prior',
    part: prior.kind,
    code: kernel(p),
    tensors: { x: image, dx: dimage },
    grid: priorGrid(p),
    flops: elements(image.shape) * (p.prior.kind === 'variation' ? 24 : 5),
  });
}

/** value[n] = weight times the prior of image n. @throws usage for numbers out of their range */
export function recordPriorValue(recorder: Recorder, { image, value }: { readonly image: TensorRef; readonly value: TensorRef }, prior: Prior): void {
  const p = parametersOf(image, prior);
  if (`${value.shape}` !== `${[p.batch]}`) throw new UnitscopeError('usage', `[${value.shape}] does not hold a value for each image of [${image.shape}]`);
  const { shape, grid } = priorParts(p);
  const parts = recorder.scratch(`${prior.kind} parts`, shape);
  recorder.dispatch({
    kernel: 'prior',
    part: `${prior.kind} sums`,
    code: priorSum(p),
    tensors: { x: image, parts },
    grid,
    flops: elements(image.shape) * (p.prior.kind === 'variation' ? 7 : 4),
  });
  recorder.dispatch({ kernel: 'prior', part: `${prior.kind} fold`, code: priorFold(p), tensors: { parts, value }, grid: [p.batch, 1, 1], flops: elements(shape) });
}

function parametersOf({ shape }: TensorRef, prior: Prior): PriorParameters {
  if (shape.length !== 4) throw new UnitscopeError('usage', `a prior takes images [N, C, H, W], got [${shape}]`);
  const [batch, channels, height, width] = shape as [number, number, number, number];
  return { batch, channels, height, width, prior: kindOf(prior), weight: within('weight', prior.weight, -Infinity, prior) };
}

function kindOf(prior: Prior): PriorKind {
  if (prior.kind === 'total_variation') return { kind: 'variation', beta: within('beta', prior.beta, 1, prior) };
  if (prior.kind === 'alpha_norm') return { kind: 'norm', alpha: within('alpha', prior.alpha, 1, prior), center: 0 };
  return { kind: 'norm', alpha: 1, center: within('center', prior.center, -Infinity, prior) };
}

function within(attribute: string, value: number, least: number, { kind }: Prior): number {
  if (value >= least && Number.isFinite(value)) return value;
  throw new UnitscopeError('usage', `the ${attribute} of ${kind} must be a number${least > -Infinity ? ` from ${least} on` : ''}, got ${value}`, { attribute });
}
