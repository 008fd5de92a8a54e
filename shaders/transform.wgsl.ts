/**
 * Moves, turns and scales each image of a batch by its own affine map, and the gradient of that.
 *   sx = m0 ox + m1 oy + m2      sy = m3 ox + m4 oy + m5      where pixel (ox, oy) of the result lies in the image, in pixels
 *   share(s, i) = max(0, 1 - |s - i|)
 *   y[n, c, oy, ox] = sum over iy, ix of share(sy, iy) share(sx, ix) x[n, c, iy, ix]      x = OUTSIDE beyond the image
 *   dx[n, c, iy, ix] = sum over oy, ox of share(sy, iy) share(sx, ix) dy[n, c, oy, ox]
 *   x, dx [N, C, H, W] f32    y, dy [N, C, OH, OW] f32    matrix [N, 6] f32: m0 .. m5
 * One invocation, all channels of one pixel. The gradient of a pixel gathers, in a fixed order, from the results whose places
 * lie within a pixel of it: the inverse map takes that square to a parallelogram, whose bounding box is searched.
 * Both directions compute places in the same way, to the bit: one is the adjoint of the other as it was rounded.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearGrid, linearMain, range } from './prelude.wgsl.ts';

export interface TransformParameters {
  readonly batch: number;
  readonly channels: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** By how many pixels the box is widened against rounding; what it holds too much has no share. */
const SLACK = 0.02;

export const transformGrid = (p: TransformParameters): [number, number, number] => linearGrid(p.batch * p.outHeight * p.outWidth);

export const transformBackwardGrid = (p: TransformParameters): [number, number, number] => linearGrid(p.batch * p.inHeight * p.inWidth);

/** WGSL: where a pixel of the result lies. */
const PLACE = `
fn place(m: u32, o: vec2f) -> vec2f {
  return vec2f(fma(matrix[m], o.x, fma(matrix[m + 1u], o.y, matrix[m + 2u])), fma(matrix[m + 3u], o.x, fma(matrix[m + 4u], o.y, matrix[m + 5u])));
}`;

/** Entry point: image n, pixel (column, row) of the given size; its matrix begins at m. */
const main = (batch: number, height: number, width: number): string => `${linearMain(batch * height * width)}
  let line = i / ${width}u;
  let column = i - line * ${width}u;
  let n = line / ${height}u;
  let row = line - n * ${height}u;
  let m = n * 6u;`;

export function transform(p: TransformParameters & { readonly outside: number }): string {
  const { channels, inHeight, inWidth, outHeight, outWidth, outside } = p;
  const [plane, result] = [inHeight * inWidth, outHeight * outWidth];
  const value = (c: number): string => {
    const at = (row: string, column: string): string => `x[image + ${c * plane}u + ${row} + ${column}]`;
    const along = (row: string): string => `(${['left', 'right'].map((column) => `across.${column === 'left' ? 'x' : 'y'} * ${at(row, column)}`).join(' + ')})`;
    return `y[to + ${c * result}u] = down.x * ${along('upper')} + down.y * ${along('lower')} + blank;`;
  };
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${PLACE}

// Shares of the pixels floor(s) and floor(s) + 1, none for those beyond the size.
fn shares(s: f32, size: f32) -> vec2f {
  let before = floor(s);
  let part = s - before;
  return vec2f(select(0.0, 1.0 - part, before >= 0.0 && before < size), select(0.0, part, before >= -1.0 && before < size - 1.0));
}

fn inside(pixel: f32, size: f32) -> u32 { return u32(clamp(pixel, 0.0, size - 1.0)); }

${main(p.batch, outHeight, outWidth)}
  let s = place(m, vec2f(f32(column), f32(row)));
  let across = shares(s.x, ${f32(inWidth)});
  let down = shares(s.y, ${f32(inHeight)});
  let blank = ${f32(outside)} * (1.0 - (across.x + across.y) * (down.x + down.y));
  let left = inside(floor(s.x), ${f32(inWidth)});
  let right = inside(floor(s.x) + 1.0, ${f32(inWidth)});
  let upper = inside(floor(s.y), ${f32(inHeight)}) * ${inWidth}u;
  let lower = inside(floor(s.y) + 1.0, ${f32(inHeight)}) * ${inWidth}u;
  let image = n * ${channels * plane}u;
  let to = n * ${channels * result}u + row * ${outWidth}u + column;
  ${range(channels).map(value).join('\n  ')}
}`;
}

export function transformBackward(p: TransformParameters): string {
  const { channels, inHeight, inWidth, outHeight, outWidth } = p;
  const [plane, result] = [inHeight * inWidth, outHeight * outWidth];
  const each = (statement: (c: number) => string): string => range(channels).map(statement).join(' ');
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
${PLACE}

fn share(s: f32, pixel: f32) -> f32 {
  let before = floor(s);
  let part = s - before;
  return select(0.0, 1.0 - part, before == pixel) + select(0.0, part, before + 1.0 == pixel);
}

${main(p.batch, inHeight, inWidth)}
  let pixel = vec2f(f32(column), f32(row));
  let a = matrix[m]; let b = matrix[m + 1u]; let d = matrix[m + 3u]; let e = matrix[m + 4u];
  let area = a * e - b * d;
  let away = pixel - vec2f(matrix[m + 2u], matrix[m + 5u]);
  let center = vec2f(e * away.x - b * away.y, a * away.y - d * away.x) / area;
  let reach = vec2f(abs(e) + abs(b), abs(a) + abs(d)) / abs(area) + ${f32(SLACK)};
  let size = vec2f(${f32(outWidth)}, ${f32(outHeight)});
  // A map that folds the plane has no inverse: then every result is looked at.
  let known = abs(area) > 1e-12;
  let first = vec2u(select(vec2f(0), clamp(ceil(center - reach), vec2f(0), size), known));
  let end = vec2u(select(size, clamp(floor(center + reach) + 1.0, vec2f(0), size), known));
  let image = n * ${channels * result}u;
  ${each((c) => `var sum${c} = 0.0;`)}
  for (var oy = first.y; oy < end.y; oy++) {
    for (var ox = first.x; ox < end.x; ox++) {
      let s = place(m, vec2f(f32(ox), f32(oy)));
      let weight = share(s.y, pixel.y) * share(s.x, pixel.x);
      if (weight > 0.0) {
        let at = image + oy * ${outWidth}u + ox;
        ${each((c) => `sum${c} += weight * dy[at + ${c * result}u];`)}
      }
    }
  }
  let to = n * ${channels * plane}u + row * ${inWidth}u + column;
  ${each((c) => `dx[to + ${c * plane}u] = sum${c};`)}
}`;
}
