/**
 * How the values of every channel of a batch are spread, over a range that fits them.
 *   range R = 2^e, the smallest power of two above every |y|, at least 2^LEAST
 *   without negative values:  bin = floor(BINS y / R)            of 0..R
 *   with some (signed):       bin = BINS / 2 + floor(BINS y / 2R)  of -R..R
 * All factors are powers of two: bins are exact, and those of a larger range are unions of those of a smaller one, so
 * batches of different ranges add up exactly. Values that are not finite are left out.
 *   y [N, C, ...] f32    moments [N, C, MOMENT.words] u32 of the same batch    pictures [1 + N] u32: images that count, ...
 *   histograms [C, HISTOGRAM.words] u32: e (i32), signed, counts
 * One workgroup, one channel; counts meet in its memory by integer atomics, whose order does not change a sum.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { MOMENT } from './channel_moments.wgsl.ts';
import { groupGrid, groupMain, type Rows } from './channel_rows.wgsl.ts';
import { INFINITE, keyBits, NOTHING, ZERO } from './order_key.wgsl.ts';

export const BINS = 64;

/** Exponent of the smallest range. */
export const LEAST = -20;

/** u32 words of a channel. */
export const HISTOGRAM = { exponent: 0, signed: 1, counts: 2, words: 2 + BINS } as const;

export const channelHistogramGrid = ({ channels }: Rows): [number, number, number] => groupGrid(channels);

export function channelHistogram({ channels, plane }: Rows): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<u32>;
@group(0) @binding(1) var<storage, read> moments: array<u32>;
@group(0) @binding(2) var<storage, read> pictures: array<u32>;
@group(0) @binding(3) var<storage, read_write> histograms: array<u32>;

var<workgroup> bins: array<atomic<u32>, ${BINS}>;
${keyBits}

${groupMain('c', channels, BINS)}
  let used = pictures[0];
  var size = 0u;
  var negative = false;
  for (var n = 0u; n < used; n++) {
    let at = (n * ${channels}u + c) * ${MOMENT.words}u;
    let most = moments[at + ${MOMENT.most}u];
    let least = moments[at + ${MOMENT.least}u];
    if (most == ${NOTHING}u) { continue; }
    size = max(size, max(keyBits(most) & 0x7fffffffu, keyBits(least) & 0x7fffffffu));
    negative = negative || least < ${ZERO}u;
  }
  // A float lies below two to the power of its biased exponent less 126.
  let exponent = max(i32(size >> 23u) - 126, ${LEAST});
  let middle = select(0, ${BINS / 2}, negative);
  let scale = bitcast<f32>(u32(127 + select(${Math.log2(BINS)}, ${Math.log2(BINS) - 1}, negative) - exponent) << 23u);
  for (var i = local; i < used * ${plane}u; i += ${BINS}u) {
    let bits = y[((i / ${plane}u) * ${channels}u + c) * ${plane}u + i % ${plane}u];
    if ((bits & 0x7fffffffu) < ${INFINITE}) {
      // Drivers may take the smallest floats for 0: below it they stay.
      let below = bits > 0x80000000u;
      let bin = i32(floor(bitcast<f32>(bits) * scale));
      atomicAdd(&bins[middle + select(bin, min(bin, -1), below)], 1u);
    }
  }
  workgroupBarrier();
  histograms[c * ${HISTOGRAM.words}u + ${HISTOGRAM.counts}u + local] = atomicLoad(&bins[local]);
  if (local == 0u) {
    histograms[c * ${HISTOGRAM.words}u + ${HISTOGRAM.exponent}u] = bitcast<u32>(exponent);
    histograms[c * ${HISTOGRAM.words}u + ${HISTOGRAM.signed}u] = select(0u, 1u, negative);
  }
}`;
}
