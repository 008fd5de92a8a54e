/**
 * How the kernels around the network walk an image: each invocation strides over its share of the pixels, four
 * neighbours per load where every plane starts on a whole quad, one where it does not. What an invocation costs by
 * itself (its start, the settings that it reads) is spread over its share.
 */
import { WORKGROUP } from './prelude.wgsl.ts';

export interface Walk {
  /** WGSL types of a load: floats, and their bits. */
  readonly float: 'f32' | 'vec4f';
  readonly bits: 'u32' | 'vec4u';
  /** Values of a load. */
  readonly lanes: 1 | 4;
  /** Loads per plane. */
  readonly loads: number;
  /** Invocations per image, a whole number of workgroups. */
  readonly invocations: number;
}

/** Most invocations per image: enough for a GPU, few enough for what adds up their results. */
const MOST = 4096;

/** @param share loads of one plane that an invocation takes */
export function walk(plane: number, share: number): Walk {
  const quads = plane % 4 === 0;
  const loads = quads ? plane / 4 : plane;
  const groups = Math.ceil(Math.min(loads / share, MOST) / WORKGROUP);
  return {
    float: quads ? 'vec4f' : 'f32',
    bits: quads ? 'vec4u' : 'u32',
    lanes: quads ? 4 : 1,
    loads,
    invocations: groups * WORKGROUP,
  };
}

export const walkGrid = (w: Walk, batch: number): [number, number, number] => [w.invocations / WORKGROUP, batch, 1];

/** WGSL: binds image n and invocation t of its w.invocations. */
export const walkMain = `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.y;
  let t = id.x;`;

/** WGSL: for every load i of a plane that falls to invocation t. */
export const walkEach = (w: Walk): string => `for (var i = t; i < ${w.loads}u; i += ${w.invocations}u)`;

/** WGSL: the sum over the values of a load. */
export const total = (w: Walk, value: string): string => (w.lanes === 4 ? `dot(${value}, vec4f(1))` : value);

/** WGSL: where channel c of image n begins, in loads. */
export const planeAt = (w: Walk, channels: number, c: number): string => `n * ${channels * w.loads}u + ${c * w.loads}u`;

/** A block of WGSL for each channel. */
export const channelwise = (channels: number, block: (c: number) => string): string =>
  Array.from({ length: channels }, (_, c) => `{ ${block(c)} }`).join('\n    ');
