/**
 * Elementwise sum with numpy broadcasting and a fused activation, and the gradient of the sum.
 *   y = activation(a + b)      da = dy summed over the axes along which a was repeated (db likewise)
 *   y, dy [d0, d1, d2, d3] f32, shapes padded on the left with ones to rank 4; a and b have the same sizes or 1.
 * Forward: one invocation per output, or per four where nothing is repeated. Backward gathers: one invocation per
 * element of the operand; dy is gated by the activation before.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { activate, type Activation } from './activation.wgsl.ts';
import { linearGrid, linearMain, store } from './prelude.wgsl.ts';

export type Shape4 = readonly [number, number, number, number];

const count = (shape: Shape4): number => shape[0] * shape[1] * shape[2] * shape[3];

/** Index into an operand of shape `from` for output index `i` of shape `to`. */
function operandIndex(from: Shape4, to: Shape4): string {
  if (from.every((size, axis) => size === to[axis])) return 'i';
  const terms: string[] = [];
  let inner = 1;
  let innerFrom = 1;
  for (let axis = 3; axis >= 0; axis--) {
    if (from[axis] !== 1) terms.push(`((i / ${inner}u) % ${to[axis]}u) * ${innerFrom}u`);
    inner *= to[axis]!;
    innerFrom *= from[axis]!;
  }
  return terms.join(' + ') || '0u';
}

export interface AddParameters {
  readonly a: Shape4;
  readonly b: Shape4;
  readonly y: Shape4;
  readonly activation: Activation;
}

/** Elements of one invocation: four where all three tensors hold the same whole quads. */
const lanes = ({ a, b, y }: AddParameters): 1 | 4 =>
  [a, b].every((shape) => operandIndex(shape, y) === 'i') && count(y) % 4 === 0 ? 4 : 1;

export const addGrid = (p: AddParameters): [number, number, number] => linearGrid(count(p.y) / lanes(p));

export function add(p: AddParameters): string {
  const type = lanes(p) === 4 ? 'vec4f' : 'f32';
  return wgsl`
@group(0) @binding(0) var<storage, read> a: array<${type}>;
@group(0) @binding(1) var<storage, read> b: array<${type}>;
@group(0) @binding(2) var<storage, read_write> y: array<${type}>;

${linearMain(count(p.y) / lanes(p))}
  let sum = a[${operandIndex(p.a, p.y)}] + b[${operandIndex(p.b, p.y)}];
  y[i] = ${activate(p.activation, 'sum', type)};
}`;
}

export function addBackward(p: { readonly x: Shape4; readonly y: Shape4; readonly accumulate: boolean }): string {
  const strides = [p.y[1] * p.y[2] * p.y[3], p.y[2] * p.y[3], p.y[3], 1];
  let inner = 1;
  const base: string[] = [];
  for (let axis = 3; axis >= 0; axis--) {
    if (p.x[axis] !== 1) base.push(`((i / ${inner}u) % ${p.x[axis]}u) * ${strides[axis]}u`);
    inner *= p.x[axis]!;
  }
  const repeats = [0, 1, 2, 3].map((axis) => (p.x[axis] === 1 ? p.y[axis]! : 1));
  return wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

${linearMain(count(p.x))}
  let base = ${base.join(' + ') || '0u'};
  var sum = 0.0;
  ${repeats.map((n, axis) => `for (var r${axis} = 0u; r${axis} < ${n}u; r${axis}++) {`).join(' ')}
    sum += dy[base + ${strides.map((stride, axis) => `r${axis} * ${stride}u`).join(' + ')}];
  ${repeats.map(() => '}').join(' ')}
  ${store('dx[i]', 'sum', p.accumulate)}
}`;
}
