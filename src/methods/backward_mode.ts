/**
 * How a gradient may go back: the true one, and what the literature makes of it. Three switches make eight modes; how local
 * response normalization passes doubles them.
 */
import type { BackwardRules, ReluRule } from '../ops/op.ts';

export interface BackwardMode {
  /** ReLU passes the gradient only where its own answer is above zero. */
  readonly mask: boolean;
  /** ReLU passes only what is positive of the gradient. */
  readonly rectify: boolean;
  /** Max pooling passes the gradient to the first maximum of a window; without switches to its centre. */
  readonly switches: boolean;
  /** Local response normalization passes its true gradient, or the gradient as it is. */
  readonly lrn: BackwardRules['lrn'];
}

/**
 * The modes that have a name: saliency (Simonyan et al. 2013) is the true gradient; deconvnet (Zeiler and Fergus 2014), which passes
 * LRN as it is where the Deep Visualization Toolbox passes its true gradient; guided (Springenberg et al. 2015).
 */
export const CLASSIC_MODES = {
  saliency: { mask: true, rectify: false, switches: true, lrn: 'true' },
  deconvnet: { mask: false, rectify: true, switches: true, lrn: 'true' },
  guided: { mask: true, rectify: true, switches: true, lrn: 'true' },
} as const satisfies Readonly<Record<string, BackwardMode>>;

export type ClassicMode = keyof typeof CLASSIC_MODES;

/** The rule of ReLU with these two switches. */
export function reluRule({ mask, rectify }: Pick<BackwardMode, 'mask' | 'rectify'>): ReluRule {
  if (rectify) return mask ? 'guided' : 'deconvnet';
  return mask ? 'gradient' : 'linear';
}

/** What the backward pass is told of a mode. */
export const rulesOf = (mode: BackwardMode): BackwardRules => ({ rule: reluRule(mode), switches: mode.switches, lrn: mode.lrn });
