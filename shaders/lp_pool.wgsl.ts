/**
 * Lp pooling and its gradient.
 *   y[n, c, oy, ox] = (sum of |x[n, c, iy, ix]|^p)^(1/p) over the window, iy = oy stride_y - top + ky dilation_y (ix likewise)
 *   dx[n, c, iy, ix] = sum over the windows that cover (iy, ix) of dy sign(x) (|x| / y)^(p - 1), 0 where y is 0
 *   x, dx [N, C, H, W] f32    y, dy [N, C, OH, OW] f32
 * What lies outside of the image counts as 0. One invocation makes one output, or the gradient of one input.
 * Source: ONNX LpPool; Boureau, Ponce and LeCun 2010.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { coveringWindows, poolMain, type PoolParameters } from './pool.wgsl.ts';
import { f32, store } from './prelude.wgsl.ts';

export interface LpPoolParameters extends PoolParameters {
  /** At least 1. */
  readonly p: number;
}

/** Whole powers up to this one are multiplied out: `pow` rounds more, and less alike from driver to driver. */
const MOST_FACTORS = 8;

/** WGSL leaves open what `pow` makes of 0: it may go by way of its logarithm. */
const safePower = (base: string, exponent: number): string => `select(pow(${base}, ${f32(exponent)}), 0.0, ${base} == 0.0)`;

/** base^exponent for a base of at least 0. */
function power(base: string, exponent: number): string {
  if (exponent === 0) return '1.0';
  return Number.isInteger(exponent) && exponent <= MOST_FACTORS ? Array<string>(exponent).fill(base).join(' * ') : safePower(base, exponent);
}

function root(sum: string, p: number): string {
  if (p === 1) return sum;
  return p === 2 ? `sqrt(${sum})` : p === 4 ? `sqrt(sqrt(${sum}))` : safePower(sum, 1 / p);
}

export function lpPool(p: LpPoolParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
${poolMain(p, 'forward')}
  var sum = 0.0;
  for (var ky = 0u; ky < ${p.kernel[0]}u; ky++) {
    let iy = row * ${p.stride[0]}u - ${p.top}u + ky * ${p.dilation[0]}u;
    if (iy >= ${p.inHeight}u) { continue; }
    for (var kx = 0u; kx < ${p.kernel[1]}u; kx++) {
      let ix = column * ${p.stride[1]}u - ${p.left}u + kx * ${p.dilation[1]}u;
      if (ix >= ${p.inWidth}u) { continue; }
      let value = abs(x[(plane * ${p.inHeight}u + iy) * ${p.inWidth}u + ix]);
      sum += ${power('value', p.p)};
    }
  }
  y[i] = ${root('sum', p.p)};
}`;
}

export function lpPoolBackward(p: LpPoolParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
${poolMain(p, 'backward')}
  let value = x[i];
  var sum = 0.0;
  ${coveringWindows(p, `let whole = y[o];
    let share = abs(value) / whole;
    sum += select(dy[o] * sign(value) * ${power('share', p.p - 1)}, 0.0, whole == 0.0);`)}
  ${store('dx[i]', 'sum', p.accumulate)}
}`;
}
