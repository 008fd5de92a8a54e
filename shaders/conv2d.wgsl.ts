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
 * A block loads everything it needs (a row of taps, or several channels of a small kernel), then finishes one
 * accumulator after the other: where registers are few, each is loaded and stored once per block, not per tap.
 * Sizes come in a tensor, not in the text, so that layers of one kernel size share a pipeline.
 * With `spread` a quad of invocations shares each load of weights: lane l loads row l of four, and the three
 * quad swaps bring the others, so that accumulator i of lane l belongs to row i xor l: no broadcast is needed.
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
  /** Share the loads of weights in a quad; needs subgroups and a tile of whole fours. */
  readonly spread: boolean;
  /** Input channels per turn of the loop; divides their number. */
  readonly unroll: number;
  /** Rows that are checked at once before they are stored: 0 where tiles never reach past the last output, else 1 or 4. */
  readonly guard: 0 | 1 | 4;
  /** Store position by position in a loop that selects the accumulators: less code to compile, a little more to run. */
  readonly loopStores: boolean;
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

/** Taps of a row that one block unrolls; a wider kernel loops over its columns, or compile time explodes. */
const MAX_UNROLLED = 7;
/** A kernel of up to so many taps is one block. */
const SMALL_KERNEL = 4;

const list = (count: number, item: (i: number) => string): string => Array.from({ length: count }, (_, i) => item(i)).join('\n');
const sum = (...terms: (string | number)[]): string =>
  terms.filter((term) => term !== 0 && term !== '').map((term) => (typeof term === 'number' ? `${term}u` : term)).join(' + ') || '0u';
const times = (factor: number, value: string): string => (factor === 0 ? '' : factor === 1 ? value : `${factor}u * ${value}`);

/** The rows of the tile: how weights are loaded, and which output channel accumulator `i` belongs to. */
function rowsOf(p: Conv2dVariant) {
  const spread = p.spread && p.tileM % 4 === 0;
  const lanes = !spread && p.tileM % 4 === 0 ? 4 : 1;
  const type: 'vec4f' | 'f32' = lanes === 4 ? 'vec4f' : 'f32';
  const registers = p.tileM / lanes;
  /** Names `name`0 .. of the tile's values in `array` at element `at`. */
  const load = (name: string, array: string, at: string): string =>
    spread
      ? list(p.tileM / 4, (r) => {
          const first = `${name}${4 * r}`;
          const swap = (i: number, of: string): string => `let ${name}${4 * r + i} = quadSwap${of}(${first});`;
          return `let ${first} = ${array}[${sum(at, 4 * r, 'lane')}]; ${swap(1, 'X')} ${swap(2, 'Y')} ${swap(3, 'Diagonal')}`;
        })
      : list(registers, (r) => `let ${name}${r} = ${array}[${sum(at, r)}];`);
  /** Row within the tile of component `l` of accumulator `i`. */
  const row = (i: number, l: number): string => (spread ? `${i - (i % 4)}u + (lane ^ ${i % 4}u)` : `${i * lanes + l}u`);
  return { spread, lanes, type, registers, load, row };
}

