/**
 * Dense layer and its gradient. The weights lie as quads of inputs, so that both directions read whole vec4s:
 *   w    [K4, M] vec4f: w[k, m] = W[m, 4k .. 4k+3], zero past K; a chunk holds the quads k0 .. k0 + quads
 *   forward   y[n, m] = act(bias[m] + sum over k of W[m, k] x[n, k])
 *   backward dx[n, k] = sum over m of W[m, k] dy[n, m]
 *   x, dx [N, K] f32    y, dy [N, M] f32    bias [M] f32
 * Every weight that is loaded serves IMAGES images. Forward makes ROWS outputs of each at a time, backward one quad
 * of inputs (a later chunk adds to what the first one left). Where a processor plays the GPU one invocation does all of
 * that alone; on a GPU the SPLIT invocations of a workgroup share the sum and add their parts in a fixed order.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, type Activation } from './activation.wgsl.ts';
import { MAX_GROUPS, store, WORKGROUP } from './prelude.wgsl.ts';

export interface DenseParameters {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  /** First input of the chunk, and its quads. */
  readonly first: number;
  readonly quads: number;
  readonly tile: DenseTile;
}

export interface DenseTile {
  /** Outputs of one turn forward. */
  readonly rows: number;
  readonly images: number;
  /** Invocations that share a sum: 1 or `WORKGROUP`. */
  readonly split: 1 | typeof WORKGROUP;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Workgroups for `sums` sums: one each where they are split, else `WORKGROUP` of them in one. */
export function denseGrid(sums: number, { split }: DenseTile): [number, number, number] {
  const groups = split === 1 ? Math.ceil(sums / WORKGROUP) : sums;
  const rows = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / rows), rows, 1];
}

/** Forward sums of a batch, and backward sums. */
export const denseBlocks = ({ batch, outputs, tile }: Pick<DenseParameters, 'batch' | 'outputs' | 'tile'>): number =>
  Math.ceil(outputs / tile.rows) * Math.ceil(batch / tile.images);
export const denseQuads = ({ batch, quads, tile }: Pick<DenseParameters, 'batch' | 'quads' | 'tile'>): number => quads * Math.ceil(batch / tile.images);

/** Binds `sum`, the index of the sum, and `lane`, which terms are this invocation's: lane, lane + SPLIT, ... */
const main = (sums: number, { split }: DenseTile): string => `
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = group.x + group.y * groups.x;
  ${split === 1 ? `let sum = at * ${WORKGROUP}u + local; let lane = 0u;` : 'let sum = at; let lane = local;'}
  if (sum >= ${sums}u) { return; }`;

