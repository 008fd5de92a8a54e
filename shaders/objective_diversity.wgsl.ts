/**
 * How different the images of a batch look to a layer: minus the mean cosine similarity of an image's Gram matrix to
 * those of the others, and the gradient of the batch's total.
 *   G_n = Y_n Y_n'   [C, C]               `gram`
 *   K_nm = <G_n, G_m>                     `gramProducts`
 *   cos_nm = K_nm / sqrt(K_nn K_mm), 0 where a map is all 0
 *   score[n] = -weight[n] / (N - 1) sum over m != n of cos_nm      `diversityScore`
 *   B_n = sum over m != n of -(weight[n] + weight[m]) / (N - 1) 2 / |G_n| (G_m / |G_m| - cos_nm G_n / |G_n|)    `diversityPull`
 *   dY_n = B_n Y_n                        `diversitySeed`
 *   y, dy [N, C, P] f32    grams, pulls [N, C, C] f32    products [N, N] f32    weight, score [N] f32
 * The channels of an image, whatever their places, make its style; a batch that differs in it shows the facets of one unit.
 * Sources: Gatys et al. 2016 (Gram matrices); Olah et al. 2017, "Feature Visualization", the section on diversity.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FOLD, fold } from './ascent.wgsl.ts';
import { f32, linearMain, store } from './prelude.wgsl.ts';

export interface DiversityParameters {
  readonly batch: number;
  readonly channels: number;
  readonly plane: number;
}

/** One invocation, one element of a Gram matrix. */
export function gram({ batch, channels, plane }: DiversityParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> grams: array<f32>;

${linearMain(batch * channels * channels)}
  let image = i / ${channels * channels}u * ${channels}u;
  let row = (image + i / ${channels}u % ${channels}u) * ${plane}u;
  let column = (image + i % ${channels}u) * ${plane}u;
  var sum = 0.0;
  for (var p = 0u; p < ${plane}u; p++) { sum += y[row + p] * y[column + p]; }
  grams[i] = sum;
}`;
}

/** One workgroup, one pair of images; a fixed order of the sum. */
export function gramProducts({ batch, channels }: DiversityParameters): string {
  const size = channels * channels;
  return wgsl`
@group(0) @binding(0) var<storage, read> grams: array<f32>;
@group(0) @binding(1) var<storage, read_write> products: array<f32>;

var<workgroup> sums: array<f32, ${FOLD}>;

@compute @workgroup_size(${FOLD})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.y;
  let m = group.x;
  var own = 0.0;
  for (var i = local; i < ${size}u; i += ${FOLD}u) { own += grams[n * ${size}u + i] * grams[m * ${size}u + i]; }
  sums[local] = own;
  ${fold((other) => `sums[local] += sums[${other}];`)}
  if (local == 0u) { products[n * ${batch}u + m] = sums[0]; }
}`;
}

/** WGSL: 1 / |G_n|, 0 of a map that is all 0. */
const inverseNorm = (batch: number): string => `
fn inverseNorm(n: u32) -> f32 {
  let square = products[n * ${batch + 1}u];
  return select(0.0, 1.0 / sqrt(max(square, 1e-30)), square > 0.0);
}`;

/** One invocation, one image. */
export function diversityScore({ batch, accumulate }: { readonly batch: number; readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> products: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> score: array<f32>;
${inverseNorm(batch)}

${linearMain(batch)}
  var sum = 0.0;
  for (var m = 0u; m < ${batch}u; m++) {
    if (m != i) { sum += products[i * ${batch}u + m] * inverseNorm(i) * inverseNorm(m); }
  }
  ${store('score[i]', `weight[i] * sum * ${f32(-1 / (batch - 1))}`, accumulate)}
}`;
}

/** One invocation, one element of B. */
export function diversityPull({ batch, channels }: DiversityParameters): string {
  const size = channels * channels;
  return wgsl`
@group(0) @binding(0) var<storage, read> grams: array<f32>;
@group(0) @binding(1) var<storage, read> products: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> pulls: array<f32>;
${inverseNorm(batch)}

${linearMain(batch * size)}
  let n = i / ${size}u;
  let own = inverseNorm(n);
  var sum = 0.0;
  for (var m = 0u; m < ${batch}u; m++) {
    let other = inverseNorm(m);
    let off = grams[m * ${size}u + i % ${size}u] * other - products[n * ${batch}u + m] * own * other * grams[i] * own;
    if (m != n) { sum += (weight[n] + weight[m]) * off; }
  }
  pulls[i] = sum * own * ${f32(-2 / (batch - 1))};
}`;
}

/** One invocation, one element of dy; where another objective of the layer came before, it is added to what that one left. */
export function diversitySeed({ batch, channels, plane, accumulate }: DiversityParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> pulls: array<f32>;
@group(0) @binding(2) var<storage, read_write> dy: array<f32>;

${linearMain(batch * channels * plane)}
  let row = i / ${plane}u * ${channels}u;
  let image = i / ${channels * plane}u * ${channels * plane}u;
  var sum = 0.0;
  for (var c = 0u; c < ${channels}u; c++) { sum += pulls[row + c] * y[image + c * ${plane}u + i % ${plane}u]; }
  ${store('dy[i]', 'sum', accumulate)}
}`;
}
