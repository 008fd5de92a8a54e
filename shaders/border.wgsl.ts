/**
 * Lays a tensor out for the convolution: border of zeros (or a crop, where the border is negative), strides as
 * phases, zeros inserted between samples, and the gate of an activation applied on the way.
 *   y[n, c, ry, rx, i, j] = gate(x[n, c, u, v])  with insert u = i stride_y + ry - top, insert v = j stride_x + rx - left
 *   and 0 where (u, v) falls outside the image or between samples.
 *   x, gateBy [N, C, H, W] f32    y [N, C, stride_y, stride_x, height, width] f32
 * One invocation writes some elements of a row, a part of it apart, so that neighbours write side by side; x axis: rows
 * by parts, y axis: plane of an image, z axis: image.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { gate, type Activation, type Rule } from './activation.wgsl.ts';
import { range, WORKGROUP } from './prelude.wgsl.ts';

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

/** Elements of one invocation. */
const EACH = 4;

export const borderGrid = ({ channels, height, width }: BorderSizes, { stride }: Pick<BorderVariant, 'stride'>, images: number): [number, number, number] => [
  Math.ceil((height * Math.ceil(width / EACH)) / WORKGROUP),
  channels * stride[0] * stride[1],
  images,
];

export function border(p: BorderVariant): string {
  const phases = p.stride[0] * p.stride[1];
  const gated = p.activation.kind !== 'none';
  // Division is slow where a processor plays the GPU, also by one.
  const per = (value: string, by: number): string => (by === 1 ? value : `${value} / ${by}u`);
  const times = (value: string, by: number): string => (by === 1 ? value : `${value} * ${by}u`);
  /** Whether a position along one axis (u32, wrapping below zero) holds a sample. */
  const isSample = (at: string, size: string, insert: number): string => {
    const inside = `(${at} < ${insert === 1 ? size : `(${size} - 1u) * ${insert}u + 1u`})`;
    return insert === 1 ? inside : `${inside} & (${at} % ${insert}u == 0u)`;
  };
  const load = (k: number): string => `
  let column${k} = ${k === 0 ? 'part' : `part + ${k}u * parts`};
  let u${k} = ${times(`column${k}`, p.stride[1])} + left;
  let at${k} = line + ${per(`u${k}`, p.insert[1])};
  let x${k} = x[at${k}];
  ${gated ? `let by${k} = gateBy[at${k}];` : ''}`;
  const value = (k: number): string =>
    `select(0.0, ${gate(p.activation, p.rule, `x${k}`, `by${k}`)}, inRow & ${isSample(`u${k}`, 'inWidth', p.insert[1])})`;
  const save = (k: number): string => `${k === 0 ? '' : `if (column${k} < width) {`} y[to + column${k}] = ${value(k)};`;
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
  let parts = (width + ${EACH - 1}u) / ${EACH}u;
  let row = id.x / parts;
  let part = id.x - row * parts;
  if (row >= height) { return; }
#if ${phases === 1}
  let c = id.y;
  let v = row - sizes[3];
  let left = 0u - sizes[4];
#else
  let c = id.y / ${phases}u;
  let phase = id.y - c * ${phases}u;
  let v = row * ${p.stride[0]}u + ${per('phase', p.stride[1])} - sizes[3];
  let left = phase % ${p.stride[1]}u - sizes[4];
#endif
  let inRow = ${isSample('v', 'inHeight', p.insert[0])};
  let line = ((id.z * channels + c) * inHeight + ${per('v', p.insert[0])}) * inWidth;
  ${range(EACH).map(load).join('\n')}
  let to = ((id.z * channels * ${phases}u + id.y) * height + row) * width;
  ${range(EACH).map(save).join('\n  ')}
  ${'}'.repeat(EACH - 1)}
}`;
}
