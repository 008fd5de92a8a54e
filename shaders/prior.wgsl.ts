/**
 * What natural images have little of, as a number for each image that a gradient can lower; and its gradient.
 *   total variation   sum over c, i, j of s^(beta / 2),  s = (x[i, j + 1] - x[i, j])^2 + (x[i + 1, j] - x[i, j])^2, differences
 *                     across the border being 0
 *   norm              sum of |x - center|^alpha
 *   dx = dx + weight d prior / dx      value[n] = weight prior
 *   x, dx [N, C, H, W] f32    parts [N, T] f32    value [N] f32
 * Where a power has no derivative its slope is 0. `prior`: one invocation, one element. `priorSum`: one invocation, its share
 * of one image. `priorFold`: one workgroup, one image, in a fixed order.
 * Source: Mahendran and Vedaldi 2015, whose regularizers these are.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FOLD, fold } from './ascent.wgsl.ts';
import { f32, linearGrid, linearMain, range } from './prelude.wgsl.ts';
import { walk, walkGrid, walkMain } from './walk.wgsl.ts';

export type PriorKind = { readonly kind: 'variation'; readonly beta: number } | { readonly kind: 'norm'; readonly alpha: number; readonly center: number };

export interface PriorParameters {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly prior: PriorKind;
  readonly weight: number;
}

const MOST_WRITTEN = 8;

/** base^exponent of a name that is not negative: products where they are few, which are exact where `pow` is the driver's. */
function power(base: string, exponent: number): string {
  if (exponent === 0) return '1.0';
  if (exponent === 0.5) return `sqrt(${base})`;
  if (Number.isInteger(exponent) && exponent > 0 && exponent <= MOST_WRITTEN) return range(exponent).map(() => base).join(' * ');
  return `select(0.0, pow(${base}, ${f32(exponent)}), ${base} > 0.0)`;
}

/** WGSL: the squared length of the step from (row, column) to its two next neighbours; 0 beyond the border. */
const steepness = ({ height, width }: PriorParameters): string => `
fn right(i: u32, column: u32) -> f32 { return select(0.0, x[i + 1u] - x[i], column + 1u < ${width}u); }
fn below(i: u32, row: u32) -> f32 { return select(0.0, x[i + ${width}u] - x[i], row + 1u < ${height}u); }
fn steepness(i: u32, row: u32, column: u32) -> f32 {
  let a = right(i, column);
  let b = below(i, row);
  return a * a + b * b;
}`;

const place = ({ height, width }: PriorParameters): string => `let column = i % ${width}u; let row = (i / ${width}u) % ${height}u;`;

const sizeOf = ({ channels, height, width }: PriorParameters): number => channels * height * width;

export const priorGrid = (p: PriorParameters): [number, number, number] => linearGrid(p.batch * sizeOf(p));

export function prior(p: PriorParameters): string {
  const head = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;`;
  if (p.prior.kind === 'norm') {
    const { alpha, center } = p.prior;
    return wgsl`${head}

${linearMain(p.batch * sizeOf(p))}
  let away = x[i] - ${f32(center)};
  let size = abs(away);
  dx[i] = dx[i] + ${f32(p.weight * alpha)} * sign(away) * (${power('size', alpha - 1)});
}`;
  }
  const { beta } = p.prior;
  const { width } = p;
  return wgsl`${head}
${steepness(p)}

// d s^(beta / 2) / d s, twice
fn slope(s: f32) -> f32 { return ${f32(beta)} * (${power('s', beta / 2 - 1)}); }

${linearMain(p.batch * sizeOf(p))}
  ${place(p)}
  var sum = -slope(steepness(i, row, column)) * (right(i, column) + below(i, row));
  if (column > 0u) { sum += slope(steepness(i - 1u, row, column - 1u)) * right(i - 1u, column - 1u); }
  if (row > 0u) { sum += slope(steepness(i - ${width}u, row - 1u, column)) * below(i - ${width}u, row - 1u); }
  dx[i] = dx[i] + ${f32(p.weight)} * sum;
}`;
}

/** Elements of one image that an invocation takes, at the least. */
const SHARE = 8;

const threads = (p: PriorParameters): number => walk(sizeOf(p), SHARE).invocations;

export const priorParts = (p: PriorParameters): { readonly shape: readonly [number, number]; readonly grid: [number, number, number] } => ({
  shape: [p.batch, threads(p)],
  grid: walkGrid(walk(sizeOf(p), SHARE), p.batch),
});

export function priorSum(p: PriorParameters): string {
  const variation = p.prior.kind === 'variation';
  const term = p.prior.kind === 'variation' ? power('s', p.prior.beta / 2) : power('s', p.prior.alpha);
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> parts: array<f32>;
${variation ? steepness(p) : ''}

${walkMain}
  var sum = 0.0;
  for (var e = t; e < ${sizeOf(p)}u; e += ${threads(p)}u) {
    let i = n * ${sizeOf(p)}u + e;
    ${p.prior.kind === 'norm' ? `let s = abs(x[i] - ${f32(p.prior.center)});` : `${place(p)} let s = steepness(i, row, column);`}
    sum += ${term};
  }
  parts[n * ${threads(p)}u + t] = sum;
}`;
}

export function priorFold(p: PriorParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> value: array<f32>;

var<workgroup> sums: array<f32, ${FOLD}>;

@compute @workgroup_size(${FOLD})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  var own = 0.0;
  for (var i = local; i < ${threads(p)}u; i += ${FOLD}u) { own += parts[n * ${threads(p)}u + i]; }
  sums[local] = own;
  ${fold((other) => `sums[local] += sums[${other}];`)}
  if (local == 0u) { value[n] = ${f32(p.weight)} * sums[0]; }
}`;
}
