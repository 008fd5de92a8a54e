/**
 * Average pooling and its gradient.
 *   y[n, c, oy, ox] = sum of x over the window / area(oy, ox), and 0 for a window without any pixel
 *   dx[n, c, iy, ix] = sum of dy / area over the windows that cover (iy, ix)
 *   area: taps inside the image, or with `countPadding` taps inside the image and its border (a window that the
 *   ceil mode lets run past the border is clipped there).
 *   x, dx [N, C, H, W] f32    y, dy [N, C, OH, OW] f32
 * Forward: one invocation per output. Backward gathers: one invocation per input.
 * Source: ONNX AveragePool.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { store } from './prelude.wgsl.ts';
import { coveringWindows, poolMain, type PoolParameters } from './max_pool.wgsl.ts';

export interface AveragePoolParameters extends PoolParameters {
  readonly countPadding: boolean;
  readonly bottom: number;
  readonly right: number;
}

/** Taps of the window that starts at `start` which lie in [low, high). */
const taps = `
fn taps(start: i32, kernel: i32, dilation: i32, low: i32, high: i32) -> i32 {
  var count = 0;
  for (var k = 0; k < kernel; k++) {
    let at = start + k * dilation;
    if (at >= low && at < high) { count++; }
  }
  return count;
}`;

const area = (p: AveragePoolParameters): string => {
  const [low, high] = p.countPadding
    ? [
        [-p.top, -p.left],
        [p.inHeight + p.bottom, p.inWidth + p.right],
      ]
    : [
        [0, 0],
        [p.inHeight, p.inWidth],
      ];
  return `f32(max(1, taps(oy * ${p.stride[0]} - ${p.top}, ${p.kernel[0]}, ${p.dilation[0]}, ${low[0]}, ${high[0]})
    * taps(ox * ${p.stride[1]} - ${p.left}, ${p.kernel[1]}, ${p.dilation[1]}, ${low[1]}, ${high[1]})))`;
};

export function averagePool(p: AveragePoolParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
${taps}

${poolMain(p.planes, p.outHeight, p.outWidth)}
  let oy = i32(row);
  let ox = i32(column);
  var sum = 0.0;
  for (var ky = 0; ky < ${p.kernel[0]}; ky++) {
    let iy = oy * ${p.stride[0]} - ${p.top} + ky * ${p.dilation[0]};
    if (iy < 0 || iy >= ${p.inHeight}) { continue; }
    for (var kx = 0; kx < ${p.kernel[1]}; kx++) {
      let ix = ox * ${p.stride[1]} - ${p.left} + kx * ${p.dilation[1]};
      if (ix < 0 || ix >= ${p.inWidth}) { continue; }
      sum += x[(plane * ${p.inHeight}u + u32(iy)) * ${p.inWidth}u + u32(ix)];
    }
  }
  y[i] = sum / ${area(p)};
}`;
}

export function averagePoolBackward(p: AveragePoolParameters & { readonly accumulate: boolean }): string {
  // A dilated window steps over inputs that it reaches over.
  const onTap =
    p.dilation[0] * p.dilation[1] === 1
      ? ''
      : ` && (i32(row) + ${p.top} - oy * ${p.stride[0]}) % ${p.dilation[0]} == 0 && (i32(column) + ${p.left} - ox * ${p.stride[1]}) % ${p.dilation[1]} == 0`;
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
${taps}

${poolMain(p.planes, p.inHeight, p.inWidth)}
  var sum = 0.0;
  ${coveringWindows(p, `sum += select(0.0, dy[o] / ${area(p)}, covered${onTap});`)}
  ${store('dx[i]', 'sum', p.accumulate)}
}`;
}
