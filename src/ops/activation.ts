/** Attributes of layers that may carry the activation that follows them, and the gradient behind it. */
import type { Activation } from '../../shaders/activation.wgsl.ts';
import { elementwiseGrid } from '../../shaders/prelude.wgsl.ts';
import { gateKernel } from '../../shaders/relu.wgsl.ts';
import type { LearnContext, ReluRule, TensorRef } from './op.ts';
import { elements } from './shape.ts';

export interface FusedAttributes {
  readonly activation: 'none' | 'relu' | 'clip';
  readonly low: number;
  readonly high: number;
}

/** Defaults, to spread into the attributes of an op that can fuse. */
export const FUSED = { activation: 'none', low: 0, high: 0 } as const;

export const NO_ACTIVATION: Activation = { kind: 'none' };

export function activationOf(attributes: FusedAttributes): Activation {
  return attributes.activation === 'clip'
    ? { kind: 'clip', low: attributes.low, high: attributes.high }
    : { kind: attributes.activation };
}

/** A rule is for gradients of inputs alone: those of weights are what they are. */
type Gated = Pick<LearnContext<FusedAttributes>, 'attributes' | 'y' | 'dy' | 'scratch' | 'dispatch'> & { readonly rule?: ReluRule };

/** The gradient before a layer's activation: dy itself where it has none, and where the rule lets everything through. */
export function gatedGradient(c: Gated): TensorRef {
  const activation = activationOf(c.attributes);
  if (activation.kind === 'none' || c.rule === 'linear') return c.dy;
  const count = elements(c.y.shape);
  const gated = c.scratch(`${c.y.label}.gated`, c.y.shape);
  c.dispatch({
    kernel: 'relu',
    part: 'gate',
    code: gateKernel({ count, activation, rule: c.rule ?? 'gradient', accumulate: false }),
    tensors: { y: c.y, dy: c.dy, dx: gated },
    grid: elementwiseGrid(count),
    flops: 0,
  });
  return gated;
}
