/** ONNX functions of one number, and arithmetic of two tensors: what each becomes, and what is refused by name. */
import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../src/network/network.ts';
import { floats, integers, op, scalar, tensorProto, type NodeInput } from './onnx-builder.ts';
import { errorOf, last, load } from './onnx-loading.ts';

const LARGEST = 3.4028234663852886e38;

describe('ONNX functions of one number', () => {
  it.each<[NodeInput, string, Attributes]>([
    [op('Relu'), 'relu', {}],
    [op('Sigmoid'), 'sigmoid', {}],
    [op('HardSigmoid'), 'hard_sigmoid', { alpha: 0.2, beta: 0.5 }],
    [op('HardSigmoid', { alpha: { float: 0.25 }, beta: { float: 0.75 } }), 'hard_sigmoid', { alpha: 0.25, beta: 0.75 }],
    [op('HardSwish'), 'hard_swish', {}],
    [op('Tanh'), 'tanh', {}],
    [op('Elu', { alpha: { float: 2 } }), 'elu', { alpha: 2 }],
    [op('Selu'), 'selu', { alpha: 1.6732632423543772, gamma: 1.0507009873554805 }],
    [op('LeakyRelu'), 'leaky_relu', { slope: 0.01 }],
    [op('LeakyRelu', { alpha: { float: 0.125 } }), 'leaky_relu', { slope: 0.125 }],
    [op('Gelu'), 'gelu', { approximate: 'none' }],
    [op('Gelu', { approximate: 'tanh' }), 'gelu', { approximate: 'tanh' }],
    [op('Erf'), 'erf', {}],
    [op('Exp'), 'exp', {}],
    [op('Log'), 'log', {}],
    [op('Sqrt'), 'sqrt', {}],
    [op('Abs'), 'abs', {}],
    [op('Softplus'), 'softplus', {}],
    [op('Softsign'), 'softsign', {}],
    [op('Swish', { alpha: { float: 1.5 } }), 'swish', { beta: 1.5 }],
    [op('Pow', {}, ['x', 'two']), 'power', { exponent: 2 }],
    [op('Identity'), 'identity', {}],
    [op('Cast', { to: 10 }), 'identity', {}],
    [op('CastLike', {}, ['x', 'two']), 'identity', {}],
  ])('%j', (node, kind, attributes) => {
    expect(last([node], { constants: [scalar('two', 2)], opset: 24 })).toMatchObject({ op: kind, attributes, inputs: ['x'] });
  });

  it('reads the bounds of Clip where its version has them', () => {
    const six = [scalar('low', 0), scalar('high', 6)];
    expect(last([op('Clip', {}, ['x', 'low', 'high'])], { constants: six }).attributes).toEqual({ min: 0, max: 6 });
    expect(last([op('Clip', { max: { float: 6 } })], { opset: 6 }).attributes).toEqual({ min: -LARGEST, max: 6 });
    expect(last([op('Clip', {}, ['x', '', 'high'])], { constants: six }).attributes.max).toBe(6);
    expect(errorOf([op('Clip', { min: { float: 0 } })]).message).toMatch(/attribute 'min' is not supported/);
  });

  it('knows the four digits of the first Selu', () => {
    expect(last([op('Selu')], { opset: 1 }).attributes).toEqual({ alpha: 1.6732, gamma: 1.0507 });
  });

  it('makes Mish of what it is', () => {
    const network = load([op('Mish')], { opset: 18 });
    expect(network.nodes.map(({ op: kind, inputs }) => [kind, inputs])).toEqual([
      ['softplus', ['x']],
      ['tanh', ['y/softplus']],
      ['multiply', ['x', 'y/tanh']],
    ]);
  });

  it('drops dropout, but not when its mask or training is wanted', () => {
    expect(last([op('Dropout', { seed: 1 }, ['x'], ['y', 'mask'])]).op).toBe('identity');
    expect(errorOf([op('Dropout', {}, ['x'], ['y', 'mask'])], { outputs: ['y', 'mask'] }).message).toMatch(/mask is used/);
    const constants = [scalar('r', 0.5), scalar('none', 0), integers('t', 1)];
    expect(errorOf([op('Dropout', {}, ['x', 'r', 't'])], { constants }).message).toMatch(/training_mode/);
    expect(last([op('Dropout', {}, ['x', 'none', 't'])], { constants }).op).toBe('identity');
  });

  it.each<[NodeInput, RegExp]>([
    [op('Gelu', { approximate: 'some' }), /approximate 'some'/],
    [op('Pow', {}, ['x', 'v']), /an exponent of shape \[4\] is not supported/],
    [op('Pow', {}, ['x', 'x']), /the exponent \('x'\) must be a constant/],
    [op('Cast', { to: 7 }), /a cast of a computed tensor to INT64/],
    [op('Sigmoid', { alpha: { float: 1 } }), /attribute 'alpha' is not supported/],
    [op('Sigmoid', {}, ['v']), /operand 1 \('v'\) is a constant/],
  ])('refuses %j', (node, message) => {
    const error = errorOf([node], { constants: [floats('v', 4)] });
    expect(error.code).toBe('model-unsupported');
    expect(error.message).toMatch(message);
  });
});

