/**
 * Gaussian blur down the columns, of the images whose turn it is; the result is stored transposed, so that the same
 * kernel over its own result blurs along the rows and turns the image back.
 *   y[n, c, j, i] = sum over d in -r .. r of taps[|d|] v[n, c, mirror(i + d), j]     v = x, or the ascent's step of x
 *   mirror repeats the edge sample: d c b a | a b c d | d c b a
 *   x, dx [N, C, ROWS, COLUMNS] f32    y [N, C, COLUMNS, ROWS] f32    taps [N, MAX_BLUR_TAPS + 1] f32, normalized, zero
 *   beyond r    settings, state: ascent.wgsl.ts
 * An image whose turn it is not is moved and turned, not blurred; of one that does not move nothing is written.
 * One invocation, a run of rows of one column (of four where both sizes are multiples of four): each sample is loaded
 * once and used while it is in a register. A radius within SHORT is unrolled; a longer one slides a window of taps along.
 * Source: scipy.ndimage.gaussian_filter (mode `reflect`, truncate 4), which Yosinski et al. 2015 use.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { stepped } from './ascend.wgsl.ts';
import { MAX_BLUR_TAPS, moving, SETTING, STATE } from './ascent.wgsl.ts';
import { f32, WORKGROUP } from './prelude.wgsl.ts';

/** Most rows of one invocation: the more, the fewer samples are loaded twice. */
const RUN = 32;
/** Rows of one turn of the loop over a long radius. */
const BLOCK = 8;
/** Longest unrolled radius: standard deviations up to 1. */
const SHORT = 4;

export interface BlurParameters {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  /** Present where x takes the ascent's step first: the factor to network units of each channel. */
  readonly scale?: readonly number[];
}

const lanesOf = (p: BlurParameters): 1 | 4 => (p.rows % 4 === 0 && p.columns % 4 === 0 ? 4 : 1);
/** Rows of each run, as even as whole blocks allow. */
const runOf = ({ rows }: BlurParameters): number => BLOCK * Math.ceil(rows / Math.ceil(rows / RUN) / BLOCK);
const tilesOf = (p: BlurParameters): number => (p.columns / lanesOf(p)) * Math.ceil(p.rows / runOf(p));

export const blurGrid = (p: BlurParameters, batch: number): [number, number, number] => [Math.ceil(tilesOf(p) / WORKGROUP), batch * p.channels, 1];

const list = <T>(count: number, item: (k: number) => T): T[] => Array.from({ length: count }, (_, k) => item(k));

/** Row of sample i, which lies within a radius and a run of the column. */
const mirror = (rows: number): string =>
  rows > MAX_BLUR_TAPS + RUN
    ? `
  let m = max(i, -1 - i);
  return u32(min(m, ${2 * rows - 1} - m));`
    : `
  let m = ((i % ${2 * rows}) + ${2 * rows}) % ${2 * rows};
  return u32(min(m, ${2 * rows - 1} - m));`;

