/**
 * Sums over every channel of every image, of its finite values alone.
 *   moments[n, c] = (m, sum of y - m, sum of (y - m)^2, finite values, zeros among them, key of the largest, key of the smallest)
 *   m = mean of y as float32 has it: sums of what is left of y - m lose no digits to a mean that is far from 0, and
 *   the exact mean is m + (sum of y - m) / (finite values)
 *   y [N, C, ...] f32    moments [N, C, MOMENT.words] u32, floats by their bits, keys as in order_key.wgsl.ts
 * One row (see channel_rows.wgsl.ts), read twice; a fixed order of the sums, so that equal runs give equal bits.
 * Source: the corrected two-pass sums of Chan, Golub and LeVeque 1983.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { rowsEach, rowsFold, rowsMain, rowsShared, type Rows } from './channel_rows.wgsl.ts';
import { INFINITE, NOTHING, orderKey } from './order_key.wgsl.ts';

/** u32 words of a row. */
export const MOMENT = { mean: 0, sum: 1, squares: 2, finite: 3, zeros: 4, most: 5, least: 6, words: 8 } as const;

export function channelMoments(p: Rows): string {
  const store = (word: Exclude<keyof typeof MOMENT, 'words'>, value: string): string => `moments[row * ${MOMENT.words}u + ${MOMENT[word]}u] = ${value};`;
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<u32>;
@group(0) @binding(1) var<storage, read_write> moments: array<u32>;

struct Part { sum: f32, finite: u32, zeros: u32, most: u32, least: u32 }

${rowsShared(p, 'parts', 'Part')}
${rowsShared(p, 'rests', 'vec2f')}
${orderKey}

fn joined(a: Part, b: Part) -> Part {
  return Part(a.sum + b.sum, a.finite + b.finite, a.zeros + b.zeros, max(a.most, b.most), min(a.least, b.least));
}

fn isFinite(bits: u32) -> bool { return (bits & 0x7fffffffu) < ${INFINITE}; }

${rowsMain(p)}
  var own = Part(0.0, 0u, 0u, ${NOTHING}u, 0xffffffffu);
  ${rowsEach(p)} {
    let bits = y[row * ${p.plane}u + at];
    if (isFinite(bits)) {
      let key = orderKey(bits);
      own = joined(own, Part(bitcast<f32>(bits), 1u, select(0u, 1u, (bits & 0x7fffffffu) == 0u), key, key));
    }
  }
  ${rowsFold(p, 'parts', 'own', (a, b) => `joined(${a}, ${b})`)}
  let mean = own.sum / f32(max(own.finite, 1u));
  var rest = vec2f(0);
  ${rowsEach(p)} {
    let bits = y[row * ${p.plane}u + at];
    if (isFinite(bits)) {
      let d = bitcast<f32>(bits) - mean;
      rest += vec2f(d, d * d);
    }
  }
  ${rowsFold(p, 'rests', 'rest', (a, b) => `${a} + ${b}`)}
  if (local == 0u) {
    ${store('mean', 'bitcast<u32>(mean)')}
    ${store('sum', 'bitcast<u32>(rest.x)')}
    ${store('squares', 'bitcast<u32>(rest.y)')}
    ${store('finite', 'own.finite')}
    ${store('zeros', 'own.zeros')}
    ${store('most', 'own.most')}
    ${store('least', 'own.least')}
    moments[row * ${MOMENT.words}u + ${MOMENT.words - 1}u] = 0u;
  }
}`;
}
