/** ONNX Gemm and MatMul: what they become, and what is refused by name. */
import { describe, expect, it } from 'vitest';
import { shapesOf } from '../../src/ops/check.ts';
import { floats, op, ramp, scalar, tensorProto } from './onnx-builder.ts';
import { errorOf, last, load } from './onnx-loading.ts';

const rows = { inputs: { x: [1, 3] } };

describe('ONNX dense layers', () => {
  it('folds alpha, beta and transB of Gemm into weights', () => {
    const constants = [tensorProto('b', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6)), tensorProto('c', [1, 2], Float32Array.of(1, 2))];
    const plain = last([op('Gemm', { alpha: { float: 2 }, beta: { float: 3 } }, ['x', 'b', 'c'])], { ...rows, constants });
    expect(plain.op).toBe('dense');
    expect([...plain.weights.weight!.data]).toEqual([2, 6, 10, 4, 8, 12]);
    expect(plain.weights.bias).toEqual({ shape: [2], data: Float32Array.of(3, 6) });
    const transposed = [tensorProto('b', [2, 3], Float32Array.of(1, 3, 5, 2, 4, 6)), scalar('c', 4)];
    const node = last([op('Gemm', { transB: 1 }, ['x', 'b', 'c'])], { ...rows, constants: transposed });
    expect([...node.weights.weight!.data]).toEqual([1, 3, 5, 2, 4, 6]);
    expect([...node.weights.bias!.data]).toEqual([4, 4]);
  });

  it('adds a C that differs from row to row behind the product', () => {
    const constants = [floats('b', 3, 2), tensorProto('c', [2, 2], ramp(4))];
    const network = load([op('Gemm', { beta: { float: 10 } }, ['x', 'b', 'c'])], { inputs: { x: [1, 3] }, constants: [floats('b', 3, 2), tensorProto('c', [1, 1], ramp(1))] });
    expect(network.nodes.map(({ op: kind }) => kind)).toEqual(['dense']);
    const wrong = errorOf([op('Gemm', {}, ['x', 'b', 'c'])], { ...rows, constants });
    expect(wrong.message).toMatch(/the bias C of shape \[2,2\] does not fit the product \[1,2\]/);
  });

  it('reads MatMul with a constant on the right, refuses it on the left', () => {
    const constants = [tensorProto('b', [3, 2], ramp(6)), floats('c', 2, 1), floats('s', 2, 3, 2)];
    expect(last([op('MatMul', {}, ['x', 'b'])], { ...rows, constants }).weights.weight!.shape).toEqual([2, 3]);
    expect(errorOf([op('MatMul', {}, ['c', 'x'])], { ...rows, constants }).message).toMatch(/right operand \('x'\) must be a constant/);
    expect(errorOf([op('MatMul', {}, ['x', 'x'])], rows).message).toMatch(/right operand \('x'\) must be a constant/);
    expect(errorOf([op('MatMul', {}, ['x', 'b'])], { constants }).message).toMatch(/\[1,4,6,6\] and \[3,2\] cannot be multiplied/);
    expect(errorOf([op('Gemm', {}, ['x', 'b'])], { constants }).message).toMatch(/\[1,4,6,6\] is no matrix/);
  });

  it('multiplies the rows of tensors with more axes', () => {
    const network = load([op('MatMul', {}, ['x', 'b'])], { inputs: { x: [2, 5, 7, 3] }, constants: [floats('b', 1, 3, 4)] });
    expect(network.nodes.map(({ op: kind, attributes }) => [kind, attributes])).toEqual([
      ['reshape', { shape: [-1, 3] }],
      ['dense', {}],
      ['reshape', { shape: [-1, 5, 7, 4] }],
    ]);
    expect(last([op('MatMul', {}, ['x', 'b'])], { inputs: { x: [2, 5, 3] }, constants: [floats('b', 3)] }).attributes).toEqual({ shape: [-1, 5] });
  });

  it('multiplies with a stack of matrices, one group of a convolution for each', () => {
    const constants = [floats('b', 2, 3, 4), floats('many', 2, 2, 3, 4)];
    for (const own of [1, 2]) {
      const network = load([op('MatMul', {}, ['x', 'b'])], { inputs: { x: [1, own, 5, 3] }, constants });
      expect(network.nodes.map(({ op: kind }) => kind)).toEqual(['reshape', 'transpose', 'reshape', 'conv2d', 'reshape', 'transpose', 'reshape']);
      expect(network.nodes[3]!.attributes.groups).toBe(own);
      expect([...network.nodes[3]!.weights.weight!.data.slice(0, 4)]).toEqual(Array.from(Float32Array.of(0, 0.4, 0.8, 0.1)));
      expect(shapesOf(network, 3).get('y')).toEqual([3, 2, 5, 4]);
    }
    expect(errorOf([op('MatMul', {}, ['x', 'many'])], { inputs: { x: [1, 2, 5, 3] }, constants }).message).toMatch(/only one axis of matrices/);
    expect(errorOf([op('MatMul', {}, ['x', 'b'])], { inputs: { x: [1, 3, 5, 3] }, constants }).message).toMatch(/do not fit together/);
  });
});
