/**
 * Finds the digit that the rank falls into, and once no bit is open the percentile (see rank.wgsl.ts).
 *   digit = the smallest whose keys, with those of all smaller digits, are more than `remaining`
 *   threshold = low + (high - low) fraction, from the key of the rank and the next larger one
 *   counts [N, ROUNDS, BINS] u32    search [N, SEARCH.words] u32
 * One workgroup, one image: its lanes add up a run of the counts each, the first lane walks the sums, then, once the
 * lanes have fetched it, the counts of one run. An image that does not search gets numbers without a meaning.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { BINS, bitsOf, DIGIT, ROUNDS, word } from './rank.wgsl.ts';

/** Invocations; few, because a workgroup with barriers is dear on a software adapter. */
const LANES = 32;
const RUN = BINS / LANES;

export const rankDigit = (): string => wgsl`
@group(0) @binding(0) var<storage, read> counts: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> search: array<u32>;

var<workgroup> runs: array<u32, ${LANES}>;
/** The run that the rank falls into, its counts, and the rank in it. */
var<workgroup> owner: u32;
var<workgroup> bins: array<u32, ${RUN}>;
var<workgroup> left: u32;

fn count(bin: u32) -> u32 { return counts[bin / 4u][bin % 4u]; }

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  let open = ${word('open')};
  let begin = n * ${ROUNDS * BINS}u + (32u - open) / ${DIGIT}u * ${BINS}u;
  var sum = vec4u(0);
  for (var k = 0u; k < ${RUN / 4}u; k++) { sum += counts[(begin + local * ${RUN}u) / 4u + k]; }
  runs[local] = sum.x + sum.y + sum.z + sum.w;
  workgroupBarrier();
  if (local == 0u) {
    var rest = ${word('remaining')};
    var lane = 0u;
    while (lane < ${LANES - 1}u && rest >= runs[lane]) {
      rest -= runs[lane];
      lane++;
    }
    owner = lane;
    left = rest;
  }
  workgroupBarrier();
  let run = begin + owner * ${RUN}u;
  for (var bin = local; bin < ${RUN}u; bin += ${LANES}u) { bins[bin] = count(run + bin); }
  workgroupBarrier();
  if (local != 0u) { return; }

  var rest = left;
  var bin = 0u;
  while (bin < ${RUN - 1}u && rest >= bins[bin]) {
    rest -= bins[bin];
    bin++;
  }
  let shift = max(open, ${DIGIT}u) - ${DIGIT}u;
  let prefix = ${word('prefix')};
  let found = prefix | ((owner * ${RUN}u + bin) << shift);
  ${word('prefix')} = found;
  ${word('remaining')} = rest;
  ${word('open')} = shift;
  if (shift != 0u) { return; }

  // The next larger key has this prefix and a larger digit, in this run or in a later one, or a larger prefix.
  var next = bin + 1u;
  while (next < ${RUN}u && bins[next] == 0u) { next++; }
  var larger = prefix | (owner * ${RUN}u + next);
  if (next == ${RUN}u) {
    var lane = owner + 1u;
    while (lane < ${LANES}u && runs[lane] == 0u) { lane++; }
    larger = ${word('above')};
    if (lane < ${LANES}u) {
      next = lane * ${RUN}u;
      while (count(begin + next) == 0u) { next++; }
      larger = prefix | next;
    }
  }
  let fraction = bitcast<f32>(${word('fraction')});
  let second = select(larger, found, rest + 1u < bins[bin] || fraction == 0.0);
  let low = bitcast<f32>(${bitsOf('u32', 'found')});
  let high = bitcast<f32>(${bitsOf('u32', 'second')});
  let difference = high - low;
  let threshold = select(low + difference * fraction, high - difference * (1.0 - fraction), fraction >= 0.5);
  ${word('threshold')} = bitcast<u32>(threshold);
}`;
