/**
 * A strided window of a tensor that may reach past its edge: slice and pad in one formula, and its gradient.
 *   y[j] = x[start + step j] where that lies inside x, else `value`       (per axis)
 *   dx[i] = dy[(i - start) / step] where that is a whole index of y, else 0; a negative step runs backwards
 *   x, dx [X0, X1, X2, X3] f32    y, dy [Y0, Y1, Y2, Y3] f32, shapes padded on the left with ones to rank 4.
 * One invocation writes one element.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Shape4 } from './add.wgsl.ts';
import { f32, linearMain, store } from './prelude.wgsl.ts';

export interface WindowParameters {
  readonly x: Shape4;
  readonly y: Shape4;
  readonly start: Shape4;
  readonly step: Shape4;
  /** What lies outside x. */
  readonly value: number;
}

export const AXES = [0, 1, 2, 3] as const;
export const count = (shape: Shape4): number => shape[0] * shape[1] * shape[2] * shape[3];
const strides = (shape: Shape4): Shape4 => [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];

/** Binds j0 .. j3, the place of element `i`. */
export const coordinates = (shape: Shape4): string =>
  AXES.map((axis) => `let j${axis} = i32((i / ${strides(shape)[axis]}u) % ${shape[axis]}u);`).join(' ');
/** The element at `name`0 .. `name`3. */
export const flat = (shape: Shape4, name: string): string =>
  AXES.map((axis) => `${name}${axis} * ${strides(shape)[axis]}`).join(' + ');

export function slice(p: WindowParameters): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(count(p.y))}
  ${coordinates(p.y)}
  ${AXES.map((axis) => `let s${axis} = ${p.start[axis]} + j${axis} * ${p.step[axis]};`).join(' ')}
  var value = ${f32(p.value)};
  if (${AXES.map((axis) => `s${axis} >= 0 && s${axis} < ${p.x[axis]}`).join(' && ')}) {
    value = x[${flat(p.x, 's')}];
  }
  y[i] = value;
}`;
}

export function sliceBackward(p: WindowParameters & { readonly accumulate: boolean }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

${linearMain(count(p.x))}
  ${coordinates(p.x)}
  ${AXES.map((axis) => `let d${axis} = j${axis} - ${p.start[axis]}; let s${axis} = d${axis} / ${p.step[axis]};`).join(' ')}
  var value = 0.0;
  if (${AXES.map((axis) => `d${axis} ${p.step[axis] > 0 ? '>=' : '<='} 0 && d${axis} % ${p.step[axis]} == 0 && s${axis} < ${p.y[axis]}`).join(' && ')}) {
    value = dy[${flat(p.y, 's')}];
  }
  ${store('dx[i]', 'value', p.accumulate)}
}`;
}
