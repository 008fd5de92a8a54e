/**
 * Batch normalization at inference, folded to one multiply-add per element, and its gradient.
 *   y = a[c] x + b[c]      a = scale / sqrt(variance + epsilon), b = shift - a mean
 *   dx = a[c] dy
 *   x, y, dy, dx [N, C, ...] f32    a, b [C] f32. One invocation, some elements of one channel.
 * Source: Ioffe and Szegedy 2015, algorithm 2.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { elementsOf, linearGrid, linearMain, plus, range, spreadOver, store } from './prelude.wgsl.ts';

export interface BatchNormParameters {
  readonly batch: number;
  readonly channels: number;
  /** Elements of one channel of one image. */
  readonly plane: number;
}

export const batchNormGrid = (p: BatchNormParameters): [number, number, number] => linearGrid(p.batch * p.channels * elementsOf(p.plane).stride);

/**
 * Entry point: the channel c, and for each element of the invocation, in a plane of its channel, the loads of the `sources`
 * and a store. `scalars` binds what is the same for all of them.
 */
export function batchNormMain(p: BatchNormParameters, sources: readonly string[], save: (at: string, ...values: string[]) => string, scalars = ''): string {
  const elements = elementsOf(p.plane);
  const { stride, count, each } = elements;
  const value = (step: number, source: number): string => `${source > 0 ? 'u' : 'v'}${step}`;
  return `
${linearMain(p.batch * p.channels * stride)}
  let plane = i / ${stride}u;
  let part = i - plane * ${stride}u;
  let c = plane % ${p.channels}u;
  let at = plane * ${count}u + part;${scalars && `\n  ${scalars}`}
  ${range(each).flatMap((step) => sources.map((source, k) => `let ${value(step, k)} = ${source}[${plus('at', step * stride)}];`)).join('\n  ')}
  ${spreadOver('part', elements, (step) => save(plus('at', step * stride), ...sources.map((_, k) => value(step, k))))}
}`;
}

export function batchNorm(p: BatchNormParameters): string {
  const { type } = elementsOf(p.plane);
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<${type}>;
${batchNormMain(p, ['x'], (at, x) => `y[${at}] = a[c] * ${x} + b[c];`)}`;
}

export function batchNormBackward(p: BatchNormParameters & { readonly accumulate: boolean }): string {
  const { type } = elementsOf(p.plane);
  return wgsl`
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<${type}>;
@group(0) @binding(2) var<storage, read_write> dx: array<${type}>;
${batchNormMain(p, ['dy'], (at, dy) => store(`dx[${at}]`, `a[c] * ${dy}`, p.accumulate))}`;
}
