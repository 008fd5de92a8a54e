/**
 * Local response normalization within a channel, and its gradient: the window is a square of positions.
 *   s[i] = 1 + (alpha / size^2) sum of x[j]^2 over the j at most (size - 1) / 2 rows and columns away
 *   y[i] = x[i] s[i]^-beta
 *   dx[i] = dy[i] s[i]^-beta - (2 alpha beta / size^2) x[i] sum of dy[j] x[j] s[j]^-beta / s[j] over the same window
 *   x, s, y, dy, dx [N C, H, W] f32; s is written where a gradient will follow. Positions outside the map count as 0.
 * One invocation per element.
 * Source: Krizhevsky, cuda-convnet; Caffe's LRN with WITHIN_CHANNEL, which divides by all size^2 at the border too.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { power } from './lrn.wgsl.ts';
import { f32, linearMain, store } from './prelude.wgsl.ts';

export interface LrnWithinParameters {
  /** N C. */
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  /** Odd. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
}

/** Elements of x and of y. */
export const lrnWithinCount = ({ planes, height, width }: LrnWithinParameters): number => planes * height * width;

/** Runs `body` for every position `j` of the window of `i`. */
const window = ({ height, width, size }: LrnWithinParameters, body: string): string => {
  const reach = (size - 1) / 2;
  return `
  let row = (i / ${width}u) % ${height}u;
  let column = i % ${width}u;
  for (var r = max(row, ${reach}u) - ${reach}u; r <= min(row + ${reach}u, ${height - 1}u); r++) {
    for (var c = max(column, ${reach}u) - ${reach}u; c <= min(column + ${reach}u, ${width - 1}u); c++) {
      let j = i + r * ${width}u + c - row * ${width}u - column;
      ${body}
    }
  }`;
};

export function lrnWithin(p: LrnWithinParameters & { readonly keep: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#if ${p.keep}
@group(0) @binding(2) var<storage, read_write> s: array<f32>;
#endif
${power(p.beta)}
${linearMain(lrnWithinCount(p))}
  var sum = 0.0;
  ${window(p, 'sum = fma(x[j], x[j], sum);')}
  let scale = fma(${f32(p.alpha / p.size ** 2)}, sum, 1.0);
  y[i] = x[i] * power(scale);
#if ${p.keep}
  s[i] = scale;
#endif
}`;
}

export function lrnWithinBackward(p: LrnWithinParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
${power(p.beta)}
${linearMain(lrnWithinCount(p))}
  var sum = 0.0;
  ${window(p, 'sum += dy[j] * x[j] * power(s[j]) / s[j];')}
  ${store('dx[i]', `(dy[i] * power(s[i]) - ${f32((2 * p.alpha * p.beta) / p.size ** 2)} * x[i] * sum)`, p.accumulate)}
}`;
}