export function blur(p: BlurParameters): string {
  const lanes = lanesOf(p);
  const run = runOf(p);
  const float = lanes === 4 ? 'vec4f' : 'f32';
  const columns = p.columns / lanes;
  const sample = (d: string): string => {
    const at = `line + mirror(first + ${d}) * ${columns}u`;
    return p.scale ? `stepAt(${at}, gain, rate, keep)` : `x[${at}]`;
  };
  /** Row k of four from the samples v0 .. of the rows SHORT before the first of them. */
  const weigh = (k: number): string =>
    [`t0 * v${k + SHORT}`, ...list(SHORT, (d) => `t${d + 1} * (v${k + SHORT - d - 1} + v${k + SHORT + d + 1})`)].join(' + ');
  /** Stores s0 .. s3, the rows from `k` of the run, of four columns or of one. */
  const store = (k: string, s: number): string => {
    const inside = (row: string, write: string): string => (p.rows % run === 0 ? write : `if (first + ${row} < ${p.rows}) { ${write} }`);
    if (lanes === 1) return list(4, (j) => inside(`${k} + ${s + j}`, `y[to + u32(${k} + ${s + j})] = s${s + j};`)).join(' ');
    const four = (lane: number): string => `vec4f(${list(4, (j) => `s${s + j}[${lane}]`).join(', ')})`;
    return inside(`${k} + ${s}`, list(4, (lane) => `y[to + ${(lane * p.rows) / 4}u + u32(${k} + ${s}) / 4u] = ${four(lane)};`).join(' '));
  };
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${float}>;
@group(0) @binding(1) var<storage, read> taps: array<f32>;
@group(0) @binding(2) var<storage, read> settings: array<f32>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<${float}>;
#if ${p.scale}
@group(0) @binding(5) var<storage, read> dx: array<${float}>;

fn stepAt(at: u32, gain: f32, rate: f32, keep: f32) -> ${float} { return ${stepped(float, 'x[at]', 'gain', 'dx[at]')}; }
#endif
${moving}

fn mirror(i: i32) -> u32 {${mirror(p.rows)}
}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.y / ${p.channels}u;
  if (id.x >= ${tilesOf(p)}u || !moving(n)) { return; }
  let first = i32(id.x / ${columns}u) * ${run};
  let line = id.y * ${p.rows * columns}u + id.x % ${columns}u;
  let to = id.y * ${p.rows * columns}u + (id.x % ${columns}u) * ${p.rows}u + u32(first) / ${lanes}u;
  let every = u32(settings[n * ${SETTING.words}u + ${SETTING.blurEvery}u]);
  let turn = every != 0u && state[n * ${STATE.words}u + ${STATE.step}u] % max(every, 1u) == 0u;
  let reach = select(0, i32(settings[n * ${SETTING.words}u + ${SETTING.blurTaps}u]), turn);
  let tap = n * ${MAX_BLUR_TAPS + 1}u;
#if ${p.scale}
  let rate = bitcast<f32>(state[n * ${STATE.words}u + ${STATE.rate}u]);
  let keep = settings[n * ${SETTING.words}u + ${SETTING.keep}u];
  let c = id.y % ${p.channels}u;
  var gain = ${f32(p.scale?.[0] ?? 0)};
  ${list(p.channels - 1, (c) => `if (c == ${c + 1}u) { gain = ${f32(p.scale?.[c + 1] ?? 0)}; }`).join(' ')}
#endif
  if (reach <= ${SHORT}) {
    let t0 = select(1.0, taps[tap], reach != 0);
    ${list(SHORT, (d) => `let t${d + 1} = select(0.0, taps[tap + ${d + 1}u], reach != 0);`).join('\n    ')}
    ${list(2 * SHORT, (k) => `var v${k} = ${sample(String(k - SHORT))};`).join('\n    ')}
    for (var k = 0; k < ${run}; k += 4) {
      ${list(4, (j) => `let v${2 * SHORT + j} = ${sample(`k + ${SHORT + j}`)};`).join('\n      ')}
      ${list(4, (j) => `let s${j} = ${weigh(j)};`).join('\n      ')}
      ${store('k', 0)}
      ${list(2 * SHORT, (k) => `v${k} = v${k + 4};`).join(' ')}
    }
    return;
  }
  for (var block = 0; block < ${run}; block += ${BLOCK}) {
    // At sample d the block's row k takes the tap of distance |d - k|: the window moves on by one row per sample.
    ${list(BLOCK, (k) => `var s${k} = ${float}(0); var w${k} = 0.0;`).join('\n    ')}
    for (var d = -reach; d < ${BLOCK} + reach; d++) {
      ${list(BLOCK - 1, (k) => `w${BLOCK - 1 - k} = w${BLOCK - 2 - k};`).join(' ')}
      w0 = select(taps[tap + u32(min(abs(d), ${MAX_BLUR_TAPS}))], 0.0, d > reach);
      let v = ${sample('block + d')};
      ${list(BLOCK, (k) => `s${k} += w${k} * v;`).join(' ')}
    }
    ${list(BLOCK / 4, (b) => store('block', 4 * b)).join('\n    ')}
  }
}`;
}
