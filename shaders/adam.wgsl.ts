/**
 * A step of Adam with decoupled weight decay.
 *   m = beta1 m + (1 - beta1) g      v = beta2 v + (1 - beta2) g^2
 *   w = w - rate (decay w + (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon))
 * Tensors: update.wgsl.ts. Sources: Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019 (AdamW).
 */
import { f32 } from './prelude.wgsl.ts';
import { updateKernel, type UpdateParameters } from './update.wgsl.ts';

export interface AdamParameters extends UpdateParameters {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export function adam({ count, decay, beta1, beta2, epsilon }: AdamParameters): string {
  const scalars = 'let rate = schedule[0];\n  let grown1 = 1.0 / schedule[1];\n  let grown2 = 1.0 / schedule[2];';
  return updateKernel(count, ['m', 'v'], scalars, (at, k) => `let a${k} = ${f32(beta1)} * m${k} + ${f32(1 - beta1)} * g${k};
  let b${k} = ${f32(beta2)} * v${k} + ${f32(1 - beta2)} * g${k} * g${k};
  m[${at}] = a${k};
  v[${at}] = b${k};
  w[${at}] = w${k} - rate * (${decay > 0 ? `${f32(decay)} * w${k} + ` : ''}a${k} * grown1 / (sqrt(b${k} * grown2) + ${f32(epsilon)}));`);
}
