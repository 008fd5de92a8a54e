/**
 * Resampling of the last two axes, and its gradient. Where each output lies comes in tables, one per axis (ops/resize.ts).
 *   y[n, c, oy, ox] = sum over iy, ix of share(oy, iy) share(ox, ix) x[n, c, iy, ix]
 *   dx[n, c, iy, ix] = sum over oy, ox of share(oy, iy) share(ox, ix) dy[n, c, oy, ox]
 *   nearest  share(o, i) = 1 where i = first(o), else 0
 *   linear   share(o, i) = 1 - f(o) where i = first(o), f(o) where i = first(o) + 1, else 0
 *   x, dx [N, C, H, W] f32    y, dy [N, C, OH, OW] f32
 *   rows [OH], columns [OW] of u32 first, f32 f (by its bits)
 *   rowSpans [H], columnSpans [W] of u32: the outputs that read a pixel, from the first one to before the second one
 * One invocation makes a few outputs of one row, or the gradient of one pixel; that gathers, always in the same order.
 * Source: ONNX Resize.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearGrid, linearMain, plus, range, store } from './prelude.wgsl.ts';

export interface ResizeParameters {
  /** Planes: N C. */
  readonly planes: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly mode: 'nearest' | 'linear';
}

/** Outputs of one invocation, evenly spaced over the row. */
const EACH = 4;

const partsOf = ({ outWidth }: ResizeParameters): number => Math.ceil(outWidth / EACH);

export const resizeGrid = (p: ResizeParameters): [number, number, number] => linearGrid(p.planes * p.outHeight * partsOf(p));

export const resizeBackwardGrid = (p: ResizeParameters): [number, number, number] => linearGrid(p.planes * p.inHeight * p.inWidth);

export function resize(p: ResizeParameters): string {
  const parts = partsOf(p);
  const at = (row: string, column: string): string => `x[${row} + ${column}]`;
  const value = (k: number): string =>
    p.mode === 'nearest'
      ? at('top', `place${k}.x`)
      : `mix(mix(${at('top', `place${k}.x`)}, ${at('top', `next${k}`)}, f${k}), mix(${at('bottom', `place${k}.x`)}, ${at('bottom', `next${k}`)}, f${k}), f)`;
  const put = (k: number): string => {
    const column = plus('part', k * parts);
    const lines = `let place${k} = columns[${column}];
    ${p.mode === 'linear' ? `let next${k} = min(place${k}.x + 1u, ${p.inWidth - 1}u); let f${k} = bitcast<f32>(place${k}.y);` : ''}
    y[${plus('to', k * parts)}] = ${value(k)};`;
    return (k + 1) * parts > p.outWidth ? `if (${column} < ${p.outWidth}u) { ${lines} }` : lines;
  };
  return wgsl`
@group(0) @binding(0) var<storage, read> rows: array<vec2u>;
@group(0) @binding(1) var<storage, read> columns: array<vec2u>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

${linearMain(p.planes * p.outHeight * parts)}
  let line = i / ${parts}u;
  let part = i - line * ${parts}u;
  let plane = line / ${p.outHeight}u;
  let row = rows[line - plane * ${p.outHeight}u];
  let top = (plane * ${p.inHeight}u + row.x) * ${p.inWidth}u;
#if ${p.mode === 'linear'}
  let bottom = (plane * ${p.inHeight}u + min(row.x + 1u, ${p.inHeight - 1}u)) * ${p.inWidth}u;
  let f = bitcast<f32>(row.y);
#endif
  let to = line * ${p.outWidth}u + part;
  ${range(Math.min(EACH, Math.ceil(p.outWidth / parts))).map(put).join('\n  ')}
}`;
}

export function resizeBackward(p: ResizeParameters & { readonly accumulate: boolean }): string {
  const linear = p.mode === 'linear';
  const share = (place: string, pixel: string): string =>
    `select(0.0, 1.0 - bitcast<f32>(${place}.y), ${place}.x == ${pixel}) + select(0.0, bitcast<f32>(${place}.y), ${place}.x + 1u == ${pixel})`;
  return wgsl`
#if ${linear}
@group(0) @binding(0) var<storage, read> rows: array<vec2u>;
@group(0) @binding(1) var<storage, read> columns: array<vec2u>;
#endif
@group(0) @binding(2) var<storage, read> rowSpans: array<vec2u>;
@group(0) @binding(3) var<storage, read> columnSpans: array<vec2u>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

${linearMain(p.planes * p.inHeight * p.inWidth)}
  let line = i / ${p.inWidth}u;
  let column = i - line * ${p.inWidth}u;
  let plane = line / ${p.inHeight}u;
  let row = line - plane * ${p.inHeight}u;
  let down = rowSpans[row];
  let across = columnSpans[column];
  var sum = 0.0;
  for (var oy = down.x; oy < down.y; oy++) {
    let start = (plane * ${p.outHeight}u + oy) * ${p.outWidth}u;
    var inRow = 0.0;
    for (var ox = across.x; ox < across.y; ox++) {
      ${linear ? `let place = columns[ox]; inRow += (${share('place', 'column')}) * dy[start + ox];` : 'inRow += dy[start + ox];'}
    }
    ${linear ? `let place = rows[oy]; sum += (${share('place', 'row')}) * inRow;` : 'sum += inRow;'}
  }
  ${store('dx[i]', 'sum', p.accumulate)}
}`;
}
