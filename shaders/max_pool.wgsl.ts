/**
 * Max pooling and its gradient.
 *   y[n, c, oy, ox] = max of x[n, c, iy, ix] over the window, iy = oy stride_y - top + ky dilation_y (ix likewise)
 *   dx[n, c, iy, ix] = sum of dy over the windows whose maximum is (iy, ix); the first maximum in row-major order wins
 *   x, dx [N, C, H, W] f32    y, dy [N, C, OH, OW] f32    winner [N, C, OH, OW] u32, iy W + ix
 * Forward: one invocation per output. Backward gathers: one invocation per input visits the windows that cover it.
 * Source: ONNX MaxPool; ties as in Caffe (Jia et al. 2014).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, MAX_GROUPS, store, WORKGROUP } from './prelude.wgsl.ts';

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

/** Grid of a pooling kernel: positions of one plane along x, planes along y and, past the limit, z. */
export const poolGrid = (planes: number, positions: number): [number, number, number] => [
  Math.ceil(positions / WORKGROUP),
  Math.min(planes, MAX_GROUPS),
  Math.ceil(planes / MAX_GROUPS),
];

/** Entry point that binds plane, row, column (u32) of a grid of planes, and the flat index i. */
export const poolMain = (planes: number, height: number, width: number): string => `
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let plane = id.z * ${MAX_GROUPS}u + id.y;
  if (id.x >= ${height * width}u || plane >= ${planes}u) { return; }
  let row = id.x / ${width}u;
  let column = id.x - row * ${width}u;
  let i = plane * ${height * width}u + id.x;`;

/**
 * Visits the outputs (oy, ox) whose window reaches over input (row, column), the last one first: `body` runs for
 * each with their index `o` and `covered`, false where there is no such output. With dilation the windows whose taps
 * step over the input count too. Unrolled and free of branches: their number is known, and small.
 */
export const coveringWindows = (p: PoolParameters, body: string): string => {
  const windows = (axis: 0 | 1): number => Math.floor(((p.kernel[axis] - 1) * p.dilation[axis]) / p.stride[axis]) + 1;
  const per = (value: string, by: number): string => (by === 1 ? value : `${value} / ${by}`);
  const visit = (a: number, b: number): string => `{
    let oy = lastY - ${a};
    let ox = lastX - ${b};
    let covered = oy >= 0 && ox >= 0 && oy < ${p.outHeight} && ox < ${p.outWidth} &&
      oy * ${p.stride[0]} + ${(p.kernel[0] - 1) * p.dilation[0] - p.top} >= i32(row) && ox * ${p.stride[1]} + ${(p.kernel[1] - 1) * p.dilation[1] - p.left} >= i32(column);
    let o = select(0u, (plane * ${p.outHeight}u + u32(oy)) * ${p.outWidth}u + u32(ox), covered);
    ${body}
  }`;
  return `
  let lastY = ${per(`(i32(row) + ${p.top})`, p.stride[0])};
  let lastX = ${per(`(i32(column) + ${p.left})`, p.stride[1])};
  ${Array.from({ length: windows(0) }, (_, a) => Array.from({ length: windows(1) }, (_unused, b) => visit(a, b))).flat().join('\n')}`;
};

export function maxPool(p: PoolParameters & { readonly winners: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#if ${p.winners}
@group(0) @binding(2) var<storage, read_write> winner: array<u32>;
#endif

${poolMain(p.planes, p.outHeight, p.outWidth)}
  let oy = i32(row);
  let ox = i32(column);
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

${poolMain(p.planes, p.inHeight, p.inWidth)}
  let here = id.x;
  var sum = 0.0;
  ${coveringWindows(p, 'sum += select(0.0, dy[o], covered && winner[o] == here);')}
  ${store('dx[i]', 'sum', p.accumulate)}
}`;
}
