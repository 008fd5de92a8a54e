/**
 * Max pooling and its gradient.
 *   y[n, c, oy, ox] = max of x[n, c, iy, ix] over the window, iy = oy stride_y - top + ky dilation_y (ix likewise)
 *   dx[n, c, iy, ix] = sum of dy over the windows whose maximum is (iy, ix); the first maximum in row-major order wins
 *   x, dx [N, C, H, W] f32    y, dy [N, C, OH, OW] f32    winner [N, C, OH, OW] u32, iy W + ix
 * Forward: one invocation per output. Backward gathers: one invocation per input visits the windows that cover it.
 * Source: ONNX MaxPool; ties as in Caffe (Jia et al. 2014).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearMain, store } from './prelude.wgsl.ts';

export interface PoolParameters {
  /** Planes: N C. */
  readonly planes: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly top: number;
  readonly left: number;
  readonly dilation: readonly [number, number];
}

/** Binds plane, oy, ox of output `i`. */
export const poolOutput = (p: PoolParameters): string => `
  let plane = i / ${p.outHeight * p.outWidth}u;
  let oy = i32((i / ${p.outWidth}u) % ${p.outHeight}u);
  let ox = i32(i % ${p.outWidth}u);`;

/** Loops over the outputs (oy, ox) whose window covers input (iy, ix) of `plane`, running `body`. */
export const coveringWindows = (p: PoolParameters, body: string): string => `
  let plane = i / ${p.inHeight * p.inWidth}u;
  let iy = i32((i / ${p.inWidth}u) % ${p.inHeight}u);
  let ix = i32(i % ${p.inWidth}u);
  for (var ky = 0; ky < ${p.kernel[0]}; ky++) {
    let ty = iy + ${p.top} - ky * ${p.dilation[0]};
    if (ty < 0 || ty % ${p.stride[0]} != 0 || ty / ${p.stride[0]} >= ${p.outHeight}) { continue; }
    for (var kx = 0; kx < ${p.kernel[1]}; kx++) {
      let tx = ix + ${p.left} - kx * ${p.dilation[1]};
      if (tx < 0 || tx % ${p.stride[1]} != 0 || tx / ${p.stride[1]} >= ${p.outWidth}) { continue; }
      let oy = ty / ${p.stride[0]};
      let ox = tx / ${p.stride[1]};
      let o = (plane * ${p.outHeight}u + u32(oy)) * ${p.outWidth}u + u32(ox);
      ${body}
    }
  }`;

export function maxPool(p: PoolParameters & { readonly winners: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#if ${p.winners}
@group(0) @binding(2) var<storage, read_write> winner: array<u32>;
#endif

${linearMain(p.planes * p.outHeight * p.outWidth)}
  ${poolOutput(p)}
  var best = ${f32(-Infinity)};
  var at = 0u;
  var found = false;
  for (var ky = 0; ky < ${p.kernel[0]}; ky++) {
    let iy = oy * ${p.stride[0]} - ${p.top} + ky * ${p.dilation[0]};
    if (iy < 0 || iy >= ${p.inHeight}) { continue; }
    for (var kx = 0; kx < ${p.kernel[1]}; kx++) {
      let ix = ox * ${p.stride[1]} - ${p.left} + kx * ${p.dilation[1]};
      if (ix < 0 || ix >= ${p.inWidth}) { continue; }
      let here = u32(iy) * ${p.inWidth}u + u32(ix);
      let value = x[plane * ${p.inHeight * p.inWidth}u + here];
      if (!found || value > best) { best = value; at = here; found = true; }
    }
  }
  y[i] = best;
#if ${p.winners}
  winner[i] = at;
#endif
}`;
}

export function maxPoolBackward(p: PoolParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> winner: array<u32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

${linearMain(p.planes * p.inHeight * p.inWidth)}
  let here = i % ${p.inHeight * p.inWidth}u;
  var sum = 0.0;
  ${coveringWindows(p, 'if (winner[o] == here) { sum += dy[o]; }')}
  ${store('dx[i]', 'sum', p.accumulate)}
}`;
}
