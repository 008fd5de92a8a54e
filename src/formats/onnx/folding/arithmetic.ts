/** Arithmetic on constants. Real numbers are rounded to float32 after every op; whole numbers are exact to 2^53. */
import { broadcastShapes } from '../axes.ts';
import type { OnnxTensor } from '../tensor.ts';
import type { Evaluator, NodeTranslation } from '../translation.ts';
import { broadcastStrides, numbersLike, walk, type Numbers } from './strided.ts';

/** A tensor repeated over a larger shape. */
export function spread(t: NodeTranslation, tensor: OnnxTensor, shape: readonly number[]): Numbers {
  if (tensor.shape.length === shape.length && tensor.shape.every((size, axis) => size === shape[axis])) return tensor.data;
  const data = numbersLike(tensor.data, t.claim(shape));
  walk(tensor.data, data, shape, broadcastStrides(tensor.shape, shape));
  return data;
}

function operandsOf(t: NodeTranslation): OnnxTensor[] {
  if (t.node.inputs.length === 0) throw t.invalid('has no operands');
  return t.node.inputs.map((_, index) => t.constant(index, `operand ${index + 1}`));
}

export function unary(compute: (value: number) => number): Evaluator {
  return (t) => {
    const x = t.constant(0, 'operand 1');
    t.claim(x.shape);
    return { ...x, name: t.output, data: x.data.map(compute) };
  };
}

/** Any number of operands from the left to the right, broadcast as numpy does. */
export function chained(compute: (a: number, b: number, isWhole: boolean) => number, finish?: (value: number, count: number) => number): Evaluator {
  return (t) => {
    const operands = operandsOf(t);
    const shape = broadcastShapes(t, operands.map((operand) => operand.shape));
    const first = operands[0]!;
    const isWhole = !(first.data instanceof Float32Array);
    if (operands.some(({ data }) => data instanceof Float32Array === isWhole)) throw t.invalid('has operands of different number types');
    const data = numbersLike(first.data, t.claim(shape));
    data.set(spread(t, first, shape));
    for (const operand of operands.slice(1)) {
      const other = spread(t, operand, shape);
      for (let i = 0; i < data.length; i++) data[i] = compute(data[i]!, other[i]!, isWhole);
    }
    if (finish) for (let i = 0; i < data.length; i++) data[i] = finish(data[i]!, operands.length);
    return { name: t.output, shape, type: first.type, data };
  };
}

export function binary(compute: (a: number, b: number, isWhole: boolean) => number): Evaluator {
  const evaluate = chained(compute);
  return (t) => {
    if (t.node.inputs.length !== 2) throw t.invalid(`has ${t.node.inputs.length} operands instead of 2`);
    if (t.opset < 7 && (t.attributes.has('axis') || t.attributes.integer('broadcast', 0) !== 0)) {
      throw t.refuse('the broadcasting of constants of versions before 7 is not supported');
    }
    return evaluate(t);
  };
}

/** The exponent may have another number type than the base, which the result has. */
export const power: Evaluator = (t) => {
  if (t.node.inputs.length !== 2) throw t.invalid(`has ${t.node.inputs.length} operands instead of 2`);
  if (t.opset < 7 && (t.attributes.has('axis') || t.attributes.integer('broadcast', 0) !== 0)) throw t.refuse('the broadcasting of constants of versions before 7 is not supported');
  const [base, exponent] = [t.constant(0, 'the base'), t.constant(1, 'the exponent')];
  const shape = broadcastShapes(t, [base.shape, exponent.shape]);
  const [left, right] = [spread(t, base, shape), spread(t, exponent, shape)];
  const data = numbersLike(base.data, t.claim(shape));
  const isWhole = !(base.data instanceof Float32Array);
  for (let i = 0; i < data.length; i++) data[i] = isWhole ? Math.trunc(left[i]! ** right[i]!) : left[i]! ** right[i]!;
  return { name: t.output, shape, type: base.type, data };
};

/** Comparisons make booleans. */
export function comparison(compute: (a: number, b: number) => boolean): Evaluator {
  return (t) => {
    const [a, b] = [t.constant(0, 'operand 1'), t.constant(1, 'operand 2')];
    const shape = broadcastShapes(t, [a.shape, b.shape]);
    const [left, right] = [spread(t, a, shape), spread(t, b, shape)];
    const data = Float64Array.from({ length: t.claim(shape) }, (_, i) => (compute(left[i]!, right[i]!) ? 1 : 0));
    return { name: t.output, shape, type: 'BOOL', data };
  };
}

/** Division of whole numbers cuts towards zero, as C does. */
export function divide(a: number, b: number, isWhole: boolean): number {
  return isWhole ? Math.trunc(a / b) : a / b;
}

export const where: Evaluator = (t) => {
  const [condition, a, b] = [t.constant(0, 'the condition'), t.constant(1, 'operand 2'), t.constant(2, 'operand 3')];
  if (a.data instanceof Float32Array !== b.data instanceof Float32Array) throw t.invalid('has operands of different number types');
  const shape = broadcastShapes(t, [condition.shape, a.shape, b.shape]);
  const data = numbersLike(a.data, t.claim(shape));
  const [chosen, left, right] = [condition, a, b].map((tensor) => spread(t, tensor, shape)) as [Numbers, Numbers, Numbers];
  for (let i = 0; i < data.length; i++) data[i] = chosen[i] !== 0 ? left[i]! : right[i]!;
  return { name: t.output, shape, type: a.type, data };
};
