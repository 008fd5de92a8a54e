/** ONNX semantics on small built models: what each op becomes, and what is refused by name. */
import { describe, expect, it } from 'vitest';
import { floats, integers, op, ramp, scalar, tensorProto, type NodeInput } from './onnx-builder.ts';
import { errorOf, last, load } from './onnx-loading.ts';

describe('ONNX convolution and pooling', () => {
  const constants = [floats('w', 2, 4, 3, 3), floats('b', 2)];

  it('keeps strides, asymmetric pads, dilations, groups and bias', () => {
    const attributes = { strides: [2, 1], pads: [0, 1, 2, 3], dilations: [1, 2], group: 2, kernel_shape: [3, 3] };
    const node = last([op('Conv', attributes, ['x', 'w', 'b'])], { constants: [floats('w', 6, 2, 3, 3), floats('b', 6)] });
    expect(node.attributes).toEqual({ stride: [2, 1], padding: [0, 1, 2, 3], dilation: [1, 2], groups: 2 });
    expect(node.weights.weight!.shape).toEqual([6, 2, 3, 3]);
    expect([...node.weights.bias!.data]).toEqual([...ramp(6)]);
  });

  it('has the defaults of the specification', () => {
    const node = last([op('Conv', {}, ['x', 'w'])], { constants });
    expect(node.attributes).toEqual({ stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 });
    expect(Object.keys(node.weights)).toEqual(['weight']);
  });

  it('resolves auto_pad and says that it holds for this size', () => {
    const upper = load([op('Conv', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, ['x', 'w'])], { constants });
    expect(upper.nodes[0]!.attributes.padding).toEqual([0, 0, 1, 1]);
    expect(upper.notes![0]).toMatch(/auto_pad SAME_UPPER became the padding \[0,0,1,1\]/);
    expect(last([op('Conv', { auto_pad: 'SAME_LOWER', strides: [2, 2] }, ['x', 'w'])], { constants }).attributes.padding).toEqual([1, 1, 0, 0]);
    expect(last([op('Conv', { auto_pad: 'VALID', pads: [9, 9, 9, 9] }, ['x', 'w'])], { constants }).attributes.padding).toEqual([0, 0, 0, 0]);
  });

  it('maps pooling', () => {
    const pool = { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 };
    const window = { kernel: [3, 3], stride: [2, 2], padding: [0, 0, 0, 0], dilation: [1, 1], ceil: true };
    expect(last([op('MaxPool', pool)])).toMatchObject({ op: 'max_pool', attributes: window });
    expect(last([op('AveragePool', { ...pool, count_include_pad: 1 })]).attributes).toEqual({ ...window, countIncludePad: true });
    expect(last([op('GlobalAveragePool')]).op).toBe('global_average_pool');
  });

  it.each<[string, NodeInput, Uint8Array[], RegExp]>([
    ['1-D convolution', op('Conv', {}, ['x', 'w']), [floats('w', 2, 4, 3)], /1-D Conv is not supported/],
    ['3-D pooling', op('MaxPool', { kernel_shape: [2, 2, 2] }), [], /3-D MaxPool/],
    ['storage_order', op('MaxPool', { kernel_shape: [2, 2], storage_order: 1 }), [], /storage_order 1/],
    ['an unread attribute', op('MaxPool', { kernel_shape: [2, 2], p: 3 }), [], /\('MaxPool'\): attribute 'p'/],
    ['negative pads', op('MaxPool', { kernel_shape: [2, 2], pads: [0, -1, 0, 0] }), [], /negative pads/],
    ['an unknown auto_pad', op('MaxPool', { kernel_shape: [2, 2], auto_pad: 'SAME' }), [], /auto_pad 'SAME'/],
    ['computed weights', op('Conv', {}, ['x', 'x']), [], /the weight W \('x'\) must be a constant/],
  ])('refuses %s', (_, node, given, message) => {
    const error = errorOf([node], { constants: given });
    expect(error.code).toBe('model-unsupported');
    expect(error.message).toMatch(message);
  });

  it.each<[string, NodeInput, RegExp]>([
    ['channels that do not fit', op('Conv', { group: 2 }, ['x', 'w']), /in 2 groups needs 8 channels, the input is \[1,4,6,6\]/],
    ['a kernel_shape that does not fit', op('Conv', { kernel_shape: [5, 5] }, ['x', 'w']), /kernel_shape \[5,5\]/],
    ['a bias that does not fit', op('Conv', {}, ['x', 'w', 'w']), /the bias B has the shape \[2,4,3,3\], \[2\] is needed/],
    ['a stride of 0', op('MaxPool', { kernel_shape: [2, 2], strides: [0, 1] }), /strides \[0,1\] must be at least 1/],
    ['pads for another rank', op('MaxPool', { kernel_shape: [2, 2], pads: [1, 1] }), /pads \[1,1\] needs 4 numbers/],
    ['a window larger than the image', op('MaxPool', { kernel_shape: [7, 7] }), /is empty: the input is too small/],
    ['an attribute of the wrong type', op('MaxPool', { kernel_shape: 2 }), /attribute 'kernel_shape' has the wrong type/],
  ])('finds %s', (_, node, message) => {
    const error = errorOf([node], { constants });
    expect(error).toMatchObject({ code: 'model-invalid', address: { layer: 'y', op: node.op } });
    expect(error.message).toMatch(message);
  });
});

