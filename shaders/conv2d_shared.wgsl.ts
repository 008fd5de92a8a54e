/**
 * Convolution as a product of two matrices, tile by tile in workgroup memory, with the columns of the input gathered on
 * the way (implicit im2col).
 *   y[n, m, oy, ox] = act(bias[m] + sum over k of w[m, k] in[n, k, oy, ox]),  k = (c KH + ky) KW + kx
 *   in[n, k, oy, ox] = gate(x)[n, c, oy stride - top + ky dilation, ox stride - left + kx dilation], 0 outside the image
 *   x, gateBy [N, groups C, H, W] f32
 *   taps [TERMS] 2 u32: where term k lies from the first one of a window, and its row << 16 | column there
 *   w    [groups tiles, K, TILE_M] f32 or f16, packed (see ops/conv2d_weights.ts)
 *   bias [groups tiles, TILE_M] f32, packed
 *   y    [N, groups M, OH, OW] f32; with `shuffle` phases of an image, as in conv2d.wgsl.ts; with `parts`
 *        [parts, groups M, N OH OW], sums over parts of the terms, which conv2d_sum.wgsl.ts adds up
 * One workgroup computes TILE_M outputs x TILE_P positions (of all images, one after the other), one invocation ROWS x
 * COLUMNS of them in registers. DEPTH terms lie in workgroup memory at a time. Each invocation fetches its share of the
 * next ones before it multiplies the present ones, so that memory works behind the arithmetic.
 * Each fetched number is used TILE_P or TILE_M times, each number read from workgroup memory COLUMNS or ROWS times.
 * Workgroup memory holds quads: of four outputs of w, of four terms of one position of x. So reads are 16 bytes wide, and
 * neighbouring invocations still fetch neighbouring positions. An invocation's columns lie TILE_P / COLUMNS apart, for
 * the same reason at the stores.
 * Sources: Volkov and Demmel 2008 (tiles), Chetlur et al. 2014 (implicit im2col).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, gate, type Activation, type Rule } from './activation.wgsl.ts';
import { store } from './prelude.wgsl.ts';

/** What one workgroup and one invocation of it compute. */
export interface SharedTile {
  /** Outputs and positions of a workgroup. */
  readonly tileM: number;
  readonly tileP: number;
  /** Outputs and positions of an invocation. */
  readonly rows: number;
  readonly columns: number;
  /** Terms in workgroup memory at a time. */
  readonly depth: number;
}

/** What is compiled into the kernel. */
export interface SharedVariant extends SharedTile {
  /** One tap that never leaves the image: no table of taps, no bounds. */
  readonly point: boolean;
  readonly bias: boolean;
  readonly activation: Activation;
  readonly accumulate: boolean;
  readonly gate?: { readonly activation: Activation; readonly rule: Rule };
  readonly shuffle?: readonly [number, number];
  /** Sums of parts of the terms go out, without bias and activation. */
  readonly parts: boolean;
  /** Weights are f16; sums are f32 all the same. */
  readonly half: boolean;
}

const SIZE = [
  'groups', 'outputs', 'terms', 'tiles', 'plane', 'groupSize', 'height', 'width', 'outWidth', 'area', 'positions',
  'strideY', 'strideX', 'top', 'left', 'turns', 'originY', 'originX', 'imageHeight', 'imageWidth',
] as const;

/** What the kernel reads at run time. */
export interface SharedSizes {
  readonly groups: number;
  readonly outputs: number;
  /** K. */
  readonly terms: number;
  readonly tiles: number;
  /** Elements of one channel, and of the channels of one group, of x. */
  readonly plane: number;
  readonly groupSize: number;
  readonly height: number;
  readonly width: number;
  readonly outWidth: number;
  /** Positions of one image and of all. */
  readonly area: number;
  readonly positions: number;
  readonly strideY: number;
  readonly strideX: number;
  /** Zeros above and left of x, as u32: negative crops. */
  readonly top: number;
  readonly left: number;
  /** Turns of the loop, DEPTH terms each, of one part. */
  readonly turns: number;
  /** With `shuffle`: y = qy stride + ry + origin, and the size of the image that is written. */
  readonly originY: number;
  readonly originX: number;
  readonly imageHeight: number;
  readonly imageWidth: number;
}

export const SHARED_SIZES = SIZE.length;

export const sharedSizes = (s: SharedSizes): Uint32Array => Uint32Array.from(SIZE, (name) => s[name]);

/** Invocations of a workgroup. */
export const sharedWorkgroup = ({ tileM, tileP, rows, columns }: SharedTile): number => (tileM / rows) * (tileP / columns);

/** Of `taps`: whole turns of the deepest tile. */
const TERMS = 16;

/** Row and column of a term past the last one: outside of every image that fits a texture. */
const OUTSIDE = 0xffffffff;

