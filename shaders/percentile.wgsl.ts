/**
 * The percentile of each image's keys, exactly as numpy interpolates it, without a sort.
 *   threshold = lerp(sorted[rank], sorted[rank + 1], fraction)
 *   keys [N, COUNT] f32    settings: rank and fraction (ascent.wgsl.ts)    state[threshold] f32 bits
 * Radix select: four rounds over the keys, 8 bits a round, a histogram of 256 bins in workgroup memory; integer
 * atomics only, so the result does not depend on the order. One more round finds the next larger key.
 * One workgroup, one image.
 * Source: numpy.percentile (method `linear`); radix select after Alabi et al. 2012.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { CLIPS, REDUCE, SETTING, STATE, type ClipKind } from './ascent.wgsl.ts';

export function percentile(p: { readonly count: number; readonly kind: ClipKind }): string {
  const setting = SETTING.percentiles + 3 * CLIPS.indexOf(p.kind);
  return wgsl`
@group(0) @binding(0) var<storage, read> keys: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<u32>;

var<workgroup> histogram: array<atomic<u32>, 256>;
var<workgroup> prefix: u32;
var<workgroup> remaining: u32;
var<workgroup> equal: u32;
var<workgroup> above: atomic<u32>;

/** Bits whose unsigned order is the order of the floats. */
fn ordered(v: f32) -> u32 {
  let bits = bitcast<u32>(v);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

fn value(order: u32) -> f32 {
  return bitcast<f32>(select(~order, order & 0x7fffffffu, (order & 0x80000000u) != 0u));
}

@compute @workgroup_size(${REDUCE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  let q = n * ${SETTING.words}u + ${setting}u;
  let first = n * ${p.count}u;
  let rank = u32(settings[q + 1u]);
  if (local == 0u) { prefix = 0u; remaining = rank; atomicStore(&above, 0xffffffffu); }
  for (var round = 0u; round < 4u; round++) {
    let shift = 24u - 8u * round;
    atomicStore(&histogram[local], 0u);
    workgroupBarrier();
    let known = prefix;
    // Bits above this round's digit; a shift by 32 is undefined, so the first round has none.
    let mask = select(0xffffffffu << ((shift + 8u) & 31u), 0u, round == 0u);
    for (var i = local; i < ${p.count}u; i += ${REDUCE}u) {
      let key = ordered(keys[first + i]);
      if ((key & mask) == known) { atomicAdd(&histogram[(key >> shift) & 255u], 1u); }
    }
    workgroupBarrier();
    if (local == 0u) {
      var digit = 0u;
      var left = remaining;
      loop {
        let here = atomicLoad(&histogram[digit]);
        if (left < here || digit == 255u) { equal = here; break; }
        left -= here;
        digit++;
      }
      remaining = left;
      prefix = known | (digit << shift);
    }
    workgroupBarrier();
  }
  // 'equal' keys are the one of that rank; 'remaining' of them come before it.
  let found = prefix;
  for (var i = local; i < ${p.count}u; i += ${REDUCE}u) {
    let key = ordered(keys[first + i]);
    if (key > found) { atomicMin(&above, key); }
  }
  workgroupBarrier();
  if (local == 0u) {
    let low = value(found);
    let high = select(value(atomicLoad(&above)), low, remaining + 1u < equal || rank + 1u >= ${p.count}u);
    let fraction = settings[q + 2u];
    let difference = high - low;
    let threshold = select(low + difference * fraction, high - difference * (1.0 - fraction), fraction >= 0.5);
    state[n * ${STATE.words}u + ${STATE.threshold}u] = bitcast<u32>(threshold);
  }
}`;
}
