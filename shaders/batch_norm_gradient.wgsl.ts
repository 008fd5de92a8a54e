/**
 * Gradients of batch normalization by the moments of the batch, through which every element reaches all of its channel.
 *   h = (x - center) inverse      dshift = sum of dy      dscale = sum of dy h
 *   dx = a (dy - dshift / n - h dscale / n) = slopes.x dy + slopes.y x + slopes.z      n = N P elements of a channel
 *   x, dy, dx [N, C, ...] f32    planes [N, C, 2] f32: sums over a plane of dy and dy (x - center)
 *   moments [C, 2] f32: center, inverse    slopes [C, 4] f32    a, dscale, dshift [C] f32
 * `planeGradients`: as planeMoments. `batchGradients`: one invocation, one channel. `batchNormGradient`: as batchNorm.
 * Source: Ioffe and Szegedy 2015, section 3.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { planesEach, planesMain, planeTotal, type PlanesParameters } from './batch_moments.wgsl.ts';
import { batchNormMain, type BatchNormParameters } from './batch_norm.wgsl.ts';
import { elementsOf, f32, linearMain, store } from './prelude.wgsl.ts';

export function planeGradients(p: PlanesParameters): string {
  const { type } = elementsOf(p.plane);
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read> dy: array<${type}>;
@group(0) @binding(2) var<storage, read> moments: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> planes: array<vec2f>;
${planesMain(p, `let center = moments[c].x;
  var sum = ${type}(0);
  var product = ${type}(0);
  ${planesEach(p, 'let g = dy[at]; sum += g; product += g * (x[at] - center);')}
  let all = vec2f(${planeTotal(p, 'sum')}, ${planeTotal(p, 'product')});
  if (lane == 0u) { planes[plane] = all; }`)}`;
}

export function batchGradients(p: BatchNormParameters): string {
  const share = f32(1 / (p.batch * p.plane));
  return wgsl`
@group(0) @binding(0) var<storage, read> planes: array<vec2f>;
@group(0) @binding(1) var<storage, read> moments: array<vec2f>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read_write> dscale: array<f32>;
@group(0) @binding(4) var<storage, read_write> dshift: array<f32>;
@group(0) @binding(5) var<storage, read_write> slopes: array<vec4f>;

${linearMain(p.channels)}
  var sums = vec2f(0);
  for (var n = 0u; n < ${p.batch}u; n++) { sums += planes[n * ${p.channels}u + i]; }
  let center = moments[i].x;
  let inverse = moments[i].y;
  let scaled = sums.y * inverse;
  dscale[i] = scaled;
  dshift[i] = sums.x;
  let slope = a[i];
  let bend = slope * inverse * scaled * ${share};
  slopes[i] = vec4f(slope, -bend, bend * center - slope * sums.x * ${share}, 0.0);
}`;
}

export function batchNormGradient(p: BatchNormParameters & { readonly accumulate: boolean }): string {
  const { type } = elementsOf(p.plane);
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read> dy: array<${type}>;
@group(0) @binding(2) var<storage, read> slopes: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<${type}>;
${batchNormMain(p, ['dy', 'x'], (at, dy, x) => store(`dx[${at}]`, `s.x * ${dy} + s.y * ${x} + s.z`, p.accumulate), 'let s = slopes[c];')}`;
}