describe('ONNX dense layers', () => {
  const rows = { inputs: { x: [1, 3] } };

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

  it('reads MatMul with a constant on the right, refuses it on the left', () => {
    const constants = [tensorProto('b', [3, 2], ramp(6)), floats('c', 2, 1)];
    expect(last([op('MatMul', {}, ['x', 'b'])], { ...rows, constants }).weights.weight!.shape).toEqual([2, 3]);
    expect(errorOf([op('MatMul', {}, ['c', 'x'])], { ...rows, constants }).message).toMatch(/right operand \('x'\) must be a constant/);
    expect(errorOf([op('Gemm', { transA: 1 }, ['x', 'b'])], { ...rows, constants }).message).toMatch(/transA/);
    expect(errorOf([op('MatMul', {}, ['x', 'b'])], { constants }).message).toMatch(/\[1,4,6,6\] is no matrix/);
  });
});

describe('ONNX normalization and activations', () => {
  it('maps BatchNormalization, LRN, Clip', () => {
    const constants = [floats('s', 4), floats('b', 4), floats('m', 4), floats('v', 4)];
    const inputs = ['x', 's', 'b', 'm', 'v'];
    const node = last([op('BatchNormalization', { epsilon: { float: 0.5 }, momentum: { float: 0.9 } }, inputs)], { constants });
    expect(node.attributes).toEqual({ epsilon: 0.5 });
    expect(Object.keys(node.weights)).toEqual(['scale', 'shift', 'mean', 'variance']);
    expect(errorOf([op('BatchNormalization', { spatial: 0 }, inputs)], { constants, opset: 7 }).message).toMatch(/spatial 0/);
    expect(errorOf([op('BatchNormalization', { training_mode: 1 }, inputs)], { constants }).message).toMatch(/training_mode/);
    expect(last([op('LRN', { size: 5, alpha: { float: 0.25 }, bias: { float: 2 } })]).attributes).toEqual({ size: 5, alpha: 0.25, beta: 0.75, k: 2 });
    const six = [scalar('low', 0), scalar('high', 6)];
    expect(last([op('Clip', {}, ['x', 'low', 'high'])], { constants: six }).attributes).toEqual({ min: 0, max: 6 });
    expect(last([op('Clip', { max: { float: 6 } })], { opset: 6 }).attributes).toEqual({ min: -3.4028234663852886e38, max: 6 });
    expect(last([op('Clip', {}, ['x', '', 'high'])], { constants: six }).attributes.max).toBe(6);
    expect(errorOf([op('Clip', { min: { float: 0 } })]).message).toMatch(/attribute 'min' is not supported/);
  });

  it('gives softmax the meaning of its version', () => {
    expect(last([op('Softmax')]).attributes).toEqual({ axis: 3 });
    expect(last([op('Softmax', { axis: -3 })]).attributes).toEqual({ axis: 1 });
    expect(last([op('Softmax')], { opset: 12, inputs: { x: [1, 10, 1, 1] } }).attributes).toEqual({ axis: 1 });
    expect(last([op('Softmax', { axis: 1 })], { opset: 12, inputs: { x: [1, 1, 1, 10] } }).attributes).toEqual({ axis: 3 });
    const flat = load([op('Softmax', { axis: 2 })], { opset: 12 });
    expect(flat.nodes.map(({ name, op: kind, attributes }) => [name, kind, attributes])).toEqual([
      ['y/flat', 'reshape', { shape: [0, 4, 36] }],
      ['y/softmax', 'softmax', { axis: 2 }],
      ['y', 'reshape', { shape: [0, 4, 6, 6] }],
    ]);
  });

  it('maps sums and additions of constants', () => {
    expect(last([op('Add', {}, ['x', 'x'])]).inputs).toEqual(['x', 'x']);
    const constants = [floats('c', 4, 1, 1), floats('v', 4)];
    for (const inputs of [['x', 'c'], ['c', 'x']]) {
      const node = last([op('Add', {}, inputs)], { constants });
      expect(node.inputs).toEqual(['x']);
      expect(node.weights.addend!.shape).toEqual([4, 1, 1]);
    }
    expect(last([op('Add', { axis: 1, broadcast: 1 }, ['x', 'v'])], { constants, opset: 6 }).weights.addend!.shape).toEqual([4, 1, 1]);
    expect(errorOf([op('Add', {}, ['x', 'v'])], { constants }).message).toMatch(/\[1,4,6,6\] and \[4\] cannot be added/);
    expect(load([op('Sum', {}, ['x', 'x', 'x'])]).nodes.map((node) => [node.name, node.inputs])).toEqual([
      ['y/sum1', ['x', 'x']],
      ['y', ['y/sum1', 'x']],
    ]);
    expect(last([op('Sum')]).op).toBe('identity');
  });

  it('drops dropout, but not when its mask or training is wanted', () => {
    expect(last([op('Dropout', { seed: 1 }, ['x'], ['y', 'mask'])]).op).toBe('identity');
    expect(errorOf([op('Dropout', {}, ['x'], ['y', 'mask'])], { outputs: ['y', 'mask'] }).message).toMatch(/mask is used/);
    const constants = [scalar('r', 0.5), integers('t', 1)];
    expect(errorOf([op('Dropout', {}, ['x', 'r', 't'])], { constants }).message).toMatch(/training_mode/);
  });
});

