/**
 * Average pooling and its gradient.
 *   y[n, c, oy, ox] = sum of x over the window / area(oy, ox), and 0 for a window without any pixel
 *   dx[n, c, iy, ix] = sum of dy / area over the windows that cover (iy, ix)
 *   area: taps inside the image, or with `countPadding` taps inside the image and its border (a window that the
 *   ceil mode lets run past the border is clipped there).
 *   x, dx [N, C, H, W] f32    y, dy [N, C, OH, OW] f32
 * One invocation makes a tile of outputs, or the gradient of a block of inputs (see pool.wgsl.ts); where one window is
 * the whole plane, it makes that plane's mean, or the gradient of a part of the plane.
 * Source: ONNX AveragePool; Lin et al. 2013, Network in Network (the mean of the plane).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { every, f32, linearGrid, linearMain, named, plus, range, spread, spreadOver, store, sum, valueIf, type Spread } from './prelude.wgsl.ts';
import {
  axesOf, blockOf, coveringWindows, inputs, inputsOf, insides, leaving, NAMES, outputs, poolGrid, poolMain, tapAt, tapOn, windowLeaves, windowsOf, type PoolParameters,
} from './pool.wgsl.ts';

export interface AveragePoolParameters extends PoolParameters {
  readonly countPadding: boolean;
  readonly bottom: number;
  readonly right: number;
}

/** Elements of a plane that one invocation writes at most, where the window is the plane. */
const PART = 8;

/** Loads of one turn of the loop over a plane. */
const TURN = 16;

/** True where every window, there is but one, is the image. */
export const isWhole = (p: AveragePoolParameters): boolean =>
  p.outHeight * p.outWidth === 1 && p.kernel[0] === p.inHeight && p.kernel[1] === p.inWidth && p.top + p.left === 0 && p.dilation[0] * p.dilation[1] === 1;

const planeSpread = (p: AveragePoolParameters): Spread => spread(p.inHeight * p.inWidth, PART);

export function averagePoolGrid(p: AveragePoolParameters, pass: 'forward' | 'backward'): [number, number, number] {
  if (isWhole(p)) return linearGrid(pass === 'forward' ? p.planes : p.planes * planeSpread(p).stride);
  return poolGrid(p, pass);
}

/** Where the taps count: the image, or the image and its border. */
const counted = (p: AveragePoolParameters, axis: 0 | 1): { low: number; high: number } => {
  const { size, before } = axesOf(p)[axis];
  return p.countPadding ? { low: -before, high: size + (axis === 0 ? p.bottom : p.right) } : { low: 0, high: size };
};

/**
 * Declares `area<axis><output>` (i32), the taps that count along one axis, for the given outputs of a tile that starts at
 * output `first`; their number alone where all windows have as many.
 */
function areas(p: AveragePoolParameters, axis: 0 | 1, outputs: readonly number[], first: string): { lines: string; of(output: number): string | number } {
  const { kernel, stride, before, dilation, out } = axesOf(p)[axis];
  const { low, high } = counted(p, axis);
  if (-before >= low && (out - 1) * stride - before + (kernel - 1) * dilation < high) return { lines: '', of: () => kernel };
  const name = (output: number): string => `${NAMES[axis]}${named(output)}`;
  /** The first tap of the window that starts at `start` which lies at or behind a place. */
  const tapFrom = (place: number, output: number): string => {
    const distance = `max(${place} - start${name(output)}, 0)`;
    return dilation === 1 ? distance : `(${distance} + ${dilation - 1}) / ${dilation}`;
  };
  const line = (output: number): string => `let start${name(output)} = (i32(${first}) + ${output}) * ${stride} - ${before};
  let area${name(output)} = max(min(${tapFrom(high, output)}, ${kernel}) - ${tapFrom(low, output)}, 0);`;
  return { lines: outputs.map(line).join('\n  '), of: (output) => `area${name(output)}` };
}

