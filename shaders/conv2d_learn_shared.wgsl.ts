/**
 * The gradient of the weights of a convolution, for GPUs: a product of two matrices, tile by tile in workgroup memory, with
 * the windows of x gathered on the way (implicit im2col).
 *   dw[m, k] = sum over p of dy[m, p] in[k, p],  k = (c KH + ky) KW + kx,  p = (n OH + oy) OW + ox
 *   in[k, p] = x[n, c, oy stride - top + ky dilation, ox stride - left + kx dilation], 0 outside the image
 *   x  [N, groups C, H, W] f32    dy [N, groups M, OH, OW] f32
 *   dw [parts, groups M, C KH KW] f32: sums over parts of the terms p
 * One workgroup computes TILE outputs x TILE columns over one part of the terms, one invocation ROWS x COLUMNS of them in
 * registers. DEPTH terms lie in workgroup memory at a time, in quads of rows and of columns; each invocation fetches the
 * same rows and columns at every turn, so that what a column reads is found out once. Neighbours fetch neighbouring terms.
 * Sources: Volkov and Demmel 2008 (tiles), Chetlur et al. 2014 (implicit im2col).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { range } from './prelude.wgsl.ts';

/** Outputs and columns of a workgroup, terms of a turn. */
export const LEARN_TILE = 64;
export const LEARN_DEPTH = 16;
/** Outputs and columns of an invocation. */
const ROWS = 8;
const COLUMNS = 4;
const WORKGROUP = (LEARN_TILE / ROWS) * (LEARN_TILE / COLUMNS);
/** Quads between terms: one more than there are, so that neighbours write to different banks. */
const PITCH = LEARN_TILE / 4 + 1;

const SIZE = [
  'groups', 'channels', 'outputs', 'columns', 'tiles', 'height', 'width', 'area', 'outWidth', 'positions',
  'taps', 'kernelWidth', 'strideY', 'strideX', 'dilationY', 'dilationX', 'top', 'left', 'turns',
] as const;

/** What the kernel reads at run time. */
export interface LearnSharedSizes {
  readonly groups: number;
  /** Input and output channels of one group. */
  readonly channels: number;
  readonly outputs: number;
  /** C KH KW. */
  readonly columns: number;
  /** Tiles of the outputs of one group. */
  readonly tiles: number;
  /** Of x. */
  readonly height: number;
  readonly width: number;
  /** OH OW and OW, and the positions of all images. */
  readonly area: number;
  readonly outWidth: number;
  readonly positions: number;
  /** KH KW and KW. */
  readonly taps: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  /** Zeros above and left of x; negative crops. */
  readonly top: number;
  readonly left: number;
  /** Of one part, DEPTH terms each. */
  readonly turns: number;
}

/** The sizes as the kernel's `sizes` tensor. */
export const learnSharedSizes = (s: LearnSharedSizes): Uint32Array => Uint32Array.from(SIZE, (name) => s[name] >>> 0);

export const LEARN_SHARED_SIZES = SIZE.length;

const lines = (items: readonly string[]): string => items.join('\n  ');

