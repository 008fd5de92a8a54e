/**
 * Layer normalization over the last axes together, and its gradient.
 *   h[k] = (x[k] - mean) / sqrt(variance + epsilon)      mean and variance of the row
 *   y[k] = scale[k] h[k] + shift[k]
 *   dx[k] = (g[k] - mean of g - h[k] mean of g h) / sqrt(variance + epsilon)      g[k] = scale[k] dy[k]
 *   x, y, dy, dx [rows, size] f32    scale, shift [size] f32
 * The invocations of a workgroup share a row; where a processor plays the GPU, and for short rows, one invocation has it.
 * The gradient makes mean and variance once more.
 * Source: Ba, Kiros and Hinton 2016; ONNX LayerNormalization.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearGrid, MAX_GROUPS, store, WORKGROUP } from './prelude.wgsl.ts';
import { total } from './reduction.wgsl.ts';

export interface LayerNormParameters {
  readonly rows: number;
  /** Elements of a row. */
  readonly size: number;
  readonly epsilon: number;
  readonly scale: boolean;
  readonly shift: boolean;
  readonly software: boolean;
}

/** Invocations of a row. */
const splitOf = ({ size, software }: LayerNormParameters): number => (software || size < WORKGROUP / 2 ? 1 : WORKGROUP);

export function layerNormGrid(p: LayerNormParameters): [number, number, number] {
  if (splitOf(p) === 1) return linearGrid(p.rows);
  const lines = Math.ceil(p.rows / MAX_GROUPS);
  return [Math.ceil(p.rows / lines), lines, 1];
}

/** Runs a statement for every index `k` of the row that is this invocation's, `at` being its element. */
const each = (p: LayerNormParameters, statement: string): string =>
  `for (var k = lane; k < ${p.size}u; k += ${splitOf(p)}u) { let at = first + k; ${statement} }`;

/** Entry point: binds the first element of the row, its mean and 1 / sqrt(variance + epsilon). */
function main(p: LayerNormParameters): string {
  const split = splitOf(p);
  const mean = `* ${f32(1 / p.size)}`;
  return `
${total(split)}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  ${split === 1 ? `let row = block * ${WORKGROUP}u + local; let lane = 0u;` : 'let row = block; let lane = local;'}
  if (row >= ${p.rows}u) { return; }
  let first = row * ${p.size}u;
  var sum = 0.0;
  ${each(p, 'sum += x[at];')}
  let mean = total(sum, local) ${mean};
  var squares = 0.0;
  ${each(p, 'let d = x[at] - mean; squares = fma(d, d, squares);')}
  let inverse = inverseSqrt(total(squares, local) ${mean} + ${f32(p.epsilon)});`;
}

export function layerNorm(p: LayerNormParameters): string {
  const bindings = ['x', ...(p.scale ? ['scale'] : []), ...(p.shift ? ['shift'] : [])];
  const result = `(x[at] - mean) * inverse${p.scale ? ' * scale[k]' : ''}${p.shift ? ' + shift[k]' : ''}`;
  return wgsl`
${bindings.map((name, index) => `@group(0) @binding(${index}) var<storage, read> ${name}: array<f32>;`).join('\n')}
@group(0) @binding(${bindings.length}) var<storage, read_write> y: array<f32>;
${main(p)}
  ${each(p, `y[at] = ${result};`)}
}`;
}

export function layerNormBackward(p: LayerNormParameters & { readonly accumulate: boolean }): string {
  const bindings = ['x', 'dy', ...(p.scale ? ['scale'] : [])];
  const mean = `* ${f32(1 / p.size)}`;
  const g = `let g = dy[at]${p.scale ? ' * scale[k]' : ''}; let h = (x[at] - mean) * inverse;`;
  return wgsl`
${bindings.map((name, index) => `@group(0) @binding(${index}) var<storage, read> ${name}: array<f32>;`).join('\n')}
@group(0) @binding(${bindings.length}) var<storage, read_write> dx: array<f32>;
${main(p)}
  var sumG = 0.0;
  var sumGH = 0.0;
  ${each(p, `${g} sumG += g; sumGH = fma(g, h, sumGH);`)}
  let meanG = total(sumG, local) ${mean};
  let meanGH = total(sumGH, local) ${mean};
  ${each(p, `${g} ${store('dx[at]', '(g - meanG - h * meanGH) * inverse', p.accumulate)}`)}
}`;
}
