/**
 * Clip to an interval (ReLU6 is 0..6) and its gradient.
 *   y = min(max(x, low), high)      dx = dy where low < x < high (rules: see activation.wgsl.ts)
 *   x, y, dy, dx [N, ...] f32. One invocation, some elements.
 * Source: ONNX Clip; Krizhevsky 2010 (ReLU6).
 */
import type { Rule } from './activation.wgsl.ts';
import { activationKernel, gateKernel } from './relu.wgsl.ts';

export interface ClipParameters {
  readonly count: number;
  readonly low: number;
  readonly high: number;
}

export function clip(p: ClipParameters): string {
  return activationKernel({ kind: 'clip', low: p.low, high: p.high }, p.count);
}

export function clipBackward(p: ClipParameters & { readonly rule: Rule; readonly accumulate: boolean }): string {
  const { low, high, ...rest } = p;
  return gateKernel({ ...rest, activation: { kind: 'clip', low, high } });
}