describe('ONNX layout', () => {
  const reshape = (shape: number[], attributes = {}) => last([op('Reshape', attributes, ['x', 's'])], { constants: [integers('s', ...shape)] });

  it('writes a leading batch of Reshape as 0', () => {
    expect(reshape([1, -1]).attributes.shape).toEqual([0, -1]);
    expect(reshape([1, 144]).attributes.shape).toEqual([0, 144]);
    expect(reshape([0, 0, -1]).attributes.shape).toEqual([0, 0, -1]);
    expect(reshape([-1, 144]).attributes.shape).toEqual([-1, 144]);
    expect(last([op('Reshape', { shape: [1, 144] })], { opset: 1 }).attributes.shape).toEqual([0, 144]);
    expect(errorOf([op('Reshape', {}, ['x', 's'])], { constants: [integers('s', 1, 7)] }).message).toMatch(/cannot become \[1,7\]/);
    expect(errorOf([op('Reshape', {}, ['x', 's'])], { constants: [integers('s', -1, -1)] }).message).toMatch(/shape \[-1,-1\] is wrong/);
  });

  it('folds constants and their reshapes', () => {
    const nodes = [
      op('Constant', { value: { tensor: floats('', 4) } }, [], ['c']),
      op('Reshape', {}, ['c', 's'], ['r']),
      op('Identity', {}, ['r'], ['i']),
      op('Add', {}, ['x', 'i']),
    ];
    const network = load(nodes, { constants: [integers('s', -1, 1, 1)] });
    expect(network.nodes.length).toBe(1);
    expect(network.nodes[0]!.weights.addend).toEqual({ shape: [4, 1, 1], data: ramp(4) });
  });

  it('resolves Slice, attributes and operands', () => {
    const attributes = { starts: [0, 1], ends: [1, -1], axes: [0, 2] };
    const whole = { start: [0, 0, 1, 0], size: [0, 4, 4, 6], step: [1, 1, 1, 1] };
    expect(last([op('Slice', attributes)], { opset: 9 }).attributes).toEqual(whole);
    const constants = [integers('a', -5), integers('b', Number.MAX_SAFE_INTEGER), integers('c', -1), integers('d', 2)];
    const node = last([op('Slice', {}, ['x', 'a', 'b', 'c', 'd'])], { constants });
    expect(node.attributes).toEqual({ start: [0, 0, 0, 1], size: [0, 4, 6, 3], step: [1, 1, 1, 2] });
    const backwards = [integers('a', 5), integers('b', 0), integers('c', 2), integers('d', -1)];
    expect(errorOf([op('Slice', {}, ['x', 'a', 'b', 'c', 'd'])], { constants: backwards }).message).toMatch(/step -1/);
  });

  it('resolves Pad, attributes and operands', () => {
    const node = last([op('Pad', { pads: [0, 1, 2, 3, 0, 4, 5, 6], value: { float: 7 } })], { opset: 10 });
    expect(node.attributes).toEqual({ before: [0, 1, 2, 3], after: [0, 4, 5, 6], value: 7 });
    const constants = [integers('p', 1, 2, 3, 4), scalar('v', 9), integers('a', -1, 1)];
    const chosen = last([op('Pad', {}, ['x', 'p', 'v', 'a'])], { constants, opset: 18 });
    expect(chosen.attributes).toEqual({ before: [0, 2, 0, 1], after: [0, 4, 0, 3], value: 9 });
    expect(errorOf([op('Pad', { mode: 'reflect', pads: [0, 0, 0, 0, 0, 0, 0, 0] })], { opset: 10 }).message).toMatch(/mode 'reflect'/);
    expect(errorOf([op('Pad', { pads: [0, 0, 0, 0, 0, 0, 0, -1] })], { opset: 10 }).message).toMatch(/negative pads/);
    expect(errorOf([op('Pad', { pads: [1, 0, 0, 0, 0, 0, 0, 0] })], { opset: 10 }).message).toMatch(/batch axis/);
  });

  it('maps Concat and Flatten with axes from the end', () => {
    expect(last([op('Concat', { axis: -3 }, ['x', 'x'])]).attributes).toEqual({ axis: 1 });
    expect(last([op('Flatten', { axis: -3 })]).attributes).toEqual({ axis: 1 });
    expect(errorOf([op('Concat', {}, ['x', 'x'])]).message).toMatch(/axis is missing/);
    expect(errorOf([op('Flatten', { axis: 5 })]).message).toMatch(/axis 5 is outside/);
  });
});
