/**
 * The largest value of every channel of every image, and where it is.
 *   peaks[n, c] = (key of max y[n, c, :], the first place that has it); (NOTHING, 2^32 - 1) where all are NaN
 *   y [N, C, ...] f32    peaks [N, C, 2] u32, keys as in order_key.wgsl.ts, places in row-major order
 * One row (see channel_rows.wgsl.ts): a workgroup, or one invocation where maps are small.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { rowsEach, rowsFold, rowsMain, rowsShared, type Rows } from './channel_rows.wgsl.ts';
import { NOTHING, orderKey } from './order_key.wgsl.ts';

export function channelPeak(p: Rows): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<u32>;
@group(0) @binding(1) var<storage, read_write> peaks: array<vec2u>;

${rowsShared(p, 'parts', 'vec2u')}
${orderKey}

/** The larger key, the first place where they are equal. */
fn higher(a: vec2u, b: vec2u) -> vec2u { return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y)); }

${rowsMain(p)}
  var own = vec2u(${NOTHING}u, 0xffffffffu);
  ${rowsEach(p)} {
    let key = orderKey(y[row * ${p.plane}u + at]);
    if (key > own.x) { own = vec2u(key, at); }
  }
  ${rowsFold(p, 'parts', 'own', (a, b) => `higher(${a}, ${b})`)}
  if (local == 0u) { peaks[row] = own; }
}`;
}
