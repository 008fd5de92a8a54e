/**
 * Keeps the image where this iteration is the best so far, or the first in which the unit is the layer's argmax.
 *   xx, best, majority [N, C, H, W] f32    state [N, STATE.words] u32. One invocation, its share of one image.
 * Source: the `best_xx` and `majority_xx` of the optimizer of Yosinski et al. 2015.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { STATE } from './ascent.wgsl.ts';
import { channelwise, planeAt, walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

export const snapshotWalk = (plane: number): Walk => walk(plane, 16);

export function snapshot(p: { readonly channels: number; readonly plane: number }): string {
  const w = snapshotWalk(p.plane);
  return wgsl`
@group(0) @binding(0) var<storage, read> xx: array<${w.float}>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> best: array<${w.float}>;
@group(0) @binding(3) var<storage, read_write> majority: array<${w.float}>;

${walkMain}
  let improved = state[n * ${STATE.words}u + ${STATE.improved}u] == 1u;
  let crowned = state[n * ${STATE.words}u + ${STATE.crowned}u] == 1u;
  if (!improved && !crowned) { return; }
  ${walkEach(w)} {
    ${channelwise(
      p.channels,
      (c) => `
      let at = ${planeAt(w, p.channels, c)} + i;
      let v = xx[at];
      if (improved) { best[at] = v; }
      if (crowned) { majority[at] = v; }`,
    )}
  }
}`;
}
