/**
 * The least and the greatest finite value: of every map of a layer, then of the layer.
 *   of values  x [C, P] f32          range [C] vec2f (least, greatest)
 *   of ranges  x [C] vec2f           range [1] vec2f
 * One workgroup, one range. A map without a finite value gives (0, 0).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, MAX_GROUPS, WORKGROUP } from './prelude.wgsl.ts';

/** Workgroups for `maps` ranges, folded into y past the limit of x. */
export function rangeGrid(maps: number): [number, number, number] {
  const rows = Math.ceil(maps / MAX_GROUPS);
  return [Math.ceil(maps / rows), rows, 1];
}

/** One kernel for all layers: `sizes` are C and P. */
export function displayRange(of: 'values' | 'ranges'): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> sizes: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<${of === 'values' ? 'f32' : 'vec2f'}>;
@group(0) @binding(2) var<storage, read_write> range: array<vec2f>;

var<workgroup> ends: array<vec2f, ${WORKGROUP}>;

fn finite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) < 0x7f800000u; }

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let map = group.x + group.y * groups.x;
  if (map >= sizes[0]) { return; }
  let plane = sizes[1];
  var end = vec2f(${f32(Infinity)}, ${f32(-Infinity)});
  for (var i = local; i < plane; i += ${WORKGROUP}u) {
    let v = vec2f(x[map * plane + i]);
    if (finite(v.x) && finite(v.y)) { end = vec2f(min(end.x, v.x), max(end.y, v.y)); }
  }
  ends[local] = end;
  for (var half = ${WORKGROUP / 2}u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (local < half) {
      let other = ends[local + half];
      ends[local] = vec2f(min(ends[local].x, other.x), max(ends[local].y, other.y));
    }
  }
  if (local == 0u) { range[map] = select(vec2f(0), ends[0], ends[0].x <= ends[0].y); }
}`;
}
