/**
 * Functions of two tensors, elementwise with numpy broadcasting, and their derivatives.
 *   y = f(a, b)      da = dy df/da summed over the axes along which a was repeated (db likewise)
 *   a, b, y, dy, da, db f32 of any rank; a and b have the sizes of y or 1.
 * One invocation per element, or per four where they lie side by side. Where the operand was repeated its gradient is a
 * reduction over dy.
 * maximum and minimum give the gradient of a tie to a. prelu: a is the input, b the slope (He et al. 2015).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { offset, quads, repeatedAxes, sizeOf, type Axis } from './axes.wgsl.ts';
import { linearGrid, linearMain, store } from './prelude.wgsl.ts';
import { reductionGrid, reductionMain, splitOf, type Reduction } from './reduction.wgsl.ts';

export type BinaryFunction = 'multiply' | 'subtract' | 'divide' | 'maximum' | 'minimum' | 'prelu';

/** Expressions of p and q, elements of a and b, and of g, that of dy; T is their type: a number, or four. */
const FUNCTIONS: Readonly<Record<BinaryFunction, { readonly y: string; readonly da: string; readonly db?: string }>> = {
  multiply: { y: 'p * q', da: 'g * q', db: 'g * p' },
  subtract: { y: 'p - q', da: 'g', db: '-g' },
  divide: { y: 'p / q', da: 'g / q', db: '-(g / q) * (p / q)' },
  maximum: { y: 'max(p, q)', da: 'select(T(0), g, p >= q)', db: 'select(T(0), g, p < q)' },
  minimum: { y: 'min(p, q)', da: 'select(T(0), g, p <= q)', db: 'select(T(0), g, p > q)' },
  // The slope is a weight: nobody asks for its gradient.
  prelu: { y: 'select(q * p, p, p > T(0))', da: 'select(q * g, g, p > T(0))' },
};

export interface BinaryParameters {
  readonly name: BinaryFunction;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly y: readonly number[];
}

export const binaryGrid = ({ a, b, y }: BinaryParameters): [number, number, number] => linearGrid(sizeOf(quads(repeatedAxes(y, [a, b]), 2).axes));

export function binary({ name, a, b, y }: BinaryParameters): string {
  const { lanes, axes, types } = quads(repeatedAxes(y, [a, b]), 2);
  const type = lanes === 4 ? 'vec4f' : 'f32';
  return wgsl`
alias T = ${type};
@group(0) @binding(0) var<storage, read> a: array<${types[0]}>;
@group(0) @binding(1) var<storage, read> b: array<${types[1]}>;
@group(0) @binding(2) var<storage, read_write> y: array<${type}>;

${linearMain(sizeOf(axes))}
  let p = T(a[${offset('i', axes, 0)}]);
  let q = T(b[${offset('i', axes, 1)}]);
  y[i] = ${FUNCTIONS[name].y};
}`;
}

/** `of`: the operand that the gradient is of. */
export interface BinaryGradient extends BinaryParameters {
  readonly of: 'a' | 'b';
  readonly software: boolean;
}

/** The operands that a gradient reads beside dy. */
export const operandsOf = ({ name, of }: Pick<BinaryGradient, 'name' | 'of'>): ('a' | 'b')[] => {
  const text = FUNCTIONS[name][`d${of}`]!;
  return [...(/\bp\b/.test(text) ? (['a'] as const) : []), ...(/\bq\b/.test(text) ? (['b'] as const) : [])];
};

/** The walk over dy, a, b for a gradient: by elements of the operand where it was repeated. */
function gradientWalk({ a, b, y, of, software }: BinaryGradient): { axes: Axis[]; reduction?: Reduction } {
  const axes = repeatedAxes(y, [y, a, b]);
  const isSummed = ({ size, strides }: Axis): boolean => size > 1 && strides[of === 'a' ? 1 : 2] === 0;
  const summed = axes.filter(isSummed);
  if (summed.length === 0) return { axes };
  const sums = { kept: axes.filter((axis) => !isSummed(axis)), summed };
  return { axes, reduction: { ...sums, split: splitOf(sums, software) } };
}

export function binaryGradientGrid(p: BinaryGradient): [number, number, number] {
  const { axes, reduction } = gradientWalk(p);
  return reduction ? reductionGrid(reduction) : linearGrid(sizeOf(quads(axes, 3).axes));
}

/** dx = da or db, with bindings for the operands that it reads. */
export function binaryBackward(p: BinaryGradient & { readonly accumulate: boolean }): string {
  const { axes, reduction } = gradientWalk(p);
  const walk = quads(axes, 3);
  const expression = FUNCTIONS[p.name][`d${p.of}`]!;
  const operands = operandsOf(p);
  const type = reduction || walk.lanes === 1 ? 'f32' : 'vec4f';
  const typeOf = (name: 'a' | 'b'): string => (reduction ? 'f32' : walk.types[name === 'a' ? 1 : 2]!);
  const at = (tensor: number): string => (reduction ? `at${tensor}` : offset('i', walk.axes, tensor));
  const element = (name: 'a' | 'b'): string => (operands.includes(name) ? `T(${name}[${at(name === 'a' ? 1 : 2)}])` : 'T(0)');
  const gradient = `gradient(dy[${at(0)}], ${element('a')}, ${element('b')})`;
  return wgsl`
alias T = ${type};
@group(0) @binding(0) var<storage, read> dy: array<${type}>;
${operands.map((name, index) => `@group(0) @binding(${index + 1}) var<storage, read> ${name}: array<${typeOf(name)}>;`).join('\n')}
@group(0) @binding(${operands.length + 1}) var<storage, read_write> dx: array<${type}>;

fn gradient(g: T, p: T, q: T) -> T { return ${expression}; }

${reduction ? reductionMain(reduction, [0, 1, 2], gradient, store('dx[i]', 'sum', p.accumulate)) : `${linearMain(sizeOf(walk.axes))}
  ${store('dx[i]', gradient, p.accumulate)}
}`}`;
}
