/**
 * Max pooling and its gradient.
 *   y[n, c, oy, ox] = max of x[n, c, iy, ix] over the window, iy = oy stride_y - top + ky dilation_y (ix likewise)
 *   dx[n, c, iy, ix] = sum of dy over the windows whose maximum is (iy, ix); the first maximum in row-major order wins
 *   x, dx [N, C, H, W] f32    y, dy [N, C, OH, OW] f32
 *   winner [N, C, OH, ceil(OW / tile)] u32: the tap ky KW + kx of each of the tile's windows, eight bits each, the
 *   first one lowest; one window a word where the tile is one.
 * One invocation makes a tile of outputs, or the gradient of a block of inputs (see pool.wgsl.ts).
 * Source: ONNX MaxPool; ties as in Caffe (Jia et al. 2014).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { every, f32, named, plus, range, store, sum, valueIf } from './prelude.wgsl.ts';
import {
  axesOf, blockOf, coveringWindows, inputs, inputsOf, insides, leaving, outputRows, outputs, poolMain, tapAt, tapLeaves, tapOn, tilesOf, windowLeaves, windowsOf, type PoolParameters,
} from './pool.wgsl.ts';

/** What a window without any pixel gives. Its tap may be any: no pixel looks for it. */
const NOTHING = f32(-Infinity);

/** Largest number of windows of which a word holds the winners. */
export const MAX_TILE = 4;

/** Winner of the window in column `column` of a tile, as it lies in the tile's word. */
const packed = (tap: number, column: number): number => (tap << (8 * column)) >>> 0;

/** Words of a row of winners. */
export const winnerWords = (p: PoolParameters): number => tilesOf(axesOf(p)[1]);

interface Tap {
  readonly value: string;
  /** Condition of lying inside the image; empty where it always does. */
  readonly inside: string;
  /** What the window's winner is if this is it. */
  readonly winner: number;
}

/** Folds the taps of one window in row-major order: `best` is the first of the largest ones, `tap` which it is. */
function fold(name: string, taps: readonly Tap[], winners: boolean): string {
  const lines: string[] = [];
  let [best, tap] = [NOTHING, '0u'];
  /** Whether a tap inside the image came before: a condition, empty at first, or true. */
  let found: string | true = '';
  taps.forEach(({ value, inside, winner }, step) => {
    const is = `${name}_${step}`;
    const larger = `(${value} > ${best})`;
    const taken = every(inside, found === true ? larger : found && `(!${found} | ${larger})`);
    if (taken) lines.push(`let take${is} = ${taken};`);
    const choose = (before: string, after: string): string => (taken ? `select(${before}, ${after}, take${is})` : after);
    lines.push(`let best${is} = ${choose(best, value)};`);
    if (winners) lines.push(`let tap${is} = ${choose(tap, `${winner}u`)};`);
    [best, tap] = [`best${is}`, `tap${is}`];
    if (!inside) found = true;
    if (found === true) return;
    lines.push(`let found${is} = ${found ? `${found} | (${inside})` : inside};`);
    found = `found${is}`;
  });
  return [...lines, `let best${name} = ${best};`, ...(winners ? [`let tap${name} = ${tap};`] : [])].join('\n  ');
}

export function maxPool(p: PoolParameters & { readonly winners: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#if ${p.winners}
@group(0) @binding(2) var<storage, read_write> winner: array<u32>;
#endif
${p.tile ? tiled(p) : looped(p)}
}`;
}

function tiled(p: PoolParameters & { readonly winners: boolean }): string {
  const [Y, X] = axesOf(p);
  const windows = range(Y.tile).flatMap((r) => range(X.tile).map((c) => [r, c] as const));
  const taps = range(Y.kernel).flatMap((ky) => range(X.kernel).map((kx) => [ky, kx] as const));
  const inside = (r: number, c: number, ky: number, kx: number): string =>
    every(tapLeaves(Y, r, ky) ? `inY${tapAt(Y, r, ky)}` : '', tapLeaves(X, c, kx) ? `inX${tapAt(X, c, kx)}` : '');
  const tap = (r: number, c: number, ky: number, kx: number): Tap => ({
    value: `v${tapAt(Y, r, ky)}_${tapAt(X, c, kx)}`,
    inside: inside(r, c, ky, kx),
    winner: packed(ky * X.kernel + kx, c),
  });
  const window = (r: number, c: number): string => fold(`${r}${c}`, taps.map(([ky, kx]) => tap(r, c, ky, kx)), p.winners);
  return `
${poolMain(p, 'forward')}
  let row0 = row * ${Y.tile}u;
  let column0 = column * ${X.tile}u;
  let y0 = row0 * ${Y.stride}u - ${Y.before}u;
  let x0 = column0 * ${X.stride}u - ${X.before}u;
  let at = (plane * ${Y.size}u + y0) * ${X.size}u + x0;
  ${insides('Y', leaving(Y), 'y0', Y.size)}
  ${insides('X', leaving(X), 'x0', X.size)}
  ${inputsOf(Y).flatMap((j) => inputsOf(X).map((i) => `let v${j}_${i} = x[${plus('at', j * X.size + i)}];`)).join('\n  ')}
  ${windows.map(([r, c]) => window(r, c)).join('\n  ')}
  let to = (plane * ${Y.out}u + row0) * ${X.out}u + column0;
  ${outputs([Y, X], (r, c) => `y[${plus('to', r * X.out + c)}] = best${r}${c};`)}
  ${p.winners ? `let words = (plane * ${Y.out}u + row0) * ${tilesOf(X)}u + column;` : ''}
  ${p.winners ? outputRows(Y, (r) => `winner[${plus('words', r * tilesOf(X))}] = ${range(X.tile).map((c) => `tap${r}${c}`).join(' | ')};`) : ''}`;
}

function looped(p: PoolParameters & { readonly winners: boolean }): string {
  return `
${poolMain(p, 'forward')}
  var best = ${NOTHING};
  var tap = 0u;
  var found = false;
  for (var ky = 0u; ky < ${p.kernel[0]}u; ky++) {
    let iy = row * ${p.stride[0]}u - ${p.top}u + ky * ${p.dilation[0]}u;
    if (iy >= ${p.inHeight}u) { continue; }
    for (var kx = 0u; kx < ${p.kernel[1]}u; kx++) {
      let ix = column * ${p.stride[1]}u - ${p.left}u + kx * ${p.dilation[1]}u;
      if (ix >= ${p.inWidth}u) { continue; }
      let value = x[(plane * ${p.inHeight}u + iy) * ${p.inWidth}u + ix];
      if (!found || value > best) { best = value; tap = ky * ${p.kernel[1]}u + kx; found = true; }
    }
  }
  y[i] = best;
  ${p.winners ? 'winner[i] = tap;' : ''}`;
}

export function maxPoolBackward(p: PoolParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> winner: array<u32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
${p.tile ? tiledBackward(p) : loopedBackward(p)}
}`;
}

