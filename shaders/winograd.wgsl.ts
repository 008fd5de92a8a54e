/**
 * The two transforms around the products of Winograd convolution (the products themselves are conv2d.wgsl.ts with
 * one group per product and a kernel of one tap). Tile t is image n, rows ty OUTPUTS .., columns tx OUTPUTS ..
 *   v[i, j, c, t] = (BT d BT')[i, j],  d[k, l] = gate(x)[n, c, ty m s_y + k s_y + ry - top, tx m s_x + l s_x + rx - left]
 *   y[n, m, ty m + j, tx m + i] = act(bias[m] + (AT p AT')[j, i]),  p[k, l] = products [k, l, m, t]
 * A strided layer reads every phase (ry, rx) of x as a channel of its own; the gradient of one writes its rows as phases
 * of the image (`shuffle`, as in conv2d.wgsl.ts).
 *   x, gateBy [N, C, H, W] f32    v [SIZE SIZE, C s_y s_x, T] f32    products [SIZE SIZE, M, T] f32    y [N, M, OH, OW] f32
 * One invocation transforms one tile of one channel. Source: Lavin and Gray 2016, algorithm 1.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, gate, type Activation, type Rule } from './activation.wgsl.ts';
import { f32, store, WORKGROUP } from './prelude.wgsl.ts';

export type Matrix = readonly (readonly number[])[];

const SIZES = ['count', 'tiles', 'tilesX', 'tilesPerImage', 'channels', 'height', 'width', 'top', 'left'] as const;

/** What both kernels read at run time. Input: of x. Output: of y, or of the image that phases are written to. */
export interface WinogradSizes {
  /** Invocations: channels times tiles. */
  readonly count: number;
  /** Tiles of all images; along x; of one image. */
  readonly tiles: number;
  readonly tilesX: number;
  readonly tilesPerImage: number;
  /** Input: channels of x. Output: rows of the products. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Input: rows of zeros above x. Output: where row 0 of phase 0 lies in the image, as u32. */
  readonly top: number;
  readonly left: number;
}

export const WINOGRAD_WORDS = SIZES.length;

export const winogradSizes = (s: WinogradSizes): Uint32Array => Uint32Array.from(SIZES, (name) => s[name]);

/** A linear form over named values; rows that differ in the sign of every second term share their halves. */
function product(matrix: Matrix, value: (k: number) => string, name: (i: number) => string): string {
  const term = (coefficient: number, k: number): string => (coefficient === 1 ? value(k) : coefficient === -1 ? `-${value(k)}` : `${f32(coefficient)} * ${value(k)}`);
  const form = (row: readonly number[], keep: (k: number) => boolean): string =>
    row.flatMap((coefficient, k) => (coefficient !== 0 && keep(k) ? [term(coefficient, k)] : [])).join(' + ') || '0.0';
  const mirrored = (a: readonly number[], b: readonly number[] | undefined): boolean =>
    b !== undefined && a.some((v) => v !== 0) && (a.every((v, k) => v === (k % 2 ? -b[k]! : b[k]!)) || a.every((v, k) => v === (k % 2 ? b[k]! : -b[k]!)));
  const lines: string[] = [];
  for (let i = 0; i < matrix.length; i++) {
    const row = matrix[i]!;
    const next = matrix[i + 1];
    if (!mirrored(row, next)) {
      lines.push(`let ${name(i)} = ${form(row, () => true)};`);
      continue;
    }
    const sign = row.every((v, k) => v === (k % 2 ? -next![k]! : next![k]!)) ? 1 : -1;
    const even = `let e${name(i)} = ${form(row, (k) => k % 2 === 0)}; let o${name(i)} = ${form(row, (k) => k % 2 === 1)};`;
    const other = sign === 1 ? `e${name(i)} - o${name(i)}` : `o${name(i)} - e${name(i)}`;
    lines.push(`${even} let ${name(i)} = e${name(i)} + o${name(i)}; let ${name(i + 1)} = ${other};`);
    i++;
  }
  return lines.join('\n');
}

/** Left and right product: columns first, then rows. `values` are named in[k][l], results out[i][j]. */
const bothSides = (matrix: Matrix, input: string, output: string): string => {
  const size = matrix[0]!.length;
  const columns = Array.from({ length: size }, (_, l) => product(matrix, (k) => `${input}${k}_${l}`, (i) => `${output}c${i}_${l}`));
  const rows = matrix.map((_, i) => product(matrix, (l) => `${output}c${i}_${l}`, (j) => `${output}${i}_${j}`));
  return [...columns, ...rows].join('\n');
};

