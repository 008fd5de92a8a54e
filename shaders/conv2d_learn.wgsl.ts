/**
 * The gradient of the weights of a convolution, or of a dense layer (one tap over images of one pixel).
 *   dw[m, c, ky, kx] = sum over n, oy, ox of dy[n, m, oy, ox] x[n, c, ry, rx, oy + qy, ox + qx]
 *   with ky dilation = qy stride + ry, kx dilation = qx stride + rx: x is laid out as in conv2d.wgsl.ts.
 *   x    [N, groups C, stride_y stride_x, height, width] f32, border included
 *   dy   [N, groups M, OH, OW] f32
 *   dw   [parts, groups M, C, KH, KW] f32: sums over parts of the terms
 * One invocation computes TILE_M outputs x the taps of a unit (some channels x rows x columns of the kernel) in registers,
 * over one part of the terms: no workgroup memory, no barrier. A turn of its loop takes RUN terms that follow each other
 * along a line, which is a row of dy, or the same pixel of every image where rows are short. Along a row, taps that lie
 * beside each other share what they read of x. Terms past the end of a line are zeros in dy.
 * With `spread` the invocations of a quad take neighbouring units and share the loads of dy: lane l loads row l of four,
 * the three quad swaps bring the others, and accumulator i of lane l belongs to row i xor l (as in conv2d.wgsl.ts).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { every, range } from './prelude.wgsl.ts';

/** What one invocation computes. */
export interface LearnTile {
  readonly tileM: number;
  /** Of a unit: input channels, rows (1, or all of the kernel) and columns of taps. */
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  /** Terms of a turn. */
  readonly run: number;
}

/** What is compiled into the kernel. */
export interface LearnVariant extends LearnTile {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Lines of terms: rows of dy, or the same pixel of all images. */
  readonly along: 'rows' | 'images';
  /** Lines are no whole number of runs long. */
  readonly ragged: boolean;
  /** Share the loads of dy in a quad; needs subgroups, a workgroup of one quad and a tile of whole fours. */
  readonly spread: boolean;
  readonly workgroup: number;
  /** Outputs that are checked at once before they are stored: 0 where tiles never reach past the last, else 1 or 4. */
  readonly guard: 0 | 1 | 4;
  /** The last unit reaches past the last channel. */
  readonly raggedChannels: boolean;
}

const SIZE = [
  'groups', 'channels', 'outputs', 'units', 'padded', 'plane', 'width', 'length', 'lines', 'turns', 'blocks', 'perPart', 'count', 'last',
  'dyChannel', 'dyStep', 'dyBlock', 'dyNextLine', 'dyNextBlock', 'xStep', 'xBlock', 'xNextLine', 'xNextBlock',
] as const;

/** What the kernel reads at run time; distances are in elements and may wrap below zero. */
export interface LearnSizes {
  readonly groups: number;
  /** Input and output channels of one group. */
  readonly channels: number;
  readonly outputs: number;
  /** Units of one group, and how many invocations they get: whole quads where these share loads. */
  readonly units: number;
  readonly padded: number;
  /** Elements of one phase plane of x, and of its rows. */
  readonly plane: number;
  readonly width: number;
  /** Terms of a line, lines of a block, turns of a block, blocks of all; parts are made of `perPart` blocks. */
  readonly length: number;
  readonly lines: number;
  readonly turns: number;
  readonly blocks: number;
  readonly perPart: number;
  /** Elements of the gradient. */
  readonly count: number;
  /** Last element of x. */
  readonly last: number;
  /** In dy from a channel to the next, a term, a block; from past the runs of a line to the next line, of a block to the next block. */
  readonly dyChannel: number;
  readonly dyStep: number;
  readonly dyBlock: number;
  readonly dyNextLine: number;
  readonly dyNextBlock: number;
  /** The same in x. */
  readonly xStep: number;
  readonly xBlock: number;
  readonly xNextLine: number;
  readonly xNextBlock: number;
}

/** The sizes as the kernel's `sizes` tensor. */
export const learnSizes = (s: LearnSizes): Uint32Array => Uint32Array.from(SIZE, (name) => s[name] >>> 0);

export const LEARN_SIZES = SIZE.length;

/** A tap of a unit: where it lies, and which phase plane it reads at which offset. */
interface Tap {
  readonly channel: number;
  readonly row: number;
  readonly column: number;
  readonly phaseY: number;
  readonly down: number;
  readonly phaseX: number;
  readonly right: number;
}

function tapsOf({ channels, rows, columns, stride, dilation }: LearnVariant): Tap[] {
  const place = (tap: number, axis: 0 | 1): [number, number] => [(tap * dilation[axis]) % stride[axis], Math.floor((tap * dilation[axis]) / stride[axis])];
  return range(channels).flatMap((channel) =>
    range(rows).flatMap((row) =>
      range(columns).map((column) => {
        const [[phaseY, down], [phaseX, right]] = [place(row, 0), place(column, 1)];
        return { channel, row, column, phaseY, down, phaseX, right };
      }),
    ),
  );
}

