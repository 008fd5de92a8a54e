/**
 * Counts the second or the third digit of the keys that share the bits found before (see rank.wgsl.ts).
 *   counts[n, round, digit] = how many keys of image n have the prefix, and then this digit
 *   above[n] = min of the keys above all keys of the prefix
 *   keys [N, COUNT] u32    search [N, SEARCH.words] u32    counts [N, ROUNDS, BINS] u32
 * One invocation, its share of one image's keys.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { clearNext, countDigits, DIGIT, ROUNDS, word } from './rank.wgsl.ts';
import { walk, walkEach, walkMain, type Walk } from './walk.wgsl.ts';

export const countWalk = (count: number): Walk => walk(count, 16);

export function rankCount(p: { readonly count: number; readonly round: number }): string {
  const w = countWalk(p.count);
  const upper = `${w.bits}(${2 ** 32 - 2 ** (32 - DIGIT * p.round)}u)`;
  const last = p.round === ROUNDS - 1;
  return wgsl`
@group(0) @binding(0) var<storage, read> keys: array<${w.bits}>;
@group(0) @binding(1) var<storage, read_write> search: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;

${walkMain}
  if (atomicLoad(&${word('wanted')}) == 0u) { return; }
  ${clearNext(p.round, w.invocations)}
  let prefix = ${w.bits}(atomicLoad(&${word('prefix')}));
  var above = ${w.bits}(0xffffffffu);
  ${walkEach(w)} {
    let key = keys[n * ${w.loads}u + i];
    let known = key & ${upper};
    let same = known == prefix;
    ${last ? `above = min(above, select(${w.bits}(0xffffffffu), key, known > prefix));` : ''}
    ${countDigits(p.round, w.lanes, 'same')}
  }
#if ${last}
  atomicMin(&${word('above')}, ${w.lanes === 4 ? 'min(min(above.x, above.y), min(above.z, above.w))' : 'above'});
#endif
}`;
}