function tiledBackward(p: PoolParameters & { readonly accumulate: boolean }): string {
  const [Y, X] = axesOf(p);
  const windows = windowsOf(Y).flatMap((a) => windowsOf(X).map((b) => [a, b] as const));
  const word = (b: number): number => Math.floor(b / X.tile);
  const words = windowsOf(Y).flatMap((a) => [...new Set(windowsOf(X).map(word))].map((b) => [a, b] as const));
  const inside = (a: number, b: number): string =>
    every(windowLeaves(Y, a) ? `inY${named(a)}` : '', windowLeaves(X, b) ? `inX${named(b)}` : '');
  const columnOf = (b: number): number => b - X.tile * word(b);
  const window = (a: number, b: number): string => {
    const taps = `w${named(a)}_${named(word(b))}`;
    return `let d${named(a)}_${named(b)} = ${valueIf(inside(a, b), `dy[${plus('at', a * X.out + b)}]`)};
  let tap${named(a)}_${named(b)} = ${X.tile === 1 ? taps : `${taps} & ${packed(255, columnOf(b))}u`};`;
  };
  const input = (u: number, v: number): string =>
    sum(
      windows.flatMap(([a, b]) => {
        const [ky, kx] = [tapOn(Y, a, u), tapOn(X, b, v)];
        if (ky === undefined || kx === undefined) return [];
        const winner = packed(ky * X.kernel + kx, columnOf(b));
        return [`select(0.0, d${named(a)}_${named(b)}, tap${named(a)}_${named(b)} == ${winner}u)`];
      }),
    );
  return `
${poolMain(p, 'backward')}
  let oy = row * ${Y.tile}u;
  let ox = column * ${X.tile}u;
  let at = (plane * ${Y.out}u + oy) * ${X.out}u + ox;
  let words = (plane * ${Y.out}u + oy) * ${tilesOf(X)}u + column;
  ${insides('Y', windowsOf(Y).filter((a) => windowLeaves(Y, a)), 'oy', Y.out)}
  ${insides('X', windowsOf(X).filter((b) => windowLeaves(X, b)), 'ox', X.out)}
  ${words.map(([a, b]) => `let w${named(a)}_${named(b)} = winner[${plus('words', a * tilesOf(X) + b)}];`).join('\n  ')}
  ${windows.map(([a, b]) => window(a, b)).join('\n  ')}
  let row0 = row * ${blockOf(Y)}u - ${Y.before}u;
  let column0 = column * ${blockOf(X)}u - ${X.before}u;
  let to = (plane * ${Y.size}u + row0) * ${X.size}u + column0;
  ${inputs([Y, X], (u, v) => store(`dx[${plus('to', u * X.size + v)}]`, input(u, v), p.accumulate))}`;
}

/** Visits the windows that reach over input (row, column), the last one first; its tap is that of its winner or not. */
function loopedBackward(p: PoolParameters & { readonly accumulate: boolean }): string {
  return `
${poolMain(p, 'backward')}
  var sum = 0.0;
  ${coveringWindows(p, `sum += select(0.0, dy[o], winner[o] == ky * ${p.kernel[1]}u + kx);`)}
  ${store('dx[i]', 'sum', p.accumulate)}`;
}