const lines = (items: Iterable<string>): string => [...items].join('\n  ');

/** The loads of a turn, and the names of what they bring. */
function loadsOf(p: LearnVariant, taps: readonly Tap[]) {
  const alongRows = p.along === 'rows';
  /** Where term j lies from the first one of the turn. */
  const term = (tensor: 'x' | 'dy', j: number): string => (j === 0 ? '' : alongRows ? ` + ${j}u` : ` + ${tensor}Step${j}`);
  const origin = ({ channel, row, phaseX }: Tap): string => `o${channel}_${row}_${phaseX}`;
  const xName = (tap: Tap, j: number): string => `x${origin(tap).slice(1)}_${alongRows ? tap.right + j : `${tap.right}_${j}`}`;
  const xIndex = (tap: Tap, j: number): string => {
    const index = `${origin(tap)} + at${alongRows ? ` + ${tap.right + j}u` : `${tap.right ? ` + ${tap.right}u` : ''}${term('x', j)}`}`;
    // Beside a zero of dy anything finite will do.
    return p.ragged ? `min(${index}, last)` : index;
  };
  const dyLoad = (row: number, j: number): string => {
    const value = `dy[row${row} + start${term('dy', j)}]`;
    return `let d${row}_${j} = ${p.ragged && j > 0 ? `select(0.0, ${value}, in${j})` : value};`;
  };
  const swaps = (row: number, j: number): string =>
    ['X', 'Y', 'Diagonal'].map((way, i) => `let d${row + i + 1}_${j} = quadSwap${way}(d${row}_${j});`).join(' ');
  const steps = range(p.run - 1, 1);
  return {
    xName,
    /** Before the loop: where the phase planes of every row begin, the rows of dy, the distances between terms. */
    before: lines([
      ...new Map(
        taps.map((tap) => {
          const plane = (tap.channel * p.stride[0] + tap.phaseY) * p.stride[1] + tap.phaseX;
          return [origin(tap), `let ${origin(tap)} = origin + ${plane}u * plane + ${tap.down}u * width;`];
        }),
      ).values(),
      ...range(p.spread ? p.tileM / 4 : p.tileM).map((r) => {
        const row = p.spread ? 4 * r : r;
        return `let row${row} = (group * outputs + min(firstRow + ${p.spread ? `${row}u + lane` : `${row}u`}, outputs - 1u)) * sizes[DY_CHANNEL];`;
      }),
      ...(alongRows ? [] : steps.flatMap((j) => [`let dyStep${j} = ${j}u * dyStep;`, `let xStep${j} = ${j}u * xStep;`])),
    ]),
    turn: lines([
      ...(p.ragged ? steps.map((j) => `let in${j} = term + ${j}u < length;`) : []),
      ...new Map(taps.flatMap((tap) => range(p.run).map((j) => [xName(tap, j), `let ${xName(tap, j)} = x[${xIndex(tap, j)}];`]))).values(),
      ...range(p.run).flatMap((j) =>
        p.spread ? range(p.tileM / 4).map((r) => `${dyLoad(4 * r, j)} ${swaps(4 * r, j)}`) : range(p.tileM).map((row) => dyLoad(row, j)),
      ),
    ]),
  };
}

