/**
 * What the optimizers share: a step of the weights and of the moments that the optimizer keeps of them.
 *   w, g (the gradient), moments f32 of one shape    schedule [4] f32: rate, 1 - beta1^t, 1 - beta2^t, 0
 *   halt [2] u32: once its first word is not 0, nothing changes any more.
 * One invocation, some elements.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { elementsOf, linearMain, plus, range, spreadOver } from './prelude.wgsl.ts';

export interface UpdateParameters {
  readonly count: number;
  /** Share of the weights that is taken off them. */
  readonly decay: number;
}

/**
 * @param moments names of the moments
 * @param scalars binds what is the same for all elements
 * @param change writes w[at] and the moments there, from those before: w0, g0, ... for the element of number 0
 */
export function updateKernel(count: number, moments: readonly string[], scalars: string, change: (at: string, step: number) => string): string {
  const elements = elementsOf(count);
  const changed = ['w', ...moments];
  return wgsl`
@group(0) @binding(0) var<storage, read> g: array<${elements.type}>;
@group(0) @binding(1) var<storage, read> schedule: array<f32>;
@group(0) @binding(2) var<storage, read> halt: array<u32>;
${changed.map((name, k) => `@group(0) @binding(${3 + k}) var<storage, read_write> ${name}: array<${elements.type}>;`).join('\n')}

${linearMain(elements.stride)}
  if (halt[0] != 0u) { return; }
  ${scalars}
  ${range(elements.each).flatMap((step) => ['g', ...changed].map((name) => `let ${name}${step} = ${name}[${plus('i', step * elements.stride)}];`)).join('\n  ')}
  ${spreadOver('i', elements, (step) => change(plus('i', step * elements.stride), step))}
}`;
}
