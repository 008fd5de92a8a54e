/**
 * Local response normalization across channels, and its gradient.
 *   s[c] = k + (alpha / size) sum of x[j]^2 over j in c - floor((size-1)/2) .. c + ceil((size-1)/2)
 *   y[c] = x[c] s[c]^-beta
 *   dx[c] = dy[c] s[c]^-beta - (2 alpha beta / size) x[c] sum of t[j] over the j whose window holds c
 *   t[j] = dy[j] x[j] s[j]^-beta / s[j]
 *   x, y, dy, dx [N, C, H, W] f32
 * One invocation walks over neighbouring channels at one position, whose windows share what they load; the gradient
 * makes s once more, which costs less than to keep it. Where windows are too wide to unroll, one channel, in loops.
 * Source: Krizhevsky et al. 2012, section 3.3; ONNX LRN for even sizes.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearGrid, linearMain, named, plus, range, store, sum, valueIf, within } from './prelude.wgsl.ts';

export interface LrnParameters {
  readonly batch: number;
  readonly channels: number;
  /** H W. */
  readonly plane: number;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

/** Channels of one invocation at most, and loads that are still unrolled. */
const WALK = 8;
const MOST = 64;

const below = (p: LrnParameters): number => Math.floor((p.size - 1) / 2);
const above = (p: LrnParameters): number => Math.ceil((p.size - 1) / 2);

/** Channels of one invocation, all invocations alike. */
const walkOf = ({ channels }: LrnParameters): number => Math.ceil(channels / Math.ceil(channels / WALK));
const walksOf = (p: LrnParameters): number => Math.ceil(p.channels / walkOf(p));

/** Channels from `first` to `last` of a walk, counted from its first one, without those that never exist. */
const channelsOf = (p: LrnParameters, first: number, last: number): number[] =>
  range(last - first + 1, first).filter((at) => at < p.channels && at + (walksOf(p) - 1) * walkOf(p) >= 0);

/** The channels that a walk needs, by what of them: x for s, s and dy for t. */
const needs = (p: LrnParameters, pass: 'forward' | 'backward'): { x: number[]; t: number[] } => {
  const t = pass === 'forward' ? [] : channelsOf(p, -above(p), walkOf(p) - 1 + below(p));
  const wide = pass === 'forward' ? 0 : above(p) + below(p);
  return { t, x: channelsOf(p, -below(p) - (wide && above(p)), walkOf(p) - 1 + above(p) + (wide && below(p))) };
};

const isUnrolled = (p: LrnParameters): boolean => {
  const { x, t } = needs(p, 'backward');
  return x.length + t.length <= MOST;
};

export const lrnGrid = (p: LrnParameters): [number, number, number] => linearGrid(p.batch * p.plane * (isUnrolled(p) ? walksOf(p) : p.channels));

/** s^-beta: by square roots for the usual exponents, which are exact to an ulp or two where pow is not. */
export function power(beta: number): string {
  const of: Readonly<Record<number, string>> = { 0.5: 'inverseSqrt(s)', 0.75: 'inverseSqrt(s) * sqrt(inverseSqrt(s))', 1: '1.0 / s' };
  return `
fn power(s: f32) -> f32 {
  return ${of[beta] ?? `pow(s, ${f32(-beta)})`};
}`;
}

const scale = (p: LrnParameters, squares: string): string => `${f32(p.k)} + ${f32(p.alpha / p.size)} * (${squares})`;

