/**
 * Sets to zero (the mean colour) what ranks below the threshold; strictly below, so that once more than the
 * percentile is zero nothing else is cut.
 *   xx[n, c, i] = 0 where key < threshold[n]
 *   xx [N, C, H, W] f32    keys [N, C H W] or [N, H W] f32    state, settings: ascent.wgsl.ts
 * One invocation, one value. Source: Yosinski et al. 2015, section 3.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { CLIPS, moving, SETTING, STATE, type ClipKind } from './ascent.wgsl.ts';
import { linearMain } from './prelude.wgsl.ts';

export function cut(p: { readonly batch: number; readonly channels: number; readonly plane: number; readonly kind: ClipKind }): string {
  const image = p.channels * p.plane;
  const key = p.kind === 'smallValue' ? 'i' : `n * ${p.plane}u + i % ${p.plane}u`;
  return wgsl`
@group(0) @binding(0) var<storage, read> keys: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> xx: array<f32>;
${moving}

${linearMain(p.batch * image)}
  let n = i / ${image}u;
  if (settings[n * ${SETTING.words}u + ${SETTING.percentiles + 3 * CLIPS.indexOf(p.kind)}u] == 0.0 || !moving(n)) { return; }
  if (keys[${key}] < bitcast<f32>(state[n * ${STATE.words}u + ${STATE.threshold}u])) { xx[i] = 0.0; }
}`;
}
