/**
 * How many outputs of a layer are awake, channel by channel.
 *   out[c] = (number of y[:, c] > 0, number of y[:, c] that are not finite)
 *   y [N, C, ...] f32    out [C, 2] u32
 * One workgroup, one channel of the whole batch.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FOLD, fold } from './ascent.wgsl.ts';
import { MAX_GROUPS } from './prelude.wgsl.ts';

export interface ZerosParameters {
  readonly batch: number;
  readonly channels: number;
  /** Elements of one channel of one image. */
  readonly plane: number;
}

export function zerosGrid({ channels }: ZerosParameters): [number, number, number] {
  const rows = Math.ceil(channels / MAX_GROUPS);
  return [Math.ceil(channels / rows), rows, 1];
}

export function zeros(p: ZerosParameters): string {
  const quads = p.plane % 4 === 0;
  const [float, bits] = quads ? ['vec4f', 'vec4u'] : ['f32', 'u32'];
  const loads = quads ? p.plane / 4 : p.plane;
  const total = (value: string): string => (quads ? `${value}.x + ${value}.y + ${value}.z + ${value}.w` : value);
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<${float}>;
@group(0) @binding(1) var<storage, read_write> out: array<vec2u>;

var<workgroup> counts: array<vec2u, ${FOLD}>;

@compute @workgroup_size(${FOLD})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let c = group.x + group.y * groups.x;
  if (c >= ${p.channels}u) { return; }
  var awake = ${bits}(0);
  var broken = ${bits}(0);
  for (var i = local; i < ${p.batch * loads}u; i += ${FOLD}u) {
    let v = y[((i / ${loads}u) * ${p.channels}u + c) * ${loads}u + i % ${loads}u];
    let finite = (bitcast<${bits}>(v) & ${bits}(0x7fffffffu)) < ${bits}(0x7f800000u);
    awake += select(${bits}(0), ${bits}(1), v > ${float}(0));
    broken += select(${bits}(1), ${bits}(0), finite);
  }
  counts[local] = vec2u(${total('awake')}, ${total('broken')});
  ${fold((other) => `counts[local] += counts[${other}];`)}
  if (local == 0u) { out[c] = counts[0]; }
}`;
}
