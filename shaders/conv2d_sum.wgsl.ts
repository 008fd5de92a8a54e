/**
 * Adds up what several workgroups made of parts of the terms of a convolution (see conv2d_shared.wgsl.ts).
 *   y[n, m, oy, ox] = act(bias[m] + sum over parts s of sums[s, m, (n OH + oy) OW + ox])
 *   sums [parts, groups M, N OH OW] f32    bias [groups M] f32    y [N, groups M, OH, OW] f32, or with `shuffle` an image
 *   whose phases the rows are, as in conv2d.wgsl.ts.
 * One invocation makes one element of y, always in the same order of parts.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, type Activation } from './activation.wgsl.ts';
import { store, WORKGROUP } from './prelude.wgsl.ts';

const SIZE = ['count', 'rows', 'positions', 'area', 'outWidth', 'parts', 'originY', 'originX', 'imageHeight', 'imageWidth'] as const;

/** What the kernel reads at run time. */
export interface SumSizes {
  /** Invocations: rows times positions. */
  readonly count: number;
  /** groups M. */
  readonly rows: number;
  /** Positions of all images, and of one. */
  readonly positions: number;
  readonly area: number;
  readonly outWidth: number;
  readonly parts: number;
  /** With `shuffle`: y = qy stride + ry + origin, and the size of the image that is written. */
  readonly originY: number;
  readonly originX: number;
  readonly imageHeight: number;
  readonly imageWidth: number;
}

export const SUM_SIZES = SIZE.length;

export const sumSizes = (s: SumSizes): Uint32Array => Uint32Array.from(SIZE, (name) => s[name]);

export function conv2dSum(p: {
  readonly bias: boolean;
  readonly activation: Activation;
  readonly accumulate: boolean;
  readonly shuffle?: readonly [number, number];
}): string {
  const [py, px] = p.shuffle ?? [1, 1];
  return wgsl`
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${SUM_SIZES}>;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
#if ${p.bias}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#endif
${SIZE.map((name, i) => `const ${name.replace(/[A-Z]/g, '_$&').toUpperCase()} = ${i}u;`).join('\n')}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * ${WORKGROUP}u;
  let count = sizes[COUNT];
  if (index >= count) { return; }
  let m = index / sizes[POSITIONS];
  let p = index - m * sizes[POSITIONS];
  let n = p / sizes[AREA];
  let r = p - n * sizes[AREA];
  var sum = ${p.bias ? 'bias[m]' : '0.0'};
  for (var s = 0u; s < sizes[PARTS]; s++) { sum += sums[s * count + index]; }
#if ${p.shuffle !== undefined}
  let oy = r / sizes[OUT_WIDTH];
  let y0 = oy * ${py}u + (m / ${px}u) % ${py}u + sizes[ORIGIN_Y];
  let x0 = (r - oy * sizes[OUT_WIDTH]) * ${px}u + m % ${px}u + sizes[ORIGIN_X];
  if (y0 >= sizes[IMAGE_HEIGHT] || x0 >= sizes[IMAGE_WIDTH]) { return; }
  let t = ((n * (sizes[ROWS] / ${py * px}u) + m / ${py * px}u) * sizes[IMAGE_HEIGHT] + y0) * sizes[IMAGE_WIDTH] + x0;
#else
  let t = (n * sizes[ROWS] + m) * sizes[AREA] + r;
#endif
  ${store('y[t]', activate(p.activation, 'sum'), p.accumulate)}
}`;
}