export function conv2d(p: Conv2dVariant): string {
  const [kernelHeight, kernelWidth] = p.kernel;
  const [strideY, strideX] = p.stride;
  const { spread, lanes, type, registers, load, row } = rowsOf(p);
  const phases = strideY * strideX;
  /** Elements of w that one tap takes. */
  const tap = registers;

  /** Finishes every accumulator over the terms of a block: pairs of a weight and an input register. */
  const multiplyAdd = (terms: readonly { w: string; x: (j: number) => string }[]): string =>
    list(registers, (r) =>
      list(p.tileP, (j) => {
        const splat = (x: string): string => (lanes === 4 ? `vec4f(${x})` : x);
        return `a${r}_${j} = ${terms.reduce((value, { w, x }) => `fma(${w}${r}, ${splat(x(j))}, ${value})`, `a${r}_${j}`)};`;
      }),
    );
  /** Column tap kx reads phase plane `phase` at `offset`; taps of one phase share their loads. */
  const column = (kx: number): { phase: number; offset: number } => ({
    phase: (kx * p.dilation[1]) % strideX,
    offset: Math.floor((kx * p.dilation[1]) / strideX),
  });
  /** Loads of one row of taps that begins at `row` and with tap number `first`, prefixed by `u`, and its terms. */
  const tapsOfRow = (u: string, row: string, first: number): { loads: string; terms: { w: string; x: (j: number) => string }[] } => {
    const taps = Array.from({ length: kernelWidth }, (_, kx) => column(kx));
    const inputs = new Map<string, string>();
    for (const { phase, offset } of taps) {
      for (let j = 0; j < p.tileP; j++) inputs.set(`x${u}${phase}_${offset + j}`, `x[${sum(row, times(phase, 'plane'), offset + j)}]`);
    }
    return {
      loads:
        [...inputs].map(([name, value]) => `let ${name} = ${value};`).join('\n') +
        list(kernelWidth, (kx) => load(`w${u}${kx}_`, 'w', sum('at', (first + kx) * tap))),
      terms: taps.map(({ phase, offset }, kx) => ({ w: `w${u}${kx}_`, x: (j) => `x${u}${phase}_${offset + j}` })),
    };
  };
  const unrolledRow = (): string => {
    const { loads, terms } = tapsOfRow('', 'row', 0);
    return `${loads}\n${multiplyAdd(terms)}\nat += ${kernelWidth * tap}u;`;
  };
  // Division is slow where a processor plays the GPU: columns step through phases and offsets by addition.
  const loopedRow = (): string => `
      var start = row;
      ${strideX > 1 ? 'var phase = 0u;' : ''}
      for (var kx = 0u; kx < ${kernelWidth}u; kx++) {
        ${list(p.tileP, (j) => `let x${j} = x[${sum('start', j)}];`)}
        ${load('w', 'w', 'at')}
        ${multiplyAdd([{ w: 'w', x: (j) => `x${j}` }])}
        at += ${tap}u;
        ${advance('phase', 'start', p.dilation[1], strideX, 'plane', '1u')}
      }`;
  const rowBody = kernelWidth <= MAX_UNROLLED ? unrolledRow : loopedRow;
  /** Several channels of a kernel of one tap in a block: their loads come first. */
  const onePoint = (): string => {
    const parts = Array.from({ length: p.unroll }, (_, u) => ({
      loads: list(p.tileP, (j) => `let x${u}_${j} = x[${sum('source', times(u, 'channelSize'), j)}];`) + load(`w${u}_`, 'w', sum('at', u * tap)),
      term: { w: `w${u}_`, x: (j: number) => `x${u}_${j}` },
    }));
    return `${parts.map(({ loads }) => loads).join('\n')}
      ${multiplyAdd(parts.map(({ term }) => term))}
      at += ${p.unroll * tap}u;
      source += ${times(p.unroll, 'channelSize')};`;
  };
  /** A kernel of few taps in one block; its rows are known places of the phase planes. */
  const wholeKernel = (): string => {
    const rows = Array.from({ length: kernelHeight }, (_, ky) => {
      const tap = ky * p.dilation[0];
      const plane = (tap % strideY) * strideX;
      const down = Math.floor(tap / strideY);
      const { loads, terms } = tapsOfRow(`${ky}_`, `row${ky}`, ky * kernelWidth);
      return { loads: `let row${ky} = ${sum('source', times(plane, 'plane'), times(down, 'width'))};\n${loads}`, terms };
    });
    return `${rows.map(({ loads }) => loads).join('\n')}
      ${multiplyAdd(rows.flatMap(({ terms }) => terms))}
      at += ${kernelHeight * kernelWidth * tap}u;
      source += channelSize;`;
  };
  // One loop over the rows of all channels: a loop in a loop would carry every accumulator twice.
  const rowLoop = (): string => `
    ${rowBody()}
    ${kernelHeight === 1 ? 'row += channelSize;' : `
    ${advance('phaseY', 'row', p.dilation[0], strideY, times(strideX, 'plane'), 'width')}
    ky++;
    let next = ky == ${kernelHeight}u;
    ky = select(ky, 0u, next);
    ${strideY > 1 ? 'phaseY = select(phaseY, 0u, next);' : ''}
    source = select(source, source + channelSize, next);
    row = select(row, source, next);`}`;
  const taps = kernelHeight * kernelWidth;
  const inner =
    taps === 1
      ? { steps: `channels / ${p.unroll}u`, state: '', body: onePoint() }
      : kernelHeight > 1 && taps <= SMALL_KERNEL
        ? { steps: 'channels', state: '', body: wholeKernel() }
        : { steps: times(kernelHeight, 'channels'), state: `var row = source; ${kernelHeight > 1 ? `var ky = 0u; ${strideY > 1 ? 'var phaseY = 0u;' : ''}` : ''}`, body: rowLoop() };

  // What of a row does not depend on the position is computed once, before the stores.
  const stores = Array.from({ length: registers * lanes }, (_, s) => ({ s, value: lanes === 4 ? `v${s >> 2}.${'xyzw'[s & 3]}` : `v${s}` }));
  const prepareRow = ({ s }: { s: number }): string => {
    const m = `let m${s} = firstRow + ${row(Math.floor(s / lanes), s % lanes)};`;
    if (!p.shuffle) return spread ? `${m} let to${s} = m${s} * area;` : m;
    const [py, px] = p.shuffle;
    return `${m}
         let ry${s} = (m${s} / ${px}u) % ${py}u;
         let rx${s} = m${s} % ${px}u;
         let to${s} = ((n * sizes[GROUPS] + group) * (outputs / ${py * px}u) + m${s} / ${py * px}u) * high * wide;`;
  };
  const preparePosition = p.shuffle
    ? // Rows and columns above the image wrap to huge numbers, so that one comparison guards both ends.
      `let ty = oy * ${p.shuffle[0]}u + sizes[ORIGIN_Y]; let tx = ox * ${p.shuffle[1]}u + sizes[ORIGIN_X];`
    : `let to = ((n * sizes[GROUPS] + group) * outputs * outHeight + oy) * outWidth + ox${spread ? '' : ' + firstRow * area'};`;
  const put = (s: number, value: string): string =>
    p.shuffle
      ? `if (${p.guard ? `m${s} < outputs && ` : ''}ty + ry${s} < high && tx + rx${s} < wide) { let t = to${s} + (ty + ry${s}) * wide + tx + rx${s}; ${store('y[t]', value, p.accumulate)} }`
      : `{ let t = to + ${spread ? `to${s}` : `${s}u * area`}; ${store('y[t]', value, p.accumulate)} }`;
  /** The stores of one position: guards cost time and compile time, so as few as will do. */
  const putAll = (): string => {
    const step = p.shuffle || p.guard === 0 ? stores.length : p.guard;
    const blocks = Array.from({ length: Math.ceil(stores.length / step) }, (_, b) => stores.slice(b * step, (b + 1) * step));
    return blocks
      .map((block) => {
        const body = block.map(({ s, value }) => put(s, value)).join('\n');
        return p.shuffle || p.guard === 0 ? body : `if (m${block[0]!.s} < outputs) { ${body} }`;
      })
      .join('\n');
  };
  /** Stores position `j`, a number or the name of one; `value(r)` is accumulator r there. */
  const storeAt = (j: string, value: (r: number) => string): string => `{ let position = first + ${j}; let oy = position / width; let ox = position - oy * width;
    if (oy < outHeight && ox < outWidth) { ${preparePosition}
      ${list(registers, (r) => `let v${r} = ${activate(p.activation, value(r), type)};`)}
      ${putAll()}
    } }`;
  /** Accumulator j of row r by the bits of j: the tree has as many leaves as positions. */
  const selected = (r: number, from: number, size: number): string =>
    size === 1 ? `a${r}_${from}` : `select(${selected(r, from, size / 2)}, ${selected(r, from + size / 2, size / 2)}, bit${size / 2})`;
  const halves = Array.from({ length: Math.log2(p.tileP) }, (_, i) => 1 << i);
  const storePositions = (): string =>
    p.loopStores && p.tileP > 1
      ? `for (var j = 0u; j < ${p.tileP}u; j++) { ${halves.map((bit) => `let bit${bit} = (j & ${bit}u) != 0u;`).join(' ')} ${storeAt('j', (r) => selected(r, 0, p.tileP))} }`
      : list(p.tileP, (j) => storeAt(`${j}u`, (r) => `a${r}_${j}`));

  return wgsl`
#if ${spread}
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
#if ${spread}
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) invocation: u32) {
  let lane = invocation & 3u;
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
  ${p.bias ? load('b', 'bias', `tile * ${registers}u`) : ''}
  ${list(registers, (r) => list(p.tileP, (j) => `var a${r}_${j} = ${p.bias ? `b${r}` : `${type}(0)`};`))}
  var at = tile * channels * ${kernelHeight * kernelWidth * tap}u;
  let channelSize = ${phases}u * plane;
  var source = base;
  ${inner.state}
  for (var step = 0u; step < ${inner.steps}; step++) {
    ${inner.body}
  }
  let firstRow = (tile - group * tiles) * ${p.tileM}u;
#if ${p.shuffle !== undefined}
  let high = sizes[IMAGE_HEIGHT];
  let wide = sizes[IMAGE_WIDTH];
#else
  let area = outHeight * outWidth;
#endif
  ${stores.map(prepareRow).join('\n')}
  ${storePositions()}
}`;

  /** One tap further along an axis: dilation = whole strides + phases; a phase past the last wraps to the next sample. */
  function advance(phase: string, index: string, dilation: number, stride: number, phaseSize: string, sampleSize: string): string {
    if (stride === 1) return `${index} += ${dilation === 1 ? sampleSize : `${dilation}u * ${sampleSize}`};`;
    const samples = Math.floor(dilation / stride);
    const steps = dilation % stride;
    return `${samples ? `${index} += ${samples}u * ${sampleSize};` : ''}
      ${steps ? `${phase} += ${steps}u; ${index} += ${steps}u * ${phaseSize};
      { let wraps = ${phase} >= ${stride}u;
        ${phase} = select(${phase}, ${phase} - ${stride}u, wraps);
        ${index} = select(${index}, ${index} + ${sampleSize} - ${stride}u * ${phaseSize}, wraps); }` : ''}`;
  }
}