/** Binds `c`, the first channel (u32), and `at`, the index of its element; loads x, squares it, and makes s. */
function walk(p: LrnParameters, pass: 'forward' | 'backward', scales: readonly number[]): string {
  const { x } = needs(p, pass);
  const square = (c: number): string[] => channelsOf(p, c - below(p), c + above(p)).map((j) => `square${named(j)}`);
  return `
${linearMain(p.batch * walksOf(p) * p.plane)}
  let line = i / ${p.plane}u;
  let image = line / ${walksOf(p)}u;
  let c = (line - image * ${walksOf(p)}u) * ${walkOf(p)}u;
  let at = (image * ${p.channels}u + c) * ${p.plane}u + (i - line * ${p.plane}u);
  ${x.filter((j) => inside(p, j)).map((j) => `let in${named(j)} = ${plus('c', j)} < ${p.channels}u;`).join('\n  ')}
  ${x.map((j) => `let x${named(j)} = ${valueIf(inside(p, j), `x[${plus('at', j * p.plane)}]`)};`).join('\n  ')}
  ${x.map((j) => `let square${named(j)} = x${named(j)} * x${named(j)};`).join('\n  ')}
  ${scales.map((c) => `let s${named(c)} = ${scale(p, sum(square(c)))};\n  let power${named(c)} = power(s${named(c)});`).join('\n  ')}`;
}

/** Condition under which channel `j` of a walk exists; empty where it always does. Channels wrap below zero. */
const inside = (p: LrnParameters, j: number): string => (j < 0 || (walksOf(p) - 1) * walkOf(p) + j >= p.channels ? `in${named(j)}` : '');

const channels = (p: LrnParameters, statement: (c: number) => string): string =>
  within('c', { count: walkOf(p), size: p.channels, before: 0, blocks: walksOf(p) }, statement);

export function lrn(p: LrnParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#if ${isUnrolled(p)}
${walk(p, 'forward', range(walkOf(p)))}
  ${channels(p, (c) => `y[${plus('at', c * p.plane)}] = x${c} * power${c};`)}
#else
${scaleAt(p)}
${one(p)}
  y[i] = x[i] * power(scaleAt(i, c));
#endif
}
${power(p.beta)}`;
}

export function lrnBackward(p: LrnParameters & { readonly accumulate: boolean }): string {
  const { t } = needs(p, 'backward');
  const slope = f32((2 * p.alpha * p.beta) / p.size);
  const term = (j: number): string => `let t${named(j)} = ${valueIf(inside(p, j), `dy${named(j)} * x${named(j)} * power${named(j)} / s${named(j)}`)};`;
  const terms = (c: number): string => sum(channelsOf(p, c - above(p), c + below(p)).map((j) => `t${named(j)}`));
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
#if ${isUnrolled(p)}
${walk(p, 'backward', t)}
  ${t.map((j) => `let dy${named(j)} = dy[${plus('at', j * p.plane)}];`).join('\n  ')}
  ${t.map(term).join('\n  ')}
  ${channels(p, (c) => store(`dx[${plus('at', c * p.plane)}]`, `(dy${c} * power${c} - ${slope} * x${c} * (${terms(c)}))`, p.accumulate))}
#else
${scaleAt(p)}
${one(p)}
  var sum = 0.0;
  for (var j = max(c - ${above(p)}, 0); j <= min(c + ${below(p)}, ${p.channels - 1}); j++) {
    let at = u32(i32(i) + (j - c) * ${p.plane});
    let s = scaleAt(at, j);
    sum += dy[at] * x[at] * power(s) / s;
  }
  ${store('dx[i]', `(dy[i] * power(scaleAt(i, c)) - ${slope} * x[i] * sum)`, p.accumulate)}
#endif
}
${power(p.beta)}`;
}

/** Entry point with one element an invocation, and its channel. */
const one = (p: LrnParameters): string => `
${linearMain(p.batch * p.channels * p.plane)}
  let c = i32((i / ${p.plane}u) % ${p.channels}u);`;

/** s of the element at index `i`, whose channel is `c`. */
const scaleAt = (p: LrnParameters): string => `
fn scaleAt(i: u32, c: i32) -> f32 {
  var sum = 0.0;
  for (var j = max(c - ${below(p)}, 0); j <= min(c + ${above(p)}, ${p.channels - 1}); j++) {
    let v = x[u32(i32(i) + (j - c) * ${p.plane})];
    sum += v * v;
  }
  return ${scale(p, 'sum')};
}`;