/** The area of a window as an f32; a window without any pixel has the sum 0, whatever it is divided by. */
const areaOf = (rows: string | number, columns: string | number): string =>
  typeof rows === 'number' && typeof columns === 'number' ? f32(rows * columns) : `f32(max(${rows} * ${columns}, 1))`;

export function averagePool(p: AveragePoolParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
${isWhole(p) ? whole(p) : p.tile ? tiled(p) : looped(p)}
}`;
}

/** The mean of a plane, in turns of a few elements so that rounding errors stay small. */
function whole({ planes, inHeight, inWidth }: AveragePoolParameters): string {
  const size = inHeight * inWidth;
  const rest = size % TURN;
  const turn = (from: string, count: number): string => sum(range(count).map((k) => `x[${plus(from, k)}]`));
  return `
${linearMain(planes)}
  var sum = ${rest ? turn(`i * ${size}u`, rest) : '0.0'};
  for (var first = ${rest}u; first < ${size}u; first += ${TURN}u) {
    let at = i * ${size}u + first;
    sum += ${turn('at', TURN)};
  }
  y[i] = sum / ${f32(size)};`;
}

function tiled(p: AveragePoolParameters): string {
  const [Y, X] = axesOf(p);
  const [outY, outX] = [leaving(Y), leaving(X)];
  const load = (j: number, i: number): string => {
    const inside = every(outY.includes(j) ? `inY${j}` : '', outX.includes(i) ? `inX${i}` : '');
    return `let v${j}_${i} = ${valueIf(inside, `x[${plus('at', j * X.size + i)}]`)};`;
  };
  // Windows of one column share the sums of their rows.
  const line = (j: number, c: number): string => `let line${j}_${c} = ${sum(range(X.kernel).map((kx) => `v${j}_${tapAt(X, c, kx)}`))};`;
  const window = (r: number, c: number): string => sum(range(Y.kernel).map((ky) => `line${tapAt(Y, r, ky)}_${c}`));
  const [areaY, areaX] = [areas(p, 0, range(Y.tile), 'row0'), areas(p, 1, range(X.tile), 'column0')];
  return `
${poolMain(p, 'forward')}
  let row0 = row * ${Y.tile}u;
  let column0 = column * ${X.tile}u;
  let y0 = row0 * ${Y.stride}u - ${Y.before}u;
  let x0 = column0 * ${X.stride}u - ${X.before}u;
  let at = (plane * ${Y.size}u + y0) * ${X.size}u + x0;
  ${insides('Y', outY, 'y0', Y.size)}
  ${insides('X', outX, 'x0', X.size)}
  ${areaY.lines}
  ${areaX.lines}
  ${inputsOf(Y).flatMap((j) => inputsOf(X).map((i) => load(j, i))).join('\n  ')}
  ${inputsOf(Y).flatMap((j) => range(X.tile).map((c) => line(j, c))).join('\n  ')}
  let to = (plane * ${Y.out}u + row0) * ${X.out}u + column0;
  ${outputs([Y, X], (r, c) => `y[${plus('to', r * X.out + c)}] = (${window(r, c)}) / ${areaOf(areaY.of(r), areaX.of(c))};`)}`;
}

function looped(p: AveragePoolParameters): string {
  const [areaY, areaX] = [areas(p, 0, [0], 'row'), areas(p, 1, [0], 'column')];
  return `
