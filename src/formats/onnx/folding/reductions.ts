/** Reductions of constants, in float64. */
import { elementCount } from '../../../network/validate.ts';
import { reduction } from '../rearrangement.ts';
import type { Evaluator } from '../translation.ts';
import { numbersLike, stridesOf, walk, type Numbers } from './strided.ts';

/** `since` is the version from which on the axes are an operand. */
export function reduced(since: number, compute: (values: Numbers) => number): Evaluator {
  return (t) => {
    const x = t.constant(0, 'operand 1');
    const found = reduction(t, x.shape, since);
    if (!found) return { ...x, name: t.output };
    const { axes, shape } = found;
    // The axes that go are walked last, so that every result is one run of numbers.
    const order = [...x.shape.keys()].sort((a, b) => Number(axes.includes(a)) - Number(axes.includes(b)));
    const strides = stridesOf(x.shape);
    const sorted = numbersLike(x.data, t.claim(x.shape));
    walk(x.data, sorted, order.map((axis) => x.shape[axis]!), order.map((axis) => strides[axis]!));
    const run = elementCount(axes.map((axis) => x.shape[axis]!));
    const data = numbersLike(x.data, elementCount(shape));
    for (let i = 0; i < data.length; i++) data[i] = compute(sorted.subarray(i * run, (i + 1) * run));
    return { name: t.output, shape, type: x.type, data };
  };
}

const foldedFrom = (start: number, compute: (total: number, value: number) => number) => (values: Numbers): number => {
  let total = start;
  for (let i = 0; i < values.length; i++) total = compute(total, values[i]!);
  return total;
};

export const sum = foldedFrom(0, (total, value) => total + value);
export const product = foldedFrom(1, (total, value) => total * value);
export const mean = (values: Numbers): number => sum(values) / values.length;
export const largest = foldedFrom(-Infinity, Math.max);
export const smallest = foldedFrom(Infinity, Math.min);
