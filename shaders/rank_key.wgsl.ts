/**
 * What a clip ranks its pixels (or values) by; begins the search and makes its first count (see rank.wgsl.ts).
 *   smallValue       |xx|, one key per value
 *   smallNorm        sqrt(sum over c of xx^2), one key per pixel
 *   contribution     sum over c of -xx scale[c] dx: how much the score would rise, to first order, without the pixel
 *   absContribution  |contribution|
 *   xx, dx [N, C, H, W] f32    keys [N, C H W] or [N, H W] u32    counts [N, ROUNDS, BINS] u32    search [N, SEARCH.words] u32
 * One invocation, its share of one image. Source: Yosinski et al. 2015, section 3; dx is the gradient from before the step.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { CLIPS, moving, SETTING, type ClipKind } from './ascent.wgsl.ts';
import { f32 } from './prelude.wgsl.ts';
import { clearNext, countDigits, keyOf, word } from './rank.wgsl.ts';
import { channelwise, planeAt, walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

export interface RankParameters {
  readonly plane: number;
  readonly scale: readonly number[];
  readonly kind: ClipKind;
}

/** Keys per image: where values are ranked and not pixels, all channels are one plane. */
export const keyCount = (p: RankParameters): number => (p.kind === 'smallValue' ? p.scale.length * p.plane : p.plane);
export const keyWalk = (count: number): Walk => walk(count, 8);

export function rankKey(p: RankParameters): string {
  const count = keyCount(p);
  const w = keyWalk(count);
  const channels = p.scale.length;
  const usesGradient = p.kind === 'contribution' || p.kind === 'absContribution';
  const setting = SETTING.percentiles + 3 * CLIPS.indexOf(p.kind);
  const at = (c: number): string => `${planeAt(w, channels, c)} + i`;
  const term = (c: number): string =>
    usesGradient ? `let at = ${at(c)}; sum += -xx[at] * (${f32(p.scale[c]!)} * dx[at]);` : `let v = xx[${at(c)}]; sum += v * v;`;
  const pixel = `var sum = ${w.float}(0);
    ${channelwise(channels, term)}
    let rank = ${{ smallValue: '', smallNorm: 'sqrt(sum)', contribution: 'sum', absContribution: 'abs(sum)' }[p.kind]};`;
  return wgsl`
@group(0) @binding(0) var<storage, read> xx: array<${w.float}>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
#if ${usesGradient}
@group(0) @binding(3) var<storage, read> dx: array<${w.float}>;
#endif
@group(0) @binding(4) var<storage, read_write> keys: array<${w.bits}>;
@group(0) @binding(5) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> search: array<u32>;
${moving}

${walkMain}
  let q = n * ${SETTING.words}u + ${setting}u;
  let wanted = settings[q] != 0.0 && moving(n);
  if (t == 0u) {
    let rank = u32(settings[q + 1u]);
    ${word('wanted')} = select(0u, 1u, wanted);
    ${word('open')} = 32u;
    ${word('prefix')} = 0u;
    ${word('remaining')} = rank;
    ${word('above')} = 0xffffffffu;
    ${word('fraction')} = bitcast<u32>(select(settings[q + 2u], 0.0, rank + 1u >= ${count}u));
  }
  if (!wanted) { return; }
  ${clearNext(0, w.invocations)}
  ${walkEach(w)} {
    ${p.kind === 'smallValue' ? `let rank = abs(xx[n * ${w.loads}u + i]);` : pixel}
    let bits = bitcast<${w.bits}>(rank);
    let key = ${keyOf(w.bits, 'bits')};
    keys[n * ${w.loads}u + i] = key;
    ${countDigits(0, w.lanes)}
  }
}`;
}
