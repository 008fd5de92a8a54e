/**
 * Convolution, as a sum over taps of a plane whose border is already there.
 *   y[n, m, oy, ox] = act(bias[m] + sum over c, ky, kx of w[m, c, ky, kx] x[n, c, ry, rx, oy + qy, ox + qx])
 *   with ky dilation = qy stride + ry, kx dilation = qx stride + rx: a stride is laid out as `stride` phases
 *   per axis (see border.wgsl.ts), so that neighbouring outputs read neighbouring inputs for any stride.
 *   x    [N, groups C, stride_y stride_x, height, width] f32, border included
 *   w    [groups tiles, C, KH, KW, TILE_M] f32, packed (see ops/conv2d.ts)
 *   bias [groups tiles TILE_M] f32
 *   y    [N, groups M, OH, OW] f32, or with `shuffle` [N, groups M / (s_y s_x), H, W]: row m is phase
 *        (m / s_x mod s_y, m mod s_x) of channel m / (s_y s_x), the gradient of a strided convolution.
 * One invocation computes TILE_M output channels x TILE_P neighbouring positions in registers: no workgroup
 * memory, no barrier. Positions run over rows of `width` (the padded row), so a tile may straddle rows.
 * Sizes come in a tensor, not in the text, so that layers of one kernel size share a pipeline.
 * With subgroups the four invocations of a quad share the loads of the weights.
 * The scheme is that of register-blocked GEMM (Goto and van de Geijn 2008) with an implicit im2col.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, type Activation } from './activation.wgsl.ts';
import { store } from './prelude.wgsl.ts';

/** What is compiled into the kernel. */
export interface Conv2dVariant {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly tileM: number;
  readonly tileP: number;
  readonly workgroup: number;
  readonly bias: boolean;
  readonly activation: Activation;
  readonly accumulate: boolean;
  readonly quad: boolean;
  /** Input channels per turn of the loop; divides their number. */
  readonly unroll: number;
  /** Present for the gradient of a strided convolution: the phases that rows of y are interleaved from. */
  readonly shuffle?: readonly [number, number];
}

/** What the kernel reads at run time. */
export interface Conv2dSizes {
  readonly groups: number;
  /** Input and output channels of one group. */
  readonly channels: number;
  readonly outputs: number;
  /** Rows and columns of one phase plane of x, border included. */
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** With `shuffle`: y = qy stride + ry + origin, and the size of the image that is written. */
  readonly origin?: readonly [number, number];
  readonly imageHeight?: number;
  readonly imageWidth?: number;
}

const SIZE = ['groups', 'channels', 'outputs', 'tiles', 'plane', 'width', 'outHeight', 'outWidth', 'positions', 'originY', 'originX', 'imageHeight', 'imageWidth'] as const;

/** The sizes as the kernel's `sizes` tensor. */
export function conv2dSizes(s: Conv2dSizes, tileM: number): Uint32Array {
  const values: Record<(typeof SIZE)[number], number> = {
    groups: s.groups,
    channels: s.channels,
    outputs: s.outputs,
    tiles: Math.ceil(s.outputs / tileM),
    plane: s.height * s.width,
    width: s.width,
    outHeight: s.outHeight,
    outWidth: s.outWidth,
    positions: conv2dPositions(s),
    originY: s.origin?.[0] ?? 0,
    originX: s.origin?.[1] ?? 0,
    imageHeight: s.imageHeight ?? 0,
    imageWidth: s.imageWidth ?? 0,
  };
  return Uint32Array.from(SIZE, (name) => values[name]);
}

export const CONV2D_SIZES = SIZE.length;

/** Positions along the padded rows that hold every output of one image. */
export function conv2dPositions(s: Pick<Conv2dSizes, 'outHeight' | 'outWidth' | 'width'>): number {
  return (s.outHeight - 1) * s.width + s.outWidth;
}

/** Unrolled taps per row; a wider kernel loops over its columns, or compile time explodes. */
const MAX_UNROLLED = 5;

