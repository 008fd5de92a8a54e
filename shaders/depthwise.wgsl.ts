/**
 * Depthwise convolution and its gradient: one filter a channel, so there is nothing to share but neighbours.
 *   forward   y[n, c, oy, ox] = act(bias[c] + sum over ky, kx of w[c, ky, kx] x[n, c, oy s - top + ky d, ...])
 *   backward dx[n, c, iy, ix] = sum over the windows (oy, ox) with iy = oy s - top + ky d, ... of w[c, ky, kx] gate(dy)[n, c, oy, ox]
 *   x, dx [N, C, H, W] f32    y, dy, gateBy [N, C, OH, OW] f32    w [C, KH, KW] f32    bias [C] f32
 * One invocation makes a tile of neighbouring results from the samples that reach it, each loaded once; which sample
 * meets which tap is known when the kernel is written. No border is copied: samples outside the plane count as 0.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, gate, type Activation, type Rule } from './activation.wgsl.ts';
import { linearGrid, store, WORKGROUP } from './prelude.wgsl.ts';

/** One axis of the layer: results `r` of a tile and the samples that they read. */
export interface DepthwiseAxis {
  /** Results of a tile, and samples (relative to the tile) that any of them reads. */
  readonly results: number;
  readonly samples: readonly number[];
  /** Tap by which result r reads sample s, or -1. */
  readonly tap: (result: number, sample: number) => number;
  /** First result of tile t is t results + resultOffset; sample s is at t sampleStep + s + sampleOffset. */
  readonly resultOffset: number;
  readonly sampleStep: number;
  readonly sampleOffset: number;
  readonly taps: number;
}

const range = (count: number, first = 0): number[] => Array.from({ length: count }, (_, i) => first + i);

/** Forward: results are outputs, samples are pixels. */
export function forwardAxis(p: { kernel: number; stride: number; dilation: number; before: number }, results: number): DepthwiseAxis {
  const { kernel, stride, dilation } = p;
  const tap = (r: number, s: number): number => {
    const distance = s - r * stride;
    return distance % dilation === 0 && distance >= 0 && distance / dilation < kernel ? distance / dilation : -1;
  };
  const samples = range((results - 1) * stride + (kernel - 1) * dilation + 1).filter((s) => range(results).some((r) => tap(r, s) >= 0));
  return { results, samples, tap, resultOffset: 0, sampleStep: results * stride, sampleOffset: -p.before, taps: kernel };
}

/** Transposed (a gradient): results are pixels, in blocks of whole strides; samples are windows. */
export function backwardAxis(p: { kernel: number; stride: number; dilation: number; before: number }, windows: number): DepthwiseAxis {
  const { kernel, stride, dilation } = p;
  const reach = Math.floor(((kernel - 1) * dilation) / stride);
  const tap = (r: number, s: number): number => {
    const distance = r - s * stride;
    return distance % dilation === 0 && distance >= 0 && distance / dilation < kernel ? distance / dilation : -1;
  };
  const results = stride * windows;
  // A negative border crops windows: tiles begin early enough for the results above the first one.
  const ahead = Math.max(0, Math.ceil(-p.before / results));
  const samples = range(reach + windows, -reach).filter((s) => range(results).some((r) => tap(r, s) >= 0));
  return { results, samples, tap, resultOffset: -p.before - ahead * results, sampleStep: windows, sampleOffset: 0 - ahead * windows, taps: kernel };
}

export interface DepthwiseVariant {
  readonly vertical: DepthwiseAxis;
  readonly horizontal: DepthwiseAxis;
  readonly bias: boolean;
  readonly activation: Activation;
  /** How samples pass an activation, where they do. */
  readonly gate?: { readonly activation: Activation; readonly rule: Rule };
  readonly accumulate: boolean;
}

const SIZES = ['count', 'channels', 'tilesY', 'tilesX', 'inHeight', 'inWidth', 'outHeight', 'outWidth'] as const;
export type DepthwiseSizes = Readonly<Record<(typeof SIZES)[number], number>>;
export const DEPTHWISE_WORDS = SIZES.length;
export const depthwiseSizes = (s: DepthwiseSizes): Uint32Array => Uint32Array.from(SIZES, (name) => s[name]);
export const depthwiseGrid = (s: DepthwiseSizes): [number, number, number] => linearGrid(s.count);

