/**
 * Activations as expressions, so that a kernel of their own and the kernels that fuse them agree:
 *   relu  y = max(x, 0)          dy/dx = 1 where x > 0
 *   clip  y = min(max(x, low), high)   dy/dx = 1 where low < x < high
 * Since y > 0 exactly where x > 0 (and low < y < high where low < x < high), gates read y.
 */
import { f32 } from './prelude.wgsl.ts';

export type Activation =
  | { readonly kind: 'none' }
  | { readonly kind: 'relu' }
  | { readonly kind: 'clip'; readonly low: number; readonly high: number };

/** How a gradient passes an activation: where the activation is active (mask), where the gradient is positive (rectify), both, or everywhere. */
export type Rule = 'gradient' | 'deconvnet' | 'guided' | 'linear';

/** The two switches of each rule; the four rules are all their settings. */
export const RULE_SWITCHES: Readonly<Record<Rule, { readonly mask: boolean; readonly rectify: boolean }>> = {
  gradient: { mask: true, rectify: false },
  deconvnet: { mask: false, rectify: true },
  guided: { mask: true, rectify: true },
  linear: { mask: false, rectify: false },
};

/** Expression of y; works on f32 and on vec4f alike when `type` says so. */
export function activate(activation: Activation, x: string, type: 'f32' | 'vec4f' = 'f32'): string {
  switch (activation.kind) {
    case 'none':
      return x;
    case 'relu':
      return `max(${x}, ${type}(0))`;
    case 'clip':
      return `min(max(${x}, ${type}(${f32(activation.low)})), ${type}(${f32(activation.high)}))`;
  }
}

/**
 * Expression of the gradient that passes: g from above, y the activation's own output.
 * gradient: g (y active). deconvnet (Zeiler and Fergus 2014): g (g > 0). guided (Springenberg et al. 2015): both. linear: g.
 */
export function gate(activation: Activation, rule: Rule, g: string, y: string, type: 'f32' | 'vec4f' = 'f32'): string {
  const { mask, rectify } = RULE_SWITCHES[rule];
  if (activation.kind === 'none' || !(mask || rectify)) return g;
  const bound = (value: string): string => (type === 'f32' ? value : `${type}(${value})`);
  const zero = bound('0.0');
  const active =
    activation.kind === 'relu' ? [`${y} > ${bound('0')}`] : [`${y} > ${bound(f32(activation.low))}`, `${y} < ${bound(f32(activation.high))}`];
  const from = `${g} > ${bound('0')}`;
  const pass = [...(mask ? active : []), ...(rectify ? [from] : [])];
  return `select(${zero}, ${g}, ${type === 'f32' ? pass.join(' && ') : pass.map((condition) => `(${condition})`).join(' & ')})`;
}
