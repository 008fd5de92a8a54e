/**
 * How fast a device multiplies and adds: nothing but fused multiply-adds on registers.
 *   a_k = a_k m + b, `rounds` times, for CHAINS independent vec4 a_k;   y[i] = sum of all a_k
 *   x [4] f32: m, b, and what makes m and b, and every a_k, different in each invocation, so that the compiler can
 *              neither compute a chain in advance nor share one between invocations or between chains.
 *   y [invocations] f32: every chain ends here, so that none can be left out.
 * One invocation runs all chains; a multiply-add waits for the one before it in its chain only.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { WORKGROUP } from './prelude.wgsl.ts';

export interface CeilingFmaParameters {
  /** Independent vec4 accumulators of one invocation. */
  readonly chains: number;
  readonly rounds: number;
}

/** Multiply-adds of every chain in one turn of the loop: its counter costs next to nothing. */
const UNROLL = 8;

/** m, b, and the steps by which b and the chains differ: a_k tends to b / (1 - m), away from very small numbers. */
export const CEILING_FMA_INPUT = Float32Array.of(0.5, 1, 1e-6, 1e-3);

/** Floating-point operations of one invocation; a multiply-add counts 2. */
export function ceilingFmaFlops({ chains, rounds }: CeilingFmaParameters): number {
  return 2 * 4 * chains * UNROLL * rounds;
}

export function ceilingFma({ chains, rounds }: CeilingFmaParameters): string {
  const each = (statement: (k: number) => string): string => Array.from({ length: chains }, (_, k) => statement(k)).join('\n');
  const turn = Array.from({ length: UNROLL }, () => each((k) => `a${k} = fma(a${k}, m, b);`)).join('\n');
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32, 4>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let own = f32(id.x);
  let m = vec4f(x[0]);
  let b = vec4f(x[1], x[1] + x[2], x[1] - x[2], x[1]) + own * x[2];
  ${each((k) => `var a${k} = vec4f(own + ${k}.0) * x[3];`)}
  for (var r = 0u; r < ${rounds}u; r++) {
    ${turn}
  }
  let sum = ${Array.from({ length: chains }, (_, k) => `a${k}`).join(' + ')};
  y[id.x] = sum.x + sum.y + sum.z + sum.w;
}`;
}
