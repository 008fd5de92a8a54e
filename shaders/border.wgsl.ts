/**
 * Lays a tensor out for the convolution: border of zeros (or a crop, where the border is negative), strides as
 * phases, zeros inserted between samples, and the gate of an activation applied on the way.
 *   y[n, c, ry, rx, i, j] = gate(x[n, c, u, v])  with insert u = i stride_y + ry - top, insert v = j stride_x + rx - left
 *   and 0 where (u, v) falls outside the image or between samples.
 *   x, gateBy [N, C, H, W] f32    y [N, C, stride_y, stride_x, height, width] f32
 * One invocation writes one element; x axis: position in a plane, y axis: plane of an image, z axis: image.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { gate, type Activation, type Rule } from './activation.wgsl.ts';
import { WORKGROUP } from './prelude.wgsl.ts';

/** What is compiled into the kernel. */
export interface BorderVariant {
  readonly stride: readonly [number, number];
  /** Samples of x lie `insert` apart; 1 = dense. */
  readonly insert: readonly [number, number];
  readonly activation: Activation;
  readonly rule: Rule;
}

/** What the kernel reads at run time. */
export interface BorderSizes {
  readonly channels: number;
  readonly inHeight: number;
  readonly inWidth: number;
  /** Zeros before the first row and column; negative crops. */
  readonly top: number;
  readonly left: number;
  /** Size of one phase plane of y. */
  readonly height: number;
  readonly width: number;
}

/** The sizes as the kernel's `sizes` tensor. */
export const borderSizes = (s: BorderSizes): Uint32Array =>
  Uint32Array.of(s.channels, s.inHeight, s.inWidth, s.top, s.left, s.height, s.width);

export const BORDER_SIZES = 7;

export function border(p: BorderVariant): string {
  const phases = p.stride[0] * p.stride[1];
  const gated = p.activation.kind !== 'none';
  // Division is slow where a processor plays the GPU, also by one.
  const per = (value: string, by: number): string => (by === 1 ? value : `${value} / ${by}`);
  const dense = p.insert[0] === 1 && p.insert[1] === 1;
  return wgsl`
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${BORDER_SIZES}>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
#if ${gated}
@group(0) @binding(2) var<storage, read> gateBy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let channels = sizes[0];
  let inHeight = sizes[1];
  let inWidth = sizes[2];
  let height = sizes[5];
  let width = sizes[6];
  if (id.x >= height * width) { return; }
  let row = id.x / width;
  let column = id.x - row * width;
#if ${phases === 1}
  let c = id.y;
  let sy = i32(row) - i32(sizes[3]);
  let sx = i32(column) - i32(sizes[4]);
#else
  let c = id.y / ${phases}u;
  let phase = id.y - c * ${phases}u;
  let sy = i32(row * ${p.stride[0]}u + phase / ${p.stride[1]}u) - i32(sizes[3]);
  let sx = i32(column * ${p.stride[1]}u + phase % ${p.stride[1]}u) - i32(sizes[4]);
#endif
  var inside = sy >= 0 && sx >= 0 && u32(sy) < (inHeight - 1u) * ${p.insert[0]}u + 1u && u32(sx) < (inWidth - 1u) * ${p.insert[1]}u + 1u;
#if ${!dense}
  inside = inside && sy % ${p.insert[0]} == 0 && sx % ${p.insert[1]} == 0;
#endif
  var value = 0.0;
  if (inside) {
    let source = ((id.z * channels + c) * inHeight + u32(${per('sy', p.insert[0])})) * inWidth + u32(${per('sx', p.insert[1])});
    value = x[source];
#if ${gated}
    let y0 = gateBy[source];
    value = ${gate(p.activation, p.rule, 'value', 'y0')};
#endif
  }
  y[(id.z * channels * ${phases}u + id.y) * height * width + id.x] = value;
}`;
}
