/**
 * One step up the gradient, and L2 decay.
 *   xx = (xx + rate scale[c] dx) (1 - decay)
 *   xx [N, C, H, W] f32, pixel units    dx [N, C, H, W] f32, network units    state, settings: ascent.wgsl.ts
 * One invocation, one value. Source: Yosinski et al. 2015, equation 2.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { channelScale, moving, SETTING, STATE } from './ascent.wgsl.ts';
import { linearMain } from './prelude.wgsl.ts';

export function ascend(p: { readonly batch: number; readonly plane: number; readonly scale: readonly number[] }): string {
  const image = p.scale.length * p.plane;
  return wgsl`
@group(0) @binding(0) var<storage, read> dx: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> xx: array<f32>;
${channelScale(p.scale)}
${moving}

${linearMain(p.batch * image)}
  let n = i / ${image}u;
  if (!moving(n)) { return; }
  let rate = bitcast<f32>(state[n * ${STATE.words}u + ${STATE.rate}u]);
  let c = (i / ${p.plane}u) % ${p.scale.length}u;
  xx[i] = (xx[i] + rate * (SCALE[c] * dx[i])) * settings[n * ${SETTING.words}u + ${SETTING.keep}u];
}`;
}
