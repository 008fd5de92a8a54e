/**
 * Dense layer and its gradient. The weights lie as quads of inputs, so that both directions read whole vec4s:
 *   w    [K4, M] vec4f: w[k, m] = W[m, 4k .. 4k+3], zero past K; a chunk holds the quads k0 .. k0 + quads
 *   forward   y[n, m] = act(bias[m] + sum over k of W[m, k] x[n, k])
 *   backward dx[n, k] = sum over m of W[m, k] dy[n, m]
 *   x, dx [N, K] f32    y, dy [N, M] f32    bias [M] f32
 * Forward: one invocation computes ROWS outputs of one image (a later chunk adds to what the first one left).
 * Backward: one invocation computes four neighbouring inputs of one image. No reduction across invocations.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, type Activation } from './activation.wgsl.ts';
import { linearMain, store } from './prelude.wgsl.ts';

/** Outputs of one forward invocation. */
export const DENSE_ROWS = 4;

export interface DenseParameters {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  /** First input of the chunk, and its quads. */
  readonly first: number;
  readonly quads: number;
}

export function dense(
  p: DenseParameters & { readonly bias: boolean; readonly start: boolean; readonly activation: Activation },
): string {
  const blocks = Math.ceil(p.outputs / DENSE_ROWS);
  const rows = Array.from({ length: DENSE_ROWS }, (_, r) => r);
  const read = (i: number): string =>
    // The weights past K are zero, yet 0 times whatever lies behind x may be NaN: read 0 there.
    p.first + p.quads * 4 > p.inputs ? `select(0.0, x[start + ${i}u], k * 4u + ${p.first + i}u < ${p.inputs}u)` : `x[start + ${i}u]`;
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
#if ${p.bias && p.start}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#endif

${linearMain(p.batch * blocks)}
  let n = i / ${blocks}u;
  let m = (i % ${blocks}u) * ${DENSE_ROWS}u;
  ${rows.map((r) => `var a${r} = vec4f(0);`).join('\n')}
  for (var k = 0u; k < ${p.quads}u; k++) {
    let start = n * ${p.inputs}u + ${p.first}u + k * 4u;
    let v = vec4f(${[0, 1, 2, 3].map(read).join(', ')});
    let at = k * ${p.outputs}u + m;
    ${rows.map((r) => `a${r} += w[at + ${r}u] * v;`).join('\n')}
  }
  ${rows
    .map((r) => {
      const before = p.start ? (p.bias ? `bias[m + ${r}u]` : '0.0') : `y[t + ${r}u]`;
      const sum = `${before} + ((a${r}.x + a${r}.y) + (a${r}.z + a${r}.w))`;
      return `if (m + ${r}u < ${p.outputs}u) { let t = n * ${p.outputs}u + m; y[t + ${r}u] = ${activate(p.activation, `(${sum})`)}; }`;
    })
    .join('\n')}
}`;
}

export function denseBackward(p: DenseParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

${linearMain(p.batch * p.quads)}
  let n = i / ${p.quads}u;
  let k = i % ${p.quads}u;
  var sum = vec4f(0);
  for (var m = 0u; m < ${p.outputs}u; m++) {
    sum += w[k * ${p.outputs}u + m] * dy[n * ${p.outputs}u + m];
  }
  let column = ${p.first}u + k * 4u;
  let to = n * ${p.inputs}u + column;
  ${[0, 1, 2, 3].map((l) => `if (column + ${l}u < ${p.inputs}u) { ${store(`dx[to + ${l}u]`, `sum.${'xyzw'[l]}`, p.accumulate)} }`).join('\n  ')}
}`;
}
