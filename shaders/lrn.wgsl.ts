/**
 * Local response normalization across channels, and its gradient.
 *   s[c] = k + (alpha / size) sum of x[j]^2 over j in c - floor((size-1)/2) .. c + ceil((size-1)/2)
 *   y[c] = x[c] s[c]^-beta
 *   dx[c] = dy[c] s[c]^-beta - (2 alpha beta / size) x[c] sum of dy[j] y[j] / s[j] over the j whose window holds c
 *   x, s, y, dy, dx [N, C, H, W] f32. One invocation, one element.
 * Source: Krizhevsky et al. 2012, section 3.3; ONNX LRN for even sizes.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearMain, store } from './prelude.wgsl.ts';

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

/** s^-beta: by square roots for the usual exponents, which are exact to an ulp or two where pow is not. */
function power(s: string, beta: number): string {
  if (beta === 0.5) return `inverseSqrt(${s})`;
  if (beta === 0.75) return `(inverseSqrt(${s}) * inverseSqrt(sqrt(${s})))`;
  if (beta === 1) return `(1.0 / ${s})`;
  return `pow(${s}, ${f32(-beta)})`;
}

const below = (p: LrnParameters): number => Math.floor((p.size - 1) / 2);
const above = (p: LrnParameters): number => Math.ceil((p.size - 1) / 2);

export function lrn(p: LrnParameters & { readonly scales: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#if ${p.scales}
@group(0) @binding(2) var<storage, read_write> s: array<f32>;
#endif

${linearMain(p.batch * p.channels * p.plane)}
  let c = i32((i / ${p.plane}u) % ${p.channels}u);
  var sum = 0.0;
  for (var j = max(c - ${below(p)}, 0); j <= min(c + ${above(p)}, ${p.channels - 1}); j++) {
    let v = x[i32(i) + (j - c) * ${p.plane}];
    sum += v * v;
  }
  let scale = ${f32(p.k)} + ${f32(p.alpha / p.size)} * sum;
  y[i] = x[i] * ${power('scale', p.beta)};
#if ${p.scales}
  s[i] = scale;
#endif
}`;
}

export function lrnBackward(p: LrnParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> s: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

${linearMain(p.batch * p.channels * p.plane)}
  let c = i32((i / ${p.plane}u) % ${p.channels}u);
  var sum = 0.0;
  for (var j = max(c - ${above(p)}, 0); j <= min(c + ${below(p)}, ${p.channels - 1}); j++) {
    let at = i32(i) + (j - c) * ${p.plane};
    sum += dy[at] * y[at] / s[at];
  }
  let scale = s[i];
  ${store('dx[i]', `(dy[i] * ${power('scale', p.beta)} - ${f32((2 * p.alpha * p.beta) / p.size)} * x[i] * sum)`, p.accumulate)}
}`;
}