export function conv2d(p: Conv2dVariant): string {
  const [kernelHeight, kernelWidth] = p.kernel;
  const lanes = p.tileM % 4 === 0 ? 4 : 1;
  const rows = p.tileM / lanes;
  const type = lanes === 4 ? 'vec4f' : 'f32';
  const phases = p.stride[0] * p.stride[1];
  const quad = p.quad && lanes === 4 && (rows === 4 || rows === 2);
  const [strideY, strideX] = p.stride;
  const sum = (...terms: (string | number)[]): string => terms.filter((term) => term !== 0 && term !== '').map((term) => (typeof term === 'number' ? `${term}u` : term)).join(' + ') || '0u';
  const times = (factor: number, value: string): string => (factor === 0 ? '' : factor === 1 ? value : `${factor}u * ${value}`);
  const list = (count: number, item: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => item(i)).join('\n');

  const loadWeights = (at: string): string =>
    quad
      ? `let q = w[${at} + quad];\n` +
        list(rows, (r) => `let w${r} = quadBroadcast(q, ${r}u);`)
      : list(rows, (r) => `let w${r} = w[${r ? `${at} + ${r}u` : at}];`);
  const multiplyAdd = (x: (j: number) => string): string =>
    list(rows, (r) => list(p.tileP, (j) => `a${r}_${j} = fma(w${r}, ${type}(${x(j)}), a${r}_${j});`));

  /** Column tap kx reads phase plane `phase` at `offset`; taps of one phase share their loads. */
  const column = (kx: number): { phase: number; offset: number } => ({
    phase: (kx * p.dilation[1]) % p.stride[1],
    offset: Math.floor((kx * p.dilation[1]) / p.stride[1]),
  });
  const unrolledRow = (): string => {
    const taps = Array.from({ length: kernelWidth }, (_, kx) => column(kx));
    const loads = new Map<string, string>();
    for (const { phase, offset } of taps) {
      for (let j = 0; j < p.tileP; j++) loads.set(`x${phase}_${offset + j}`, `x[${sum('row', times(phase, 'plane'), offset + j)}]`);
    }
    return (
      [...loads].map(([name, value]) => `let ${name} = ${value};`).join('\n') +
      list(kernelWidth, (kx) => {
        const { phase, offset } = taps[kx]!;
        return `{ ${loadWeights(sum('at', kx * rows))}\n${multiplyAdd((j) => `x${phase}_${offset + j}`)} }`;
      }) +
      `\nat += ${kernelWidth * rows}u;`
    );
  };
  // Division is slow where a processor plays the GPU: columns step through phases and offsets by addition.
  const loopedRow = (): string => `
      var start = row;
      ${strideX > 1 ? 'var phase = 0u;' : ''}
      for (var kx = 0u; kx < ${kernelWidth}u; kx++) {
        ${list(p.tileP, (j) => `let x${j} = x[${sum('start', j)}];`)}
        ${loadWeights('at')}
        ${multiplyAdd((j) => `x${j}`)}
        at += ${rows}u;
        ${advance('phase', 'start', p.dilation[1], strideX, 'plane', '1u')}
      }`;
  /** One tap further along an axis: dilation = whole strides + phases; a phase past the last wraps to the next sample. */
  function advance(phase: string, index: string, dilation: number, stride: number, phaseSize: string, sampleSize: string): string {
    if (stride === 1) return `${index} += ${dilation === 1 ? sampleSize : `${dilation}u * ${sampleSize}`};`;
    const samples = Math.floor(dilation / stride);
    const phases = dilation % stride;
    return `${samples ? `${index} += ${samples}u * ${sampleSize};` : ''}
      ${phases ? `${phase} += ${phases}u; ${index} += ${phases}u * ${phaseSize};
      if (${phase} >= ${stride}u) { ${phase} -= ${stride}u; ${index} = ${index} + ${sampleSize} - ${stride}u * ${phaseSize}; }` : ''}`;
  }

  const rowBody = kernelWidth <= MAX_UNROLLED ? unrolledRow : loopedRow;
  // Rows of the tile: what does not depend on the position is computed once, before the stores.
  const prepareRow = (i: number): string =>
    p.shuffle
      ? `let m${i} = firstRow + ${i}u;
         let ry${i} = (m${i} / ${p.shuffle[1]}u) % ${p.shuffle[0]}u;
         let rx${i} = m${i} % ${p.shuffle[1]}u;
         let to${i} = ((n * sizes[GROUPS] + group) * (outputs / ${p.shuffle[0] * p.shuffle[1]}u) + m${i} / ${p.shuffle[0] * p.shuffle[1]}u) * high * wide;`
      : `let m${i} = firstRow + ${i}u;`;
  const preparePosition = p.shuffle
    ? // Rows and columns above the image wrap to huge numbers, so that one comparison guards both ends.
      `let ty = oy * ${p.shuffle[0]}u + sizes[ORIGIN_Y]; let tx = ox * ${p.shuffle[1]}u + sizes[ORIGIN_X];`
    : 'let to = (((n * sizes[GROUPS] + group) * outputs + firstRow) * outHeight + oy) * outWidth + ox;';
  const put = (i: number, value: string): string =>
    p.shuffle
      ? `if (m${i} < outputs && ty + ry${i} < high && tx + rx${i} < wide) { let t = to${i} + (ty + ry${i}) * wide + tx + rx${i}; ${store('y[t]', value, p.accumulate)} }`
      : `if (m${i} < outputs) { let t = to + ${i}u * area; ${store('y[t]', value, p.accumulate)} }`;
  const component = (value: string, l: number): string => (lanes === 4 ? `${value}.${'xyzw'[l]}` : value);

  return wgsl`
#if ${quad}
enable subgroups;
#endif
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${SIZE.length}>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<${type}>;
#if ${p.bias}
@group(0) @binding(3) var<storage, read> bias: array<${type}>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
#else
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
#endif
${SIZE.map((name, i) => `const ${name.replace(/[A-Z]/g, '_$&').toUpperCase()} = ${i}u;`).join('\n')}

@compute @workgroup_size(${p.workgroup})
#if ${quad}
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let quad = lane & ${rows === 4 ? 3 : 1}u;
#else
fn main(@builtin(global_invocation_id) id: vec3u) {
#endif
  let channels = sizes[CHANNELS];
  let outputs = sizes[OUTPUTS];
  let tiles = sizes[TILES];
  let plane = sizes[PLANE];
  let width = sizes[WIDTH];
  let outHeight = sizes[OUT_HEIGHT];
  let outWidth = sizes[OUT_WIDTH];
  let tile = id.y;
  let n = id.z;
  let group = tile / tiles;
  let first = id.x * ${p.tileP}u;
  let base = (n * sizes[GROUPS] + group) * channels * ${phases}u * plane + min(first, sizes[POSITIONS] - 1u);
  ${list(rows, (r) => list(p.tileP, (j) => `var a${r}_${j} = ${p.bias ? `bias[tile * ${rows}u + ${r}u]` : `${type}(0)`};`))}
  var at = tile * channels * ${kernelHeight * kernelWidth * rows}u;
  let channelSize = ${phases}u * plane;
  var source = base;
  for (var c = 0u; c < channels; c += ${p.unroll}u) {
    ${list(p.unroll, () =>
      kernelHeight === 1
        ? `{ let row = source; ${rowBody()} source += channelSize; }`
        : `{
      var row = source;
      ${strideY > 1 ? 'var phaseY = 0u;' : ''}
      for (var ky = 0u; ky < ${kernelHeight}u; ky++) {
        ${rowBody()}
        ${advance('phaseY', 'row', p.dilation[0], strideY, `${times(strideX, 'plane')}`, 'width')}
      }
      source += channelSize; }`,
    )}
  }
  let firstRow = (tile % tiles) * ${p.tileM}u;
#if ${p.shuffle !== undefined}
  let high = sizes[IMAGE_HEIGHT];
  let wide = sizes[IMAGE_WIDTH];
#else
  let area = outHeight * outWidth;
#endif
  ${list(p.tileM, prepareRow)}
  ${list(
    p.tileP,
    (j) => `{ let position = first + ${j}u; let oy = position / width; let ox = position % width;
    if (oy < outHeight && ox < outWidth) { ${preparePosition}
      ${list(rows, (r) => `let v${r} = ${activate(p.activation, `a${r}_${j}`, type)};\n${list(lanes, (l) => put(r * lanes + l, component(`v${r}`, l)))}`)}
    } }`,
  )}
}`;
}
