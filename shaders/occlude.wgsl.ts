/**
 * Copies of one picture, each with a square patch of another one laid over it.
 *   y[n, c, i, j] = fill[c, i, j] where 0 <= i - top[n] < PATCH and 0 <= j - left[n] < PATCH, else x[c, i, j]
 *   x, fill [1, C, H, W] f32    places [N, 2] u32: top row and left column    y [N, C, H, W] f32
 * A patch that reaches past an edge covers what is there of it; one that begins past an edge covers nothing.
 * One invocation, one element of the picture in all copies: it is loaded once. Source: Zeiler and Fergus 2014, section 4.2.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain } from './prelude.wgsl.ts';

export interface OccludeParameters {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Side of the patch in pixels. */
  readonly patch: number;
}

export function occlude(p: OccludeParameters): string {
  const picture = p.channels * p.height * p.width;
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> fill: array<f32>;
@group(0) @binding(2) var<storage, read> places: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

${linearMain(picture)}
  let place = vec2u((i / ${p.width}u) % ${p.height}u, i % ${p.width}u);
  let open = x[i];
  let covered = fill[i];
  for (var n = 0u; n < ${p.batch}u; n++) {
    // Above or left of the patch the difference wraps to a large number.
    let inside = all(place - places[n] < vec2u(${p.patch}u));
    y[n * ${picture}u + i] = select(open, covered, inside);
  }
}`;
}
