/** Optimizers: how the weights of a layer follow their gradient. */
import { adam } from '../../shaders/adam.wgsl.ts';
import { elementwiseGrid } from '../../shaders/prelude.wgsl.ts';
import { sgd } from '../../shaders/sgd.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

export type Optimizer =
  | { readonly kind: 'sgd'; readonly momentum: number; readonly nesterov?: boolean }
  | { readonly kind: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number };

export interface UpdateTensors {
  /** Weights, written over. */
  readonly w: TensorRef;
  /** Their gradient. */
  readonly g: TensorRef;
  /** What the optimizer keeps from step to step, by the names of `momentsOf`: each of the shape of w, 0 before the first step. */
  readonly moments: Readonly<Record<string, TensorRef>>;
  /** [4] f32: rate, then `correctionsOf`, 0. */
  readonly schedule: TensorRef;
  /** [2] u32: nothing changes once the first word is not 0. */
  readonly halt: TensorRef;
}

export interface UpdateOptions {
  /** Weight decay: decoupled for Adam, the factor of an L2 penalty for SGD. */
  readonly decay: number;
}

/** Names of what an optimizer keeps of every weight. */
export const momentsOf = (optimizer: Optimizer): readonly string[] => (optimizer.kind === 'adam' ? ['m', 'v'] : optimizer.momentum > 0 ? ['v'] : []);

/** Bias corrections of step t (the first is 1) for the schedule's words 1 and 2: 1 - beta1^t, 1 - beta2^t. */
export const correctionsOf = (optimizer: Optimizer, t: number): readonly [number, number] =>
  optimizer.kind === 'adam' ? [1 - optimizer.beta1 ** t, 1 - optimizer.beta2 ** t] : [1, 1];

/** Records one step of one tensor of weights. @throws usage for numbers out of their range */
export function recordUpdate(recorder: Recorder, optimizer: Optimizer, { w, g, moments, schedule, halt }: UpdateTensors, { decay }: UpdateOptions): void {
  check(optimizer, decay);
  const count = elements(w.shape);
  const tensors = { w, g, schedule, halt, ...Object.fromEntries(momentsOf(optimizer).map((name) => [name, moments[name]!])) };
  const grid = elementwiseGrid(count);
  if (optimizer.kind === 'adam') {
    const { beta1, beta2, epsilon } = optimizer;
    recorder.dispatch({ kernel: 'adam', code: adam({ count, decay, beta1, beta2, epsilon }), tensors, grid, flops: (decay > 0 ? 15 : 13) * count });
    return;
  }
  const { momentum, nesterov = false } = optimizer;
  const flops = (2 + (decay > 0 ? 2 : 0) + (momentum > 0 ? (nesterov ? 4 : 2) : 0)) * count;
  recorder.dispatch({ kernel: 'sgd', code: sgd({ count, decay, momentum, nesterov }), tensors, grid, flops });
}

function check(optimizer: Optimizer, decay: number): void {
  const refuse = (attribute: string, wanted: string, value: number): never => {
    throw new UnitscopeError('usage', `the ${attribute} of ${optimizer.kind} must be ${wanted}, got ${value}`, { attribute });
  };
  const factor = (attribute: string, value: number): void => void (value >= 0 && value < 1 ? undefined : refuse(attribute, 'from 0 to below 1', value));
  if (!(decay >= 0 && decay < Infinity)) refuse('decay', 'a number that is not negative', decay);
  if (optimizer.kind === 'sgd') return factor('momentum', optimizer.momentum);
  factor('beta1', optimizer.beta1);
  factor('beta2', optimizer.beta2);
  if (!(optimizer.epsilon > 0 && optimizer.epsilon < Infinity)) refuse('epsilon', 'above 0', optimizer.epsilon);
}
