/**
 * What a clip ranks its pixels (or values) by.
 *   smallValue       |xx|, one key per value
 *   smallNorm        sqrt(sum over c of xx^2), one key per pixel
 *   contribution     sum over c of -xx scale[c] dx: how much the score would rise, to first order, without the pixel
 *   absContribution  |contribution|
 *   xx, dx [N, C, H, W] f32    keys [N, C H W] or [N, H W] f32
 * One invocation, one key. Source: Yosinski et al. 2015, section 3; dx is the gradient from before the step.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { channelScale, type ClipKind } from './ascent.wgsl.ts';
import { linearMain } from './prelude.wgsl.ts';

export interface RankParameters {
  readonly batch: number;
  readonly plane: number;
  readonly scale: readonly number[];
  readonly kind: ClipKind;
}

export function rankKey(p: RankParameters): string {
  const channels = p.scale.length;
  const image = channels * p.plane;
  const usesGradient = p.kind === 'contribution' || p.kind === 'absContribution';
  if (p.kind === 'smallValue') {
    return wgsl`
@group(0) @binding(0) var<storage, read> xx: array<f32>;
@group(0) @binding(1) var<storage, read_write> keys: array<f32>;

${linearMain(p.batch * image)}
  keys[i] = abs(xx[i]);
}`;
  }
  const result = { smallNorm: 'sqrt(sum)', contribution: 'sum', absContribution: 'abs(sum)' }[p.kind];
  return wgsl`
@group(0) @binding(0) var<storage, read> xx: array<f32>;
#if ${usesGradient}
@group(0) @binding(1) var<storage, read> dx: array<f32>;
@group(0) @binding(2) var<storage, read_write> keys: array<f32>;
#else
@group(0) @binding(1) var<storage, read_write> keys: array<f32>;
#endif
${channelScale(p.scale)}

${linearMain(p.batch * p.plane)}
  let first = (i / ${p.plane}u) * ${image}u + i % ${p.plane}u;
  var sum = 0.0;
  for (var c = 0u; c < ${channels}u; c++) {
    let at = first + c * ${p.plane}u;
#if ${usesGradient}
    sum += -xx[at] * (SCALE[c] * dx[at]);
#else
    sum += xx[at] * xx[at];
#endif
  }
  keys[i] = ${result};
}`;
}
