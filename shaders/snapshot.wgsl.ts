/**
 * Keeps the image where this iteration is the best so far, or the first in which the unit is the layer's argmax.
 *   xx, best, majority [N, P] f32    state [N, STATE.words] u32. One invocation, one value.
 * Source: the `best_xx` and `majority_xx` of the optimizer of Yosinski et al. 2015.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { STATE } from './ascent.wgsl.ts';
import { linearMain } from './prelude.wgsl.ts';

export function snapshot(p: { readonly batch: number; readonly image: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> xx: array<f32>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> best: array<f32>;
@group(0) @binding(3) var<storage, read_write> majority: array<f32>;

${linearMain(p.batch * p.image)}
  let s = (i / ${p.image}u) * ${STATE.words}u;
  if (state[s + ${STATE.improved}u] == 1u) { best[i] = xx[i]; }
  if (state[s + ${STATE.crowned}u] == 1u) { majority[i] = xx[i]; }
}`;
}
