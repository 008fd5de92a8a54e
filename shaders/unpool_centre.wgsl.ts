/**
 * The gradient of max pooling where it is not asked which tap won: every window gives all of it to its centre.
 *   dx[n, c, iy, ix] = sum of dy over the windows whose centre is (iy, ix)
 *   centre of a window along an axis: tap floor((kernel - 1) / 2); where that lies outside the image, the tap next to it
 *   that lies inside. A window without any pixel gives nothing.
 *   dx [N, C, H, W] f32    dy [N, C, OH, OW] f32
 * One invocation, one element of dx. It is the transpose of y = x at the centre of the window.
 * Source: Mahendran and Vedaldi 2016, Salient Deconvolutional Networks, which pools back without switches to the centre.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { axesOf, coveringWindows, NAMES, poolMain, type Axis, type AxisName, type PoolParameters } from './pool.wgsl.ts';
import { store } from './prelude.wgsl.ts';

/** A function from a window that reaches into the image to its centre's tap. */
const centre = (axis: AxisName, { kernel, stride, before, dilation, size }: Axis): string => `
fn centre${axis}(o: u32) -> u32 {
  let start = o * ${stride}u;
  let first = (max(start, ${before}u) - start + ${dilation - 1}u) / ${dilation}u;
  let last = min((${size - 1 + before}u - start) / ${dilation}u, ${kernel - 1}u);
  return clamp(${Math.floor((kernel - 1) / 2)}u, first, last);
}`;

export function unpoolCentre(p: Omit<PoolParameters, 'tile'> & { readonly accumulate: boolean }): string {
  const axes = axesOf(p);
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
${NAMES.map((name, axis) => centre(name, axes[axis]!)).join('\n')}
${poolMain(p, 'backward')}
  var sum = 0.0;
  ${coveringWindows(p, 'sum += select(0.0, dy[o], ky == centreY(oy) && kx == centreX(ox));')}
  ${store('dx[i]', 'sum', p.accumulate)}
}`;
}
