/**
 * Clip to an interval (ReLU6 is 0..6) and its gradient.
 *   y = min(max(x, low), high)      dx = dy where low < x < high (rules: see activation.wgsl.ts)
 *   x, y, dy, dx [N, ...] f32. One invocation, one element.
 * Source: ONNX Clip; Krizhevsky 2010 (ReLU6).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, type Rule } from './activation.wgsl.ts';
import { linearMain } from './prelude.wgsl.ts';
import { gateKernel } from './relu.wgsl.ts';

export interface ClipParameters {
  readonly count: number;
  readonly low: number;
  readonly high: number;
}

export function clip(p: ClipParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(p.count)}
  let v = x[i];
  y[i] = ${activate({ kind: 'clip', low: p.low, high: p.high }, 'v')};
}`;
}

export function clipBackward(p: ClipParameters & { readonly rule: Rule; readonly accumulate: boolean }): string {
  const { low, high, ...rest } = p;
  return gateKernel({ ...rest, activation: { kind: 'clip', low, high } });
}