export function conv2dLearn(p: LearnVariant): string {
  const [kernelHeight, kernelWidth] = p.kernel;
  const taps = tapsOf(p);
  const down = kernelHeight / p.rows;
  const across = Math.ceil(kernelWidth / p.columns);
  const area = kernelHeight * kernelWidth;
  const loads = loadsOf(p, taps);
  const accumulators = range(p.tileM).flatMap((m) => taps.map((tap, t) => ({ name: `a${m}_${t}`, m, tap })));
  const multiplyAdd = ({ name, m, tap }: (typeof accumulators)[number]): string =>
    `${name} = ${range(p.run).reduce((value, j) => `fma(d${m}_${j}, ${loads.xName(tap, j)}, ${value})`, name)};`;

  // A unit is a block of channels, and of rows and columns of the kernel.
  const perChannel = down * across;
  const place = (tap: string, axis: 0 | 1): [string, string] => {
    const [stride, dilation] = [p.stride[axis], p.dilation[axis]];
    const at = dilation === 1 ? tap : `${tap} * ${dilation}u`;
    return stride === 1 ? ['0u', at] : [`(${at}) % ${stride}u`, `(${at}) / ${stride}u`];
  };
  const decode = lines([
    perChannel === 1 ? 'let block = unit;' : `let block = unit / ${perChannel}u;`,
    `let channel = block * ${p.channels}u;`,
    ...(down > 1 ? [`let firstY = (unit - block * ${perChannel}u) / ${across}u * ${p.rows}u;`] : []),
    ...(across > 1 ? [`let firstX = (unit - block * ${perChannel}u) % ${across}u * ${p.columns}u;`] : []),
  ]);
  const [phaseY, offsetY] = place('firstY', 0);
  const [phaseX, offsetX] = place('firstX', 1);
  const origin = [
    `(group * channels + channel) * ${p.stride[0] * p.stride[1]}u * plane`,
    ...(down > 1 ? [`${phaseY} * ${p.stride[1]}u * plane + ${offsetY} * width`] : []),
    ...(across > 1 ? [`${phaseX} * plane + ${offsetX}`] : []),
  ].join(' + ');

  const store = (m: number): string =>
    accumulators
      .filter((one) => one.m === m)
      .map(({ name, tap: { channel, row, column } }) => {
        const condition = every(
          channel > 0 && p.raggedChannels ? `(channel + ${channel}u < channels)` : '',
          column > 0 && kernelWidth % p.columns > 0 ? `(firstX + ${column}u < ${kernelWidth}u)` : '',
        );
        const put = `dw[to${m} + ${channel * area + row * kernelWidth + column}u] = ${name};`;
        return condition ? `if (${condition}) { ${put} }` : put;
      })
      .join('\n    ');
  const rowOf = (m: number): string => `firstRow + ${p.spread ? `${m - (m % 4)}u + (lane ^ ${m % 4}u)` : `${m}u`}`;
  const stores = p.guard === 4
    ? range(p.tileM / 4).map((r) => `if (firstRow + ${4 * r}u < outputs) { ${range(4, 4 * r).map(store).join('\n    ')} }`)
    : range(p.tileM).map((m) => (p.guard ? `if (${rowOf(m)} < outputs) { ${store(m)} }` : store(m)));

  return wgsl`
#if ${p.spread}
enable subgroups;
#endif
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${SIZE.length}>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
${SIZE.map((name, i) => `const ${name.replace(/[A-Z]/g, '_$&').toUpperCase()} = ${i}u;`).join('\n')}

@compute @workgroup_size(${p.workgroup})
#if ${p.spread}
fn main(@builtin(workgroup_id) job: vec3u, @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) invocation: u32) {
  let lane = invocation & 3u;
#else
fn main(@builtin(workgroup_id) job: vec3u, @builtin(local_invocation_index) local: u32) {
#endif
  let channels = sizes[CHANNELS];
  let outputs = sizes[OUTPUTS];
  let padded = sizes[PADDED];
  let plane = sizes[PLANE];
  let width = sizes[WIDTH];
  let length = sizes[LENGTH];
  let lines = sizes[LINES];
  let last = sizes[LAST];
  let dyStep = sizes[DY_STEP];
  let xStep = sizes[X_STEP];
  let dyNextLine = sizes[DY_NEXT_LINE];
  let dyNextBlock = sizes[DY_NEXT_BLOCK];
  let xNextLine = sizes[X_NEXT_LINE];
  let xNextBlock = sizes[X_NEXT_BLOCK];
  // Invocations past the last unit repeat it, and store nothing.
  let index = job.x * ${p.workgroup}u + local;
  let group = min(index / padded, sizes[GROUPS] - 1u);
  let isUnit = index - group * padded < sizes[UNITS];
  let unit = min(index - group * padded, sizes[UNITS] - 1u);
  ${decode}
  let firstRow = job.y * ${p.tileM}u;
  let origin = ${origin};
  ${loads.before}
  ${lines(accumulators.map(({ name }) => `var ${name} = 0.0;`))}
  let firstBlock = job.z * sizes[PER_PART];
  let turns = min(sizes[PER_PART], sizes[BLOCKS] - firstBlock) * sizes[TURNS];
  var start = firstBlock * sizes[DY_BLOCK];
  var at = firstBlock * sizes[X_BLOCK];
  var term = 0u;
  var line = 0u;
  for (var turn = 0u; turn < turns; turn++) {
  ${loads.turn}
  ${lines(accumulators.map(multiplyAdd))}
    term += ${p.run}u;
    let isLineDone = term >= length;
    term = select(term, 0u, isLineDone);
    line = select(line, line + 1u, isLineDone);
    let isBlockDone = line == lines;
    line = select(line, 0u, isBlockDone);
    start += ${p.run}u * dyStep + select(0u, dyNextLine, isLineDone) + select(0u, dyNextBlock, isBlockDone);
    at += ${p.run}u * xStep + select(0u, xNextLine, isLineDone) + select(0u, xNextBlock, isBlockDone);
  }
  if (isUnit) {
    let first = job.z * sizes[COUNT] + (group * outputs * channels + channel) * ${area}u${down > 1 ? ` + firstY * ${kernelWidth}u` : ''}${across > 1 ? ' + firstX' : ''};
    ${lines(range(p.tileM).map((m) => `let to${m} = first + (${rowOf(m)}) * channels * ${area}u;`))}
    ${lines(stores)}
  }
}`;
}
