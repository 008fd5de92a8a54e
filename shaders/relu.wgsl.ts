/**
 * ReLU and its gradient under the three rules, elementwise.
 *   y = max(x, 0)      dx = dy gated by y > 0 and/or dy > 0 (see activation.wgsl.ts)
 *   x, y, dy, dx [N, ...] f32. One invocation, one element.
 * Source: Nair and Hinton 2010; Zeiler and Fergus 2014 (deconvnet); Springenberg et al. 2015 (guided).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, gate, type Activation, type Rule } from './activation.wgsl.ts';
import { linearMain, store } from './prelude.wgsl.ts';

const RELU: Activation = { kind: 'relu' };

export function relu(p: { readonly count: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(p.count)}
  let v = x[i];
  y[i] = ${activate(RELU, 'v')};
}`;
}

export function reluBackward(p: { readonly count: number; readonly rule: Rule; readonly accumulate: boolean }): string {
  return gateKernel({ ...p, activation: RELU });
}

/** dx = dy gated by the activation whose output is y: the backward of ReLU, of clip, and of layers that fuse them. */
export function gateKernel(p: {
  readonly count: number;
  readonly activation: Activation;
  readonly rule: Rule;
  readonly accumulate: boolean;
}): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

${linearMain(p.count)}
  let g = dy[i];
  let v = y[i];
  ${store('dx[i]', gate(p.activation, p.rule, 'g', 'v'), p.accumulate)}
}`;
}
