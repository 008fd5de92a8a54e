/**
 * One step up the gradient, and L2 decay.
 *   xx = (xx + rate scale[c] dx) (1 - decay)
 *   xx [N, C, H, W] f32, pixel units    dx [N, C, H, W] f32, network units    state, settings: ascent.wgsl.ts
 * One invocation, its share of one image. Source: Yosinski et al. 2015, equation 2.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { moving, SETTING, STATE } from './ascent.wgsl.ts';
import { f32 } from './prelude.wgsl.ts';
import { channelwise, planeAt, walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

export const ascendWalk = (plane: number): Walk => walk(plane, 8);

/** WGSL: the value after the step; `rate` and `keep` are in scope. One expression, so that a blur's step gives the same bits. */
export const stepped = (float: Walk['float'], xx: string, scale: string, dx: string): string =>
  `fma(${float}(rate), ${scale} * ${dx}, ${xx}) * keep`;

export function ascend(p: { readonly plane: number; readonly scale: readonly number[] }): string {
  const w = ascendWalk(p.plane);
  return wgsl`
@group(0) @binding(0) var<storage, read> dx: array<${w.float}>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> xx: array<${w.float}>;
${moving}

${walkMain}
  if (!moving(n)) { return; }
  let rate = bitcast<f32>(state[n * ${STATE.words}u + ${STATE.rate}u]);
  let keep = settings[n * ${SETTING.words}u + ${SETTING.keep}u];
  ${walkEach(w)} {
    ${channelwise(
      p.scale.length,
      (c) => `
      let at = ${planeAt(w, p.scale.length, c)} + i;
      xx[at] = ${stepped(w.float, 'xx[at]', f32(p.scale[c]!), 'dx[at]')};`,
    )}
  }
}`;
}