export function conv2dLearnShared(): string {
  const across = LEARN_TILE / COLUMNS;
  const down = LEARN_TILE / ROWS;
  /** Quads of rows, and of columns, that one invocation fetches. */
  const shares = range(LEARN_TILE / 4 / (WORKGROUP / LEARN_DEPTH));
  const quad = (s: number): string => (s === 0 ? 'quad' : `quad + ${(s * WORKGROUP) / LEARN_DEPTH}u`);
  const four = range(4);
  const rowQuads = range(ROWS / 4);
  const dyRow = (s: number, u: number): string => `let row${s}_${u} = min(firstRow + 4u * (${quad(s)}) + ${u}u, outputs - 1u) * area;`;
  // A column past the last one lies outside of every image.
  const column = (s: number, u: number): string => `
  let k${s}_${u} = firstColumn + 4u * (${quad(s)}) + ${u}u;
  let c${s}_${u} = k${s}_${u} / sizes[TAPS];
  let tap${s}_${u} = k${s}_${u} - c${s}_${u} * sizes[TAPS];
  let ky${s}_${u} = tap${s}_${u} / sizes[KERNEL_WIDTH];
  let y${s}_${u} = select(0x80000000u, ky${s}_${u} * sizes[DILATION_Y] - sizes[TOP], k${s}_${u} < columns);
  let x${s}_${u} = (tap${s}_${u} - ky${s}_${u} * sizes[KERNEL_WIDTH]) * sizes[DILATION_X] - sizes[LEFT];
  let plane${s}_${u} = c${s}_${u} * height * width;`;
  const gather = (s: number, u: number): string =>
    `let iy${s}_${u} = oy + y${s}_${u}; let ix${s}_${u} = ox + x${s}_${u};
    let v${s}_${u} = select(0.0, x[image + plane${s}_${u} + iy${s}_${u} * width + ix${s}_${u}], isTerm && iy${s}_${u} < height && ix${s}_${u} < width);`;
  // Component by component in a loop: less to compile.
  const put = (r: number): string => `for (var l = 0u; l < 4u; l++) {
    let m = firstRow + 4u * (row + ${r * down}u) + l;
    if (m < outputs) {
      ${lines(four.map((j) => `if (k + ${j}u < columns) { dw[to + m * columns + ${j}u] = a${r}_${j}[l]; }`))}
    }
  }`;
  return wgsl`
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${SIZE.length}>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
${SIZE.map((name, i) => `const ${name.replace(/[A-Z]/g, '_$&').toUpperCase()} = ${i}u;`).join('\n')}
var<workgroup> dys: array<vec4f, ${LEARN_DEPTH * PITCH}>;
var<workgroup> xs: array<vec4f, ${LEARN_DEPTH * PITCH}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) job: vec3u, @builtin(local_invocation_index) local: u32) {
  let outputs = sizes[OUTPUTS];
  let columns = sizes[COLUMNS];
  let height = sizes[HEIGHT];
  let width = sizes[WIDTH];
  let area = sizes[AREA];
  let positions = sizes[POSITIONS];
  let group = job.y / sizes[TILES];
  let firstRow = (job.y - group * sizes[TILES]) * ${LEARN_TILE}u;
  let firstColumn = job.x * ${LEARN_TILE}u;
  // What this invocation fetches: quads of term \`mine\` of a turn.
  let mine = local % ${LEARN_DEPTH}u;
  let quad = local / ${LEARN_DEPTH}u;
  ${lines(shares.flatMap((s) => four.flatMap((u) => [dyRow(s, u), column(s, u)])))}
  // What it computes.
  let row = local / ${across}u;
  let place = local % ${across}u;
  ${lines(rowQuads.flatMap((r) => four.map((j) => `var a${r}_${j} = vec4f(0);`)))}
  let begin = job.z * sizes[TURNS];
  let end = min(begin + sizes[TURNS], (positions + ${LEARN_DEPTH - 1}u) / ${LEARN_DEPTH}u);
  for (var turn = begin; turn < end; turn++) {
    let position = turn * ${LEARN_DEPTH}u + mine;
    let isTerm = position < positions;
    let n = position / area;
    let pixel = position - n * area;
    let oyIndex = pixel / sizes[OUT_WIDTH];
    let oy = oyIndex * sizes[STRIDE_Y];
    let ox = (pixel - oyIndex * sizes[OUT_WIDTH]) * sizes[STRIDE_X];
    let image = (n * sizes[GROUPS] + group) * sizes[CHANNELS] * height * width;
    let start = (n * sizes[GROUPS] + group) * outputs * area + pixel;
    ${lines(shares.flatMap((s) => four.flatMap((u) => [`let d${s}_${u} = select(0.0, dy[start + row${s}_${u}], isTerm);`, gather(s, u)])))}
    ${lines(shares.flatMap((s) => ['dys|d', 'xs|v'].map((pair) => {
      const [tile, value] = pair.split('|');
      return `${tile}[mine * ${PITCH}u + ${quad(s)}] = vec4f(${four.map((u) => `${value}${s}_${u}`).join(', ')});`;
    })))}
    workgroupBarrier();
    for (var t = 0u; t < ${LEARN_DEPTH}u; t++) {
      let value = xs[t * ${PITCH}u + place];
      ${lines(rowQuads.map((r) => `let dy${r} = dys[t * ${PITCH}u + row + ${r * down}u];`))}
      ${lines(rowQuads.flatMap((r) => four.map((j) => `a${r}_${j} = fma(dy${r}, vec4f(value.${'xyzw'[j]}), a${r}_${j});`)))}
    }
    workgroupBarrier();
  }
  let k = firstColumn + 4u * place;
  let to = (job.z * sizes[GROUPS] + group) * outputs * columns + k;
  ${lines(rowQuads.map(put))}
}`;
}