export function dense(p: DenseParameters & { readonly bias: boolean; readonly start: boolean; readonly activation: Activation }): string {
  const { rows, images, split } = p.tile;
  const blocks = Math.ceil(p.outputs / rows);
  const partial = rows * images;
  const read = (i: number, l: number): string =>
    // The weights past K are zero, yet 0 times whatever lies behind x may be NaN: read 0 there.
    p.first + p.quads * 4 > p.inputs ? `select(0.0, x[s${i} + ${l}u], k * 4u + ${p.first + l}u < ${p.inputs}u)` : `x[s${i} + ${l}u]`;
  const result = (r: string, i: string, value: string): string => {
    const before = p.start ? (p.bias ? `bias[m + ${r}]` : '0.0') : `y[t + ${r}]`;
    return `if (m + ${r} < ${p.outputs}u && n + ${i} < ${p.batch}u) { let t = (n + ${i}) * ${p.outputs}u + m; y[t + ${r}] = ${activate(p.activation, `(${before} + (${value}))`)}; }`;
  };
  // Whole quads of every image can be read as such; a processor that plays the GPU gains nothing by it.
  const wide = split > 1 && p.inputs % 4 === 0 && p.first % 4 === 0;
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${wide ? 'vec4f' : 'f32'}>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
#if ${p.bias && p.start}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#endif
#if ${split > 1}
/** Sums of the invocations, one row each, with a gap so that rows begin in different banks. */
var<workgroup> parts: array<f32, ${(partial + 1) * split}>;
#endif

${main(denseBlocks(p), p.tile)}
  let block = sum / ${blocks}u;
  let n = block * ${images}u;
  let m = (sum - block * ${blocks}u) * ${rows}u;
  ${range(rows).flatMap((r) => range(images).map((i) => `var a${r}_${i} = 0.0;`)).join('\n')}
  // Images past the last repeat it, and are not stored.
  ${range(images).map((i) => `let n${i} = min(n + ${i}u, ${p.batch - 1}u) * ${p.inputs}u + ${p.first}u;`).join('\n')}
  for (var k = lane; k < ${p.quads}u; k += ${split}u) {
    ${range(images).map((i) => (wide ? `let v${i} = x[n${i} / 4u + k];` : `let s${i} = n${i} + k * 4u; let v${i} = vec4f(${range(4).map((l) => read(i, l)).join(', ')});`)).join('\n')}
    let weightAt = k * ${p.outputs}u + m;
    ${range(rows).map((r) => `let w${r} = w[weightAt + ${r}u];`).join('\n')}
    ${range(rows).flatMap((r) => range(images).map((i) => `a${r}_${i} = fma(w${r}.x, v${i}.x, fma(w${r}.y, v${i}.y, fma(w${r}.z, v${i}.z, fma(w${r}.w, v${i}.w, a${r}_${i}))));`)).join('\n')}
  }
#if ${split > 1}
  ${range(rows).flatMap((r) => range(images).map((i) => `parts[local * ${partial + 1}u + ${r * images + i}u] = a${r}_${i};`)).join('\n')}
  workgroupBarrier();
  // One invocation for each result.
  if (local >= ${partial}u) { return; }
  var a = 0.0;
  for (var part = 0u; part < ${split}u; part++) { a += parts[part * ${partial + 1}u + local]; }
  ${result(`local / ${images}u`, `local % ${images}u`, 'a')}
#else
  ${range(rows).flatMap((r) => range(images).map((i) => result(`${r}u`, `${i}u`, `a${r}_${i}`))).join('\n')}
#endif
}`;
}

export function denseBackward(p: DenseParameters & { readonly accumulate: boolean }): string {
  const { images, split } = p.tile;
  const result = (i: string, l: number, value: string): string =>
    `if (column + ${l}u < ${p.inputs}u && n + ${i} < ${p.batch}u) { ${store(`dx[to + ${i} * ${p.inputs}u + ${l}u]`, `${value}.${'xyzw'[l]}`, p.accumulate)} }`;
  const quad = (i: string, value: string): string => range(4).map((l) => result(i, l, value)).join('\n');
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
#if ${split > 1}
var<workgroup> parts: array<vec4f, ${images * split}>;
#endif

${main(denseQuads(p), p.tile)}
  let block = sum / ${p.quads}u;
  let n = block * ${images}u;
  let k = sum - block * ${p.quads}u;
  ${range(images).map((i) => `var a${i} = vec4f(0); let n${i} = min(n + ${i}u, ${p.batch - 1}u) * ${p.outputs}u;`).join('\n')}
  for (var m = lane; m < ${p.outputs}u; m += ${split}u) {
    let v = w[k * ${p.outputs}u + m];
    ${range(images).map((i) => `a${i} += v * dy[n${i} + m];`).join('\n')}
  }
  let column = ${p.first}u + k * 4u;
  let to = n * ${p.inputs}u + column;
#if ${split > 1}
  ${range(images).map((i) => `parts[${i * split}u + local] = a${i};`).join('\n')}
  workgroupBarrier();
  if (local >= ${images}u) { return; }
  var a = vec4f(0);
  for (var part = 0u; part < ${split}u; part++) { a += parts[local * ${split}u + part]; }
  ${quad('local', 'a')}
#else
  ${range(images).map((i) => quad(`${i}u`, `a${i}`)).join('\n')}
#endif
}`;
}