/** The `taps` of a layer. */
export function sharedTaps(s: {
  readonly channels: number;
  readonly plane: number;
  readonly width: number;
  readonly kernel: readonly [number, number];
  readonly dilation: readonly [number, number];
}): Uint32Array {
  const taps = s.kernel[0] * s.kernel[1];
  const table = new Uint32Array(sharedTapsLength(s.channels * taps));
  for (let k = 0; k < table.length / 2; k++) {
    const c = Math.floor(k / taps);
    const row = Math.floor((k % taps) / s.kernel[1]) * s.dilation[0];
    const column = (k % s.kernel[1]) * s.dilation[1];
    table.set(c < s.channels ? [c * s.plane + row * s.width + column, (row << 16) | column] : [0, OUTSIDE], 2 * k);
  }
  return table;
}

/** Words of `taps` for so many terms. */
export const sharedTapsLength = (terms: number): number => 2 * TERMS * Math.ceil(terms / TERMS);

const list = (count: number, item: (i: number) => string): string => Array.from({ length: count }, (_, i) => item(i)).join('\n');

export function conv2dShared(p: SharedVariant): string {
  const { tileM, tileP, rows, columns, depth } = p;
  const workgroup = sharedWorkgroup(p);
  const across = tileP / columns;
  const down = tileM / rows;
  const quads = rows / 4;
  const wide = tileM / 4;
  /** Quads of w and of x that a workgroup fetches per turn, and an invocation of them. */
  const wQuads = depth * wide;
  const xQuads = (depth / 4) * tileP;
  const shares = (count: number): number => Math.ceil(count / workgroup);
  const share = (i: number): string => (i === 0 ? 'local' : `local + ${i * workgroup}u`);
  /** Code for share i of `count` quads; only some invocations have a last one where they do not divide. */
  const mine = (count: number, i: number, code: string): string =>
    (i + 1) * workgroup > count ? `if (${share(i)} < ${count}u) { ${code} }` : code;
  const each = (count: number, code: (i: number) => string): string => list(shares(count), (i) => mine(count, i, code(i)));

  /** Term u of a quad: x at `index`, 0 unless `inside`. */
  const term = (u: number, index: string, inside: string): string => {
    const passed = p.gate ? gate(p.gate.activation, p.gate.rule, `g${u}`, `b${u}`) : `g${u}`;
    return `let i${u} = ${index}; let g${u} = x[i${u}]; ${p.gate ? `let b${u} = gateBy[i${u}];` : ''} let v${u} = select(0.0, ${passed}, ${inside});`;
  };
  /** Four terms of the position that the invocation fetches. */
  const gather = (i: number): string => `let k = turn * ${depth}u + (${share(i)}) / ${tileP}u * 4u;
    ${p.point ? '' : 'let t0 = taps[k / 2u]; let t1 = taps[k / 2u + 1u];'}
    ${list(4, (u) => {
      if (p.point) return term(u, `source + (k + ${u}u) * plane`, `k + ${u}u < terms`);
      const [offset, place] = u % 2 ? [`t${u >> 1}.z`, `t${u >> 1}.w`] : [`t${u >> 1}.x`, `t${u >> 1}.y`];
      return term(u, `source + ${offset}`, `firstY + (${place} >> 16u) < height && firstX + (${place} & 0xffffu) < width`);
    })}
    nextX${i} = vec4f(v0, v1, v2, v3);`;
  const fetch = `
    ${each(wQuads, (i) => `nextW${i} = select(vec4f(0), vec4f(w[(tile * terms + turn * ${depth}u) * ${wide}u + ${share(i)}]), turn * ${depth}u + (${share(i)}) / ${wide}u < terms);`)}
    ${each(xQuads, (i) => `{ ${gather(i)} }`)}`;
  const lay = `
    ${each(wQuads, (i) => `ws[${share(i)}] = nextW${i};`)}
    ${each(xQuads, (i) => `xs[${share(i)}] = nextX${i};`)}`;
  const multiply = `
    for (var q = 0u; q < ${depth / 4}u; q++) {
      ${list(columns, (j) => `let x${j} = xs[q * ${tileP}u + column + ${j * across}u];`)}
      ${list(4, (u) => `{
        ${list(quads, (i) => `let w${i} = ws[(q * 4u + ${u}u) * ${wide}u + row + ${i * down}u];`)}
        ${list(quads, (i) => list(columns, (j) => `a${i}_${j} = fma(w${i}, vec4f(x${j}.${'xyzw'[u]}), a${i}_${j});`))}
      }`)}
    }`;

  const phases = p.shuffle ?? [1, 1];
  const per = phases[0] * phases[1];
  const outputRow = (i: number, l: number): string => {
    const s = 4 * i + l;
    const m = `let m${s} = firstRow + ${4 * i * down + l}u;`;
    if (p.parts) return `${m} let to${s} = ((at.z * sizes[GROUPS] + group) * outputs + m${s}) * positions;`;
    if (!p.shuffle) return `${m} let to${s} = m${s} * area;`;
    return `${m} let ry${s} = (m${s} / ${phases[1]}u) % ${phases[0]}u; let rx${s} = m${s} % ${phases[1]}u; let to${s} = m${s} / ${per}u * (high * wide);`;
  };
  const put = (i: number, l: number): string => {
    const s = 4 * i + l;
    const result = `v${i}.${'xyzw'[l]}`;
    if (p.parts) return `if (m${s} < outputs) { y[to${s} + p] = ${result}; }`;
    if (!p.shuffle) return `if (m${s} < outputs) { let t = to + to${s}; ${store('y[t]', result, p.accumulate)} }`;
    return `if (m${s} < outputs && ty + ry${s} < high && tx + rx${s} < wide) { let t = to + to${s} + (ty + ry${s}) * wide + tx + rx${s}; ${store('y[t]', result, p.accumulate)} }`;
  };
  const target = p.parts
    ? ''
    : p.shuffle
      ? `let n = p / area; let r = p - n * area; let oy = r / sizes[OUT_WIDTH]; let ox = r - oy * sizes[OUT_WIDTH];
      let to = (n * sizes[GROUPS] + group) * (outputs / ${per}u) * high * wide;
      let ty = oy * ${phases[0]}u + sizes[ORIGIN_Y]; let tx = ox * ${phases[1]}u + sizes[ORIGIN_X];`
      : 'let n = p / area; let to = (n * sizes[GROUPS] + group) * outputs * area + p - n * area;';
  const finish = list(columns, (j) => `{ let p = first + column + ${j * across}u;
    if (p < positions) { ${target}
      ${list(quads, (i) => `let v${i} = ${activate(p.activation, `a${i}_${j}`, 'vec4f')};`)}
      ${list(quads, (i) => list(4, (l) => put(i, l)))}
    } }`);
  const bindings = ['x: array<f32>', ...(p.gate ? ['gateBy: array<f32>'] : []), ...(p.point ? [] : ['taps: array<vec4u>']), `w: array<${p.half ? 'vec4<f16>' : 'vec4f'}>`, ...(p.bias ? ['bias: array<vec4f>'] : [])];

  return wgsl`
#if ${p.half}
enable f16;
#endif
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${SHARED_SIZES}>;
${bindings.map((binding, i) => `@group(0) @binding(${i + 1}) var<storage, read> ${binding};`).join('\n')}
@group(0) @binding(${bindings.length + 1}) var<storage, read_write> y: array<f32>;
${SIZE.map((name, i) => `const ${name.replace(/[A-Z]/g, '_$&').toUpperCase()} = ${i}u;`).join('\n')}
var<workgroup> ws: array<vec4f, ${wQuads}>;
var<workgroup> xs: array<vec4f, ${xQuads}>;

@compute @workgroup_size(${workgroup})
fn main(@builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) local: u32) {
  let terms = sizes[TERMS];
  let outputs = sizes[OUTPUTS];
  let positions = sizes[POSITIONS];
  let area = sizes[AREA];
  let plane = sizes[PLANE];
  let height = sizes[HEIGHT];
  let width = sizes[WIDTH];
  let tile = at.y;
  let group = tile / sizes[TILES];
  let first = at.x * ${tileP}u;
  let mine = min(first + local % ${tileP}u, positions - 1u);
  let image = mine / area;
  let inImage = mine - image * area;
  let oy = inImage / sizes[OUT_WIDTH];
  let firstY = oy * sizes[STRIDE_Y] - sizes[TOP];
  let firstX = (inImage - oy * sizes[OUT_WIDTH]) * sizes[STRIDE_X] - sizes[LEFT];
  let source = (image * sizes[GROUPS] + group) * sizes[GROUP_SIZE] + firstY * width + firstX;
  let row = local / ${across}u;
  let column = local % ${across}u;
  let firstRow = (tile - group * sizes[TILES]) * ${tileM}u + 4u * row;
  ${list(quads, (i) => `let b${i} = ${p.bias ? `bias[tile * ${wide}u + row + ${i * down}u]` : 'vec4f(0)'};`)}
  ${list(quads, (i) => list(columns, (j) => `var a${i}_${j} = b${i};`))}
  ${list(shares(wQuads), (i) => `var nextW${i} = vec4f(0);`)}
  ${list(shares(xQuads), (i) => `var nextX${i} = vec4f(0);`)}
  let begin = at.z * sizes[TURNS];
  let end = min(begin + sizes[TURNS], (terms + ${depth - 1}u) / ${depth}u);
  // One turn more than there are: the first only fetches, the last only multiplies.
  for (var turn = begin; turn <= end; turn++) {
    if (turn < end) { ${fetch} }
    if (turn > begin) { ${multiply} }
    workgroupBarrier();
    if (turn < end) { ${lay} }
    workgroupBarrier();
  }
#if ${p.shuffle !== undefined}
  let high = sizes[IMAGE_HEIGHT];
  let wide = sizes[IMAGE_WIDTH];
#endif
  ${list(quads, (i) => list(4, (l) => outputRow(i, l)))}
  ${finish}
}`;
}
