/**
 * Turns the signals of an image parameter into colors from 0 to 1, and its gradient.
 *   t[r] = sum over c of MATRIX[r][c] x[c]      correlated: natural images vary along these three directions of color, in these
 *                                               proportions; uncorrelated: t = x
 *   y = 1 / (1 + e^-t)      dt = dy y (1 - y)                          sigmoid
 *   y = min(max(t + MEAN, 0), 1)      dt = dy where 0 < y < 1, else 0  clipped
 *   dx[c] = sum over r of MATRIX[r][c] dt[r]
 *   x, y, dy, dx [N, C, H, W] f32; C = 3 where correlated
 * One invocation, all channels of one pixel, or of four.
 * Source: Lucid (Olah, Mordvintsev and Schubert 2017): the root of the covariance of colors over ImageNet, and their mean.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearGrid, linearMain, range, sum } from './prelude.wgsl.ts';

export interface ColorParameters {
  readonly batch: number;
  readonly channels: number;
  /** Pixels of a channel. */
  readonly plane: number;
  readonly correlate: boolean;
  readonly sigmoid: boolean;
}

const ROOT = [
  [0.26, 0.09, 0.02],
  [0.27, 0, -0.05],
  [0.27, -0.09, 0.03],
];

const longest = Math.max(...range(3).map((c) => Math.hypot(...ROOT.map((row) => row[c]!))));

/** What each signal (column) adds to red, green and blue; its longest column has the length 1. */
export const COLOR_MATRIX: readonly (readonly number[])[] = ROOT.map((row) => row.map((value) => value / longest));

/** Red, green and blue of the mean color of natural images. */
export const COLOR_MEAN: readonly number[] = [0.48, 0.46, 0.41];

const lanesOf = ({ plane }: ColorParameters): 1 | 4 => (plane % 4 === 0 ? 4 : 1);
const floatOf = (p: ColorParameters): string => (lanesOf(p) === 4 ? 'vec4f' : 'f32');
const loadsOf = (p: ColorParameters): number => p.plane / lanesOf(p);

export const colorGrid = (p: ColorParameters): [number, number, number] => linearGrid(p.batch * loadsOf(p));

/** Entry point: binds `at`, where the first channel of the pixel lies. */
const main = (p: ColorParameters): string => `${linearMain(p.batch * loadsOf(p))}
  let at = i + i / ${loadsOf(p)}u * ${(p.channels - 1) * loadsOf(p)}u;`;

const place = (p: ColorParameters, c: number): string => `at + ${c * loadsOf(p)}u`;

/** Sum of the named values, each times its factor. */
const weighed = (factors: readonly number[], name: string): string => sum(factors.flatMap((factor, c) => (factor === 0 ? [] : [`${f32(factor)} * ${name}${c}`])));

export function color(p: ColorParameters): string {
  const float = floatOf(p);
  const channels = range(p.channels);
  const t = (r: number): string => (p.correlate ? weighed(COLOR_MATRIX[r]!, 'x') : `x${r}`);
  const shown = (r: number): string =>
    p.sigmoid ? `1.0 / (1.0 + exp(-(${t(r)})))` : `clamp(${t(r)} + ${f32(meanOf(r, p.channels))}, ${float}(0), ${float}(1))`;
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${float}>;
@group(0) @binding(1) var<storage, read_write> y: array<${float}>;

${main(p)}
  ${channels.map((c) => `let x${c} = x[${place(p, c)}];`).join('\n  ')}
  ${channels.map((r) => `y[${place(p, r)}] = ${shown(r)};`).join('\n  ')}
}`;
}

export function colorBackward(p: ColorParameters): string {
  const float = floatOf(p);
  const channels = range(p.channels);
  const dt = p.sigmoid ? 'g * v * (1.0 - v)' : `select(${float}(0), g, (v > ${float}(0)) & (v < ${float}(1)))`;
  const dx = (c: number): string => (p.correlate ? weighed(COLOR_MATRIX.map((row) => row[c]!), 't') : `t${c}`);
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<${float}>;
@group(0) @binding(1) var<storage, read> dy: array<${float}>;
@group(0) @binding(2) var<storage, read_write> dx: array<${float}>;

fn slope(v: ${float}, g: ${float}) -> ${float} { return ${dt}; }

${main(p)}
  ${channels.map((r) => `let t${r} = slope(y[${place(p, r)}], dy[${place(p, r)}]);`).join('\n  ')}
  ${channels.map((c) => `dx[${place(p, c)}] = ${dx(c)};`).join('\n  ')}
}`;
}

/** The mean color's value for a channel; of images that are not RGB, the mean of the three. */
const meanOf = (channel: number, channels: number): number =>
  channels === 3 ? COLOR_MEAN[channel]! : COLOR_MEAN.reduce((all, value) => all + value, 0) / 3;