describe('ONNX arithmetic', () => {
  const constants = [floats('c', 4, 1, 1), floats('v', 4), scalar('s', 3)];

  it.each([
    ['Add', 'add', 'addend', {}],
    ['Mul', 'multiply', 'operand', {}],
    ['Max', 'maximum', 'operand', {}],
    ['Min', 'minimum', 'operand', {}],
    ['Sub', 'subtract', 'operand', { reversed: true }],
    ['Div', 'divide', 'operand', { reversed: true }],
  ])('%s of two tensors, and with a constant on either side', (name, kind, role, reversed) => {
    expect(last([op(name, {}, ['x', 'x'])])).toMatchObject({ op: kind, inputs: ['x', 'x'], weights: {} });
    const right = last([op(name, {}, ['x', 'c'])], { constants });
    expect(right).toMatchObject({ op: kind, inputs: ['x'], attributes: {} });
    expect(right.weights[role]!.shape).toEqual([4, 1, 1]);
    expect(last([op(name, {}, ['c', 'x'])], { constants }).attributes).toEqual(reversed);
    expect(errorOf([op(name, {}, ['x', 'v'])], { constants }).message).toMatch(/\[1,4,6,6\] and \[4\] do not fit together/);
  });

  it('aligns the second operand as versions before 7 did', () => {
    for (const name of ['Add', 'Mul']) {
      const weights = Object.values(last([op(name, { axis: 1, broadcast: 1 }, ['x', 'v'])], { constants, opset: 6 }).weights);
      expect(weights.map(({ shape }) => shape)).toEqual([[4, 1, 1]]);
    }
    expect(errorOf([op('Add', { axis: 0, broadcast: 1 }, ['x', 'x2'])], { opset: 6, inputs: { x: [1, 4, 6, 6], x2: [1, 4] } }).message).toMatch(/at axis 0 is not supported/);
  });

  it('chains more than two operands', () => {
    expect(load([op('Sum', {}, ['x', 'x', 'x'])]).nodes.map((node) => [node.name, node.inputs])).toEqual([
      ['y/add1', ['x', 'x']],
      ['y', ['y/add1', 'x']],
    ]);
    const mean = load([op('Mean', {}, ['s', 'x'])], { constants });
    expect(mean.nodes.map(({ op: kind, weights }) => [kind, Object.values(weights).map(({ data }) => [...data])])).toEqual([
      ['add', [[3]]],
      ['divide', [[2]]],
    ]);
    for (const name of ['Sum', 'Mean', 'Max', 'Min']) expect(last([op(name)]).op).toBe('identity');
  });

  it('writes Neg and Reciprocal with one number', () => {
    expect(last([op('Neg')])).toMatchObject({ op: 'multiply', weights: { operand: { data: Float32Array.of(-1) } } });
    expect(last([op('Reciprocal')])).toMatchObject({ op: 'divide', attributes: { reversed: true }, weights: { operand: { data: Float32Array.of(1) } } });
  });

  it('takes the slope of PRelu by the rules of numpy, and as older files have it', () => {
    expect(last([op('PRelu', {}, ['x', 'c'])], { constants }).weights.slope!.shape).toEqual([4, 1, 1]);
    const old = load([op('PRelu', {}, ['x', 'v'])], { constants });
    expect(old.nodes[0]!.weights.slope!.shape).toEqual([4, 1, 1]);
    expect(old.notes).toEqual(["'y': its slope is taken as one number per channel"]);
    expect(last([op('PRelu', {}, ['x', 'v'])], { constants, opset: 6 }).weights.slope!.shape).toEqual([4, 1, 1]);
    expect(errorOf([op('PRelu', {}, ['x', 'p'])], { constants: [tensorProto('p', [5], new Float32Array(5))] }).message).toMatch(/\[5\] do not fit together/);
  });

  it('refuses whole numbers', () => {
    expect(errorOf([op('Mul', {}, ['x', 'i'])], { constants: [integers('i', 2)] }).message).toMatch(/works on INT64 numbers/);
  });
});
