/**
 * Padding with what lies inside, and its gradient.
 *   y[j] = x[fold(j - before)]                                            (per axis, n = size of x)
 *   reflect  fold(s) = |s| up to n - 1, 2 (n - 1) - s past it: the border itself is not repeated
 *   edge     fold(s) = s, at least 0 and at most n - 1
 *   dx[i] = sum of dy over the j that fold to i
 *   x, dx [X0, X1, X2, X3] f32    y, dy [Y0, Y1, Y2, Y3] f32, shapes padded on the left with ones to rank 4.
 * One invocation writes one element; the gradient gathers, always in the same order.
 * Source: ONNX Pad.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Shape4 } from './add.wgsl.ts';
import { linearMain, store } from './prelude.wgsl.ts';
import { AXES, coordinates, count, flat } from './slice.wgsl.ts';

export interface PadParameters {
  readonly x: Shape4;
  readonly y: Shape4;
  readonly before: Shape4;
  readonly mode: 'reflect' | 'edge';
}

export function pad({ x, y, before, mode }: PadParameters): string {
  const fold = (axis: number): string => {
    const at = `j${axis} - ${before[axis]}`;
    if (x[axis] === y[axis]) return `let s${axis} = j${axis};`;
    if (mode === 'edge') return `let s${axis} = clamp(${at}, 0, ${x[axis]! - 1});`;
    return `let d${axis} = abs(${at}); let s${axis} = min(d${axis}, ${2 * (x[axis]! - 1)} - d${axis});`;
  };
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

${linearMain(count(y))}
  ${coordinates(y)}
  ${AXES.map(fold).join('\n  ')}
  y[i] = x[${flat(x, 's')}];
}`;
}

export function padBackward({ x, y, before, mode, accumulate }: PadParameters & { readonly accumulate: boolean }): string {
  /** `inner` for every position s of y along the axis that folds to j. */
  const unfold = (axis: number, inner: string): string => {
    const [j, s, k] = [`j${axis}`, `s${axis}`, `k${axis}`];
    const [first, last, end] = [before[axis]!, x[axis]! - 1, y[axis]! - 1];
    if (last === end) return `let ${s} = ${j};\n  ${inner}`;
    const inside = `${j} + ${first}`;
    if (mode === 'edge') {
      return `for (var ${s} = select(${inside}, 0, ${j} == 0); ${s} <= select(${inside}, ${end}, ${j} == ${last}); ${s}++) {\n  ${inner}\n  }`;
    }
    // The position itself, its mirror image before the first element, and that behind the last one.
    return `for (var ${k} = 0; ${k} < 3; ${k}++) {
    let ${s} = select(select(${first + 2 * last} - ${j}, ${first} - ${j}, ${k} == 1), ${inside}, ${k} == 0);
    if ((${k} == 1 && (${j} == 0 || ${s} < 0)) || (${k} == 2 && (${j} == ${last} || ${s} > ${end}))) { continue; }
    ${inner}
  }`;
  };
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

${linearMain(count(x))}
  ${coordinates(x)}
  var sum = 0.0;
  ${AXES.reduceRight((inner, axis) => unfold(axis, inner), `sum += dy[${flat(y, 's')}];`)}
  ${store('dx[i]', 'sum', accumulate)}
}`;
}
