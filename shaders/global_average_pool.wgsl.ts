/**
 * The mean of each plane, and its gradient.
 *   y[n, c] = (1 / HW) sum over iy, ix of x[n, c, iy, ix]      dx[n, c, iy, ix] = dy[n, c] / HW
 *   x, dx [N, C, H, W] f32    y, dy [N, C, 1, 1] f32
 * Forward: one invocation per plane, row by row so that rounding errors stay small. Backward: one per element.
 * Source: Lin et al. 2013, Network in Network.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearMain, store } from './prelude.wgsl.ts';

export interface GlobalAveragePoolParameters {
  /** N C. */
  readonly planes: number;
  readonly height: number;
  readonly width: number;
}

export function globalAveragePool(p: GlobalAveragePoolParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(p.planes)}
  var sum = 0.0;
  for (var iy = 0u; iy < ${p.height}u; iy++) {
    var row = 0.0;
    for (var ix = 0u; ix < ${p.width}u; ix++) { row += x[(i * ${p.height}u + iy) * ${p.width}u + ix]; }
    sum += row;
  }
  y[i] = sum / ${f32(p.height * p.width)};
}`;
}

export function globalAveragePoolBackward(p: GlobalAveragePoolParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

${linearMain(p.planes * p.height * p.width)}
  ${store('dx[i]', `dy[i / ${p.height * p.width}u] / ${f32(p.height * p.width)}`, p.accumulate)}
}`;
}