${poolMain(p, 'forward')}
  ${areaY.lines}
  ${areaX.lines}
  var sum = 0.0;
  for (var ky = 0u; ky < ${p.kernel[0]}u; ky++) {
    let iy = row * ${p.stride[0]}u - ${p.top}u + ky * ${p.dilation[0]}u;
    if (iy >= ${p.inHeight}u) { continue; }
    var line = 0.0;
    for (var kx = 0u; kx < ${p.kernel[1]}u; kx++) {
      let ix = column * ${p.stride[1]}u - ${p.left}u + kx * ${p.dilation[1]}u;
      line += select(0.0, x[(plane * ${p.inHeight}u + iy) * ${p.inWidth}u + ix], ix < ${p.inWidth}u);
    }
    sum += line;
  }
  y[i] = sum / ${areaOf(areaY.of(0), areaX.of(0))};`;
}

export function averagePoolBackward(p: AveragePoolParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
${isWhole(p) ? wholeBackward(p) : p.tile ? tiledBackward(p) : loopedBackward(p)}
}`;
}

function wholeBackward(p: AveragePoolParameters & { readonly accumulate: boolean }): string {
  const size = p.inHeight * p.inWidth;
  const plane = planeSpread(p);
  return `
${linearMain(p.planes * plane.stride)}
  let plane = i / ${plane.stride}u;
  let part = i - plane * ${plane.stride}u;
  let mean = dy[plane] / ${f32(size)};
  let to = plane * ${size}u + part;
  ${spreadOver('part', plane, (step) => store(`dx[${plus('to', step * plane.stride)}]`, 'mean', p.accumulate))}`;
}

function tiledBackward(p: AveragePoolParameters & { readonly accumulate: boolean }): string {
  const [Y, X] = axesOf(p);
  const [rows, columns] = [windowsOf(Y), windowsOf(X)];
  const [areaY, areaX] = [areas(p, 0, rows, 'oy'), areas(p, 1, columns, 'ox')];
  const load = (a: number, b: number): string => {
    const inside = every(windowLeaves(Y, a) ? `inY${named(a)}` : '', windowLeaves(X, b) ? `inX${named(b)}` : '');
    return `let d${named(a)}_${named(b)} = ${valueIf(inside, `dy[${plus('at', a * X.out + b)}] / ${areaOf(areaY.of(a), areaX.of(b))}`)};`;
  };
  const line = (a: number, v: number): string =>
    `let line${named(a)}_${v} = ${sum(columns.filter((b) => tapOn(X, b, v) !== undefined).map((b) => `d${named(a)}_${named(b)}`))};`;
  const input = (u: number, v: number): string => sum(rows.filter((a) => tapOn(Y, a, u) !== undefined).map((a) => `line${named(a)}_${v}`));
  return `
${poolMain(p, 'backward')}
  let oy = row * ${Y.tile}u;
  let ox = column * ${X.tile}u;
  let at = (plane * ${Y.out}u + oy) * ${X.out}u + ox;
  ${insides('Y', rows.filter((a) => windowLeaves(Y, a)), 'oy', Y.out)}
  ${insides('X', columns.filter((b) => windowLeaves(X, b)), 'ox', X.out)}
  ${areaY.lines}
  ${areaX.lines}
  ${rows.flatMap((a) => columns.map((b) => load(a, b))).join('\n  ')}
  ${rows.flatMap((a) => range(blockOf(X)).map((v) => line(a, v))).join('\n  ')}
  let row0 = row * ${blockOf(Y)}u - ${Y.before}u;
  let column0 = column * ${blockOf(X)}u - ${X.before}u;
  let to = (plane * ${Y.size}u + row0) * ${X.size}u + column0;
  ${inputs([Y, X], (u, v) => store(`dx[${plus('to', u * X.size + v)}]`, input(u, v), p.accumulate))}`;
}

function loopedBackward(p: AveragePoolParameters & { readonly accumulate: boolean }): string {
  const [areaY, areaX] = [areas(p, 0, [0], 'oy'), areas(p, 1, [0], 'ox')];
  const body = `${areaY.lines}
    ${areaX.lines}
    sum += dy[o] / ${areaOf(areaY.of(0), areaX.of(0))};`;
  return `
${poolMain(p, 'backward')}
  var sum = 0.0;
  ${coveringWindows(p, body)}
  ${store('dx[i]', 'sum', p.accumulate)}`;
}
