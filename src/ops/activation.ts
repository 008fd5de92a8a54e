/** Attributes of layers that may carry the activation that follows them. */
import type { Activation } from '../../shaders/activation.wgsl.ts';

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