export function depthwise(p: DepthwiseVariant): string {
  const { vertical: v, horizontal: h } = p;
  const rows = v.samples.map((at, k) => ({ at, k }));
  const columns = h.samples.map((at, l) => ({ at, l }));
  const offset = (value: number): string => `${value < 0 ? '-' : '+'} ${Math.abs(value)}u`;
  const sample = (k: number, l: number): string => {
    const at = `row${k} + column${l}`;
    const value = p.gate
      ? `let g${k}_${l} = x[${at}]; let b${k}_${l} = gateBy[${at}]; let passed${k}_${l} = ${gate(p.gate.activation, p.gate.rule, `g${k}_${l}`, `b${k}_${l}`)};`
      : `let passed${k}_${l} = x[${at}];`;
    return `${value} let x${k}_${l} = select(0.0, passed${k}_${l}, inRow${k} && inColumn${l});`;
  };
  const result = (j: number, i: number): string => {
    const terms = rows.flatMap(({ at: y, k }) =>
      columns.flatMap(({ at: x, l }) => {
        const [ky, kx] = [v.tap(j, y), h.tap(i, x)];
        return ky >= 0 && kx >= 0 ? [`w${ky}_${kx}, x${k}_${l}`] : [];
      }),
    );
    return terms.reduce((value, term) => `fma(${term}, ${value})`, p.bias ? 'offset' : '0.0');
  };
  const bindings = ['var<storage, read> x: array<f32>', ...(p.gate ? ['var<storage, read> gateBy: array<f32>'] : []), 'var<storage, read> w: array<f32>', ...(p.bias ? ['var<storage, read> bias: array<f32>'] : []), 'var<storage, read_write> y: array<f32>'];
  return wgsl`
@group(0) @binding(0) var<storage, read> sizes: array<u32, ${DEPTHWISE_WORDS}>;
${bindings.map((text, i) => `@group(0) @binding(${i + 1}) ${text};`).join('\n')}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * ${WORKGROUP}u;
  if (index >= sizes[0]) { return; }
  let tilesY = sizes[2];
  let tilesX = sizes[3];
  let inHeight = sizes[4];
  let inWidth = sizes[5];
  let outHeight = sizes[6];
  let outWidth = sizes[7];
  let line = index / tilesX;
  let tx = index - line * tilesX;
  let plane = line / tilesY;
  let ty = line - plane * tilesY;
  let c = plane - (plane / sizes[1]) * sizes[1];
  // What lies above or left of the plane wraps to huge numbers, so that one comparison guards both ends.
  let firstY = ty * ${v.sampleStep}u ${offset(v.sampleOffset)};
  let firstX = tx * ${h.sampleStep}u ${offset(h.sampleOffset)};
  let base = plane * inHeight * inWidth;
  ${rows.map(({ at, k }) => `let y${k} = firstY ${offset(at)}; let inRow${k} = y${k} < inHeight; let row${k} = base + select(0u, y${k} * inWidth, inRow${k});`).join('\n')}
  ${columns.map(({ at, l }) => `let x${l} = firstX ${offset(at)}; let inColumn${l} = x${l} < inWidth; let column${l} = select(0u, x${l}, inColumn${l});`).join('\n')}
  let filter0 = c * ${v.taps * h.taps}u;
  ${range(v.taps).flatMap((ky) => range(h.taps).map((kx) => `let w${ky}_${kx} = w[filter0 + ${ky * h.taps + kx}u];`)).join('\n')}
  ${p.bias ? 'let offset = bias[c];' : ''}
  ${rows.flatMap(({ k }) => columns.map(({ l }) => sample(k, l))).join('\n')}
  let toY = ty * ${v.results}u ${offset(v.resultOffset)};
  let toX = tx * ${h.results}u ${offset(h.resultOffset)};
  let target0 = plane * outHeight * outWidth;
  ${range(h.results).map((i) => `let toX${i} = toX + ${i}u; let outColumn${i} = toX${i} < outWidth;`).join('\n')}
  ${range(v.results)
    .map(
      (j) => `let toY${j} = toY + ${j}u; if (toY${j} < outHeight) { let line${j} = target0 + toY${j} * outWidth;
    ${range(h.results).map((i) => `if (outColumn${i}) { ${store(`y[line${j} + toX${i}]`, activate(p.activation, `(${result(j, i)})`), p.accumulate)} }`).join('\n')} }`,
    )
    .join('\n')}
}`;
}
