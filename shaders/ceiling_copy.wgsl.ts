/**
 * How fast a device moves memory: a copy and nothing else.
 *   y[i] = x[i]                                     with `sum`: y[i] = x[i] + x[i + 64] + ... (reading alone)
 *   x [count] and y [count, or count / EACH with `sum`] of `type`
 * One invocation moves EACH values, a workgroup a stretch of 64 EACH: neighbours touch neighbours. The array has its
 * size in its type and the caller starts exactly count / EACH invocations: no bounds are checked.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { WORKGROUP } from './prelude.wgsl.ts';

export interface CeilingCopyParameters {
  /** 16 or 4 bytes by one access. */
  readonly type: 'vec4f' | 'f32';
  /** Values in x; a multiple of 64 `each`. */
  readonly count: number;
  /** Values by one invocation. */
  readonly each: number;
  readonly sum: boolean;
}

/** Bytes that the kernel reads and writes. */
export function ceilingCopyBytes({ type, count, each, sum }: CeilingCopyParameters): number {
  return (type === 'vec4f' ? 16 : 4) * (count + (sum ? count / each : count));
}

export function ceilingCopy({ type, count, each, sum }: CeilingCopyParameters): string {
  const all = (statement: (k: number) => string): string => Array.from({ length: each }, (_, k) => statement(k)).join('\n');
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}, ${count}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}, ${sum ? count / each : count}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let g = group.x + group.y * groups.x;
  let i = g * ${WORKGROUP * each}u + id.x;
  ${all((k) => `let v${k} = x[i + ${k * WORKGROUP}u];`)}
#if ${sum}
  y[g * ${WORKGROUP}u + id.x] = ${Array.from({ length: each }, (_, k) => `v${k}`).join(' + ')};
#else
  ${all((k) => `y[i + ${k * WORKGROUP}u] = v${k};`)}
#endif
}`;
}
