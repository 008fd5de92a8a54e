/**
 * ReLU and its gradient under the four rules, elementwise.
 *   y = max(x, 0)      dx = dy gated by y > 0 and/or dy > 0 (see activation.wgsl.ts); by neither, dx = dy is left to a copy
 *   x, y, dy, dx [N, ...] f32. One invocation, some elements.
 * Source: Nair and Hinton 2010; Zeiler and Fergus 2014 (deconvnet); Springenberg et al. 2015 (guided).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, gate, type Activation, type Rule } from './activation.wgsl.ts';
import { elementsOf, elementwiseMain, store } from './prelude.wgsl.ts';

export function relu(p: { readonly count: number }): string {
  return activationKernel({ kind: 'relu' }, p.count);
}

/** y = the activation of x. */
export function activationKernel(activation: Activation, count: number): string {
  const elements = elementsOf(count);
  const { type } = elements;
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}>;
${elementwiseMain(elements, (at, step) => `let v${step} = x[${at}];`, (at, step) => `y[${at}] = ${activate(activation, `v${step}`, type)};`)}`;
}

export function reluBackward(p: { readonly count: number; readonly rule: Rule; readonly accumulate: boolean }): string {
  return gateKernel({ ...p, activation: { kind: 'relu' } });
}

/** dx = dy gated by the activation whose output is y: the backward of ReLU, of clip, and of layers that fuse them. */
export function gateKernel(p: {
  readonly count: number;
  readonly activation: Activation;
  readonly rule: Rule;
  readonly accumulate: boolean;
}): string {
  const elements = elementsOf(p.count);
  const { type } = elements;
  const load = (at: string, step: number): string => `let g${step} = dy[${at}];\n  let v${step} = y[${at}];`;
  const save = (at: string, step: number): string => store(`dx[${at}]`, gate(p.activation, p.rule, `g${step}`, `v${step}`, type), p.accumulate);
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<${type}>;
@group(0) @binding(1) var<storage, read> dy: array<${type}>;
@group(0) @binding(2) var<storage, read_write> dx: array<${type}>;
${elementwiseMain(elements, load, save)}`;
}