const range = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

const main = `
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * ${WORKGROUP}u;
  if (index >= sizes[0]) { return; }
  let tiles = sizes[1];
  let channel = index / tiles;
  let t = index - channel * tiles;
  let n = t / sizes[3];
  let inImage = t - n * sizes[3];
  let ty = inImage / sizes[2];
  let tx = inImage - ty * sizes[2];`;

export function winogradInput(p: {
  readonly bt: Matrix;
  /** Outputs of a tile along one axis. */
  readonly outputs: number;
  readonly stride: readonly [number, number];
  readonly activation: Activation;
  readonly rule: Rule;
}): string {
  const size = p.bt.length;
  const gated = p.activation.kind !== 'none';
  const [sy, sx] = p.stride;
  const phases = sy * sx;
  const load = (k: number, l: number): string =>
    `let a${k}_${l} = row${k} + column${l}; ${gated ? `let g${k}_${l} = x[a${k}_${l}]; let b${k}_${l} = gateBy[a${k}_${l}];` : ''}
     let d${k}_${l} = select(0.0, ${gated ? gate(p.activation, p.rule, `g${k}_${l}`, `b${k}_${l}`) : `x[a${k}_${l}]`}, inRow${k} && inColumn${l});`;
  return wgsl`
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${WINOGRAD_WORDS}>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
#if ${gated}
@group(0) @binding(2) var<storage, read> gateBy: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
#endif
${main}
  let height = sizes[5];
  let width = sizes[6];
  let c = channel / ${phases}u;
  let phase = channel - c * ${phases}u;
  let firstY = ty * ${p.outputs * sy}u + phase / ${sx}u - sizes[7];
  let firstX = tx * ${p.outputs * sx}u + phase % ${sx}u - sizes[8];
  let base = (n * sizes[4] + c) * height * width;
  ${range(size).map((k) => `let y${k} = firstY + ${k * sy}u; let inRow${k} = y${k} < height; let row${k} = base + select(0u, y${k} * width, inRow${k});`).join('\n')}
  ${range(size).map((l) => `let x${l} = firstX + ${l * sx}u; let inColumn${l} = x${l} < width; let column${l} = select(0u, x${l}, inColumn${l});`).join('\n')}
  ${range(size).flatMap((k) => range(size).map((l) => load(k, l))).join('\n')}
  ${bothSides(p.bt, 'd', 'v')}
  let count = sizes[0];
  ${range(size).flatMap((i) => range(size).map((j) => `v[index + ${i * size + j}u * count] = v${i}_${j};`)).join('\n')}
}`;
}

export function winogradOutput(p: {
  readonly at: Matrix;
  readonly bias: boolean;
  readonly activation: Activation;
  readonly accumulate: boolean;
  readonly shuffle?: readonly [number, number];
}): string {
  const size = p.at[0]!.length;
  const outputs = p.at.length;
  const [py, px] = p.shuffle ?? [1, 1];
  return wgsl`
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${WINOGRAD_WORDS}>;
@group(0) @binding(1) var<storage, read> products: array<f32>;
#if ${p.bias}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#endif
${main}
  let height = sizes[5];
  let width = sizes[6];
  let count = sizes[0];
  ${range(size).flatMap((k) => range(size).map((l) => `let p${k}_${l} = products[index + ${k * size + l}u * count];`)).join('\n')}
  ${bothSides(p.at, 'p', 'r')}
  let offset = ${p.bias ? 'bias[channel]' : '0.0'};
#if ${p.shuffle !== undefined}
  let c = channel / ${py * px}u;
  let firstY = ty * ${outputs * py}u + (channel / ${px}u) % ${py}u + sizes[7];
  let firstX = tx * ${outputs * px}u + channel % ${px}u + sizes[8];
  let base = (n * (sizes[4] / ${py * px}u) + c) * height * width;
#else
  let firstY = ty * ${outputs}u;
  let firstX = tx * ${outputs}u;
  let base = (n * sizes[4] + channel) * height * width;
#endif
  ${range(outputs).map((i) => `let x${i} = firstX + ${i * px}u; let inColumn${i} = x${i} < width;`).join('\n')}
  ${range(outputs)
    .map(
      (j) => `let y${j} = firstY + ${j * py}u; if (y${j} < height) { let row${j} = base + y${j} * width;
    ${range(outputs).map((i) => `if (inColumn${i}) { ${store(`y[row${j} + x${i}]`, activate(p.activation, `(r${j}_${i} + offset)`), p.accumulate)} }`).join('\n')} }`,
    )
    .join('\n')}
}`;
}
