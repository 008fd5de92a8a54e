/**
 * A copy, bit by bit.
 *   y = x
 *   x, y [...] of one number of elements. One invocation, some elements.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { elementsOf, elementwiseMain } from './prelude.wgsl.ts';

export function copy(p: { readonly count: number }): string {
  const elements = elementsOf(p.count);
  // As whole numbers: a float that is none may change its bits on the way.
  const type = elements.type === 'vec4f' ? 'vec4u' : 'u32';
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}>;
${elementwiseMain(elements, (at, step) => `let v${step} = x[${at}];`, (at, step) => `y[${at}] = v${step};`)}`;
}
