/**
 * Product, difference, quotient, maximum and minimum of two tensors, or of a tensor and a constant `operand`, with numpy
 * broadcasting. `reversed` puts the second one first.
 */
import { binary as kernel, binaryBackward, binaryGradientGrid, binaryGrid, operandsOf, type BinaryFunction } from '../../shaders/binary.wgsl.ts';
import type { Node } from '../network/network.ts';
import type { Op, Recorder, TensorRef } from './op.ts';
import { broadcast, elements } from './shape.ts';

export interface BinaryAttributes {
  /** y = second - first (or second / first). */
  readonly reversed: boolean;
}

/** The operands by their place in the formula, and the input that each one is, if it is one. */
function operands(c: Recorder & { readonly node: Node; readonly x: readonly TensorRef[] }, { reversed }: BinaryAttributes): { a: TensorRef; b: TensorRef; inputs: ('a' | 'b')[] } {
  const { operand } = c.node.weights;
  const first = c.x[0]!;
  const second = c.x[1] ?? c.constant('operand', operand!.shape, () => operand!.data);
  return reversed ? { a: second, b: first, inputs: ['b', 'a'] } : { a: first, b: second, inputs: ['a', 'b'] };
}

const binaryOp = (name: BinaryFunction): Op<BinaryAttributes> => ({
  name,
  attributes: { reversed: false },
  weights: { operand: false },
  arity: [1, 2],
  shape([a, b], _attributes, { operand }, refuse) {
    const other = b ?? operand?.shape;
    if (!other) throw refuse(`${name} needs a second input or a constant operand`);
    if (b && operand) throw refuse(`${name} takes a second input or a constant operand, not both`);
    return broadcast(a!, other, refuse);
  },
  forward(c) {
    const { a, b } = operands(c, c.attributes);
    const p = { name, a: a.shape, b: b.shape, y: c.y.shape };
    c.dispatch({ kernel: 'binary', code: kernel(p), tensors: { a, b, y: c.y }, grid: binaryGrid(p), flops: elements(c.y.shape) });
  },
  backward(c) {
    const { a, b, inputs } = operands(c, c.attributes);
    c.dx.forEach((target, index) => {
      if (!target) return;
      const of = inputs[index]!;
      const p = { name, a: a.shape, b: b.shape, y: c.y.shape, of, software: c.capabilities.software };
      const read = operandsOf(p);
      const isCopy = name === 'subtract' && of === 'a' && !target.accumulate && elements(a.shape) === elements(c.y.shape);
      c.dispatch({
        kernel: 'binary',
        code: binaryBackward({ ...p, accumulate: target.accumulate }),
        tensors: { dy: c.dy, ...(read.includes('a') && { a }), ...(read.includes('b') && { b }), dx: target.tensor },
        grid: binaryGradientGrid(p),
        flops: 2 * elements(c.y.shape),
        ...(isCopy && { copy: { from: c.dy, to: target.tensor, at: 0, pieces: 1 } }),
      });
    });
  },
});

export const binaries: readonly Op<BinaryAttributes>[] = (['multiply', 'subtract', 'divide', 'maximum', 'minimum'] as const).map(binaryOp);
