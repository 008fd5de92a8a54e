/** ONNX normalization and softmax: what each op becomes, and what is refused by name. */
import { describe, expect, it } from 'vitest';
import { floats, op, ramp, tensorProto } from './onnx-builder.ts';
import { errorOf, last, load } from './onnx-loading.ts';

describe('ONNX normalization', () => {
  it('maps BatchNormalization and LRN', () => {
    const constants = [floats('s', 4), floats('b', 4), floats('m', 4), floats('v', 4)];
    const inputs = ['x', 's', 'b', 'm', 'v'];
    const node = last([op('BatchNormalization', { epsilon: { float: 0.5 }, momentum: { float: 0.9 } }, inputs)], { constants });
    expect(node.attributes).toEqual({ epsilon: 0.5 });
    expect(Object.keys(node.weights)).toEqual(['scale', 'shift', 'mean', 'variance']);
    expect(errorOf([op('BatchNormalization', { spatial: 0 }, inputs)], { constants, opset: 7 }).message).toMatch(/spatial 0/);
    expect(errorOf([op('BatchNormalization', { training_mode: 1 }, inputs)], { constants }).message).toMatch(/training_mode/);
    expect(last([op('LRN', { size: 5, alpha: { float: 0.25 }, bias: { float: 2 } })]).attributes).toEqual({ size: 5, alpha: 0.25, beta: 0.75, k: 2 });
  });

  it('maps LayerNormalization, and spreads its scale over the normalized axes', () => {
    const constants = [floats('s', 6), floats('one', 1), floats('wrong', 4)];
    const node = last([op('LayerNormalization', { epsilon: { float: 0.5 }, stash_type: 1 }, ['x', 's'])], { constants });
    expect(node).toMatchObject({ op: 'layer_norm', attributes: { axis: 3, epsilon: 0.5 } });
    expect(node.weights).toEqual({ scale: { shape: [6], data: ramp(6) } });
    const both = last([op('LayerNormalization', { axis: 2 }, ['x', 's', 'one'])], { constants });
    expect(both.attributes.axis).toBe(2);
    expect(both.weights.scale!.shape).toEqual([6, 6]);
    expect([...both.weights.scale!.data.slice(0, 8)]).toEqual([...ramp(6), ...ramp(2)]);
    expect(both.weights.shift!.data.length).toBe(36);
    expect(errorOf([op('LayerNormalization', {}, ['x', 'wrong'])], { constants }).message).toMatch(/the scale has the shape \[4\], \[6\] is needed/);
    expect(errorOf([op('LayerNormalization', {}, ['x', 's', ''], ['y', 'mean'])], { constants, outputs: ['y', 'mean'] }).message).toMatch(/outputs for training/);
  });

  it('makes instance and group normalization of layer normalization, a product and a sum', () => {
    const constants = [tensorProto('s', [4], Float32Array.of(1, 2, 3, 4)), floats('b', 4), tensorProto('s2', [2], Float32Array.of(1, 2)), floats('b2', 2)];
    const instance = load([op('InstanceNormalization', {}, ['x', 's', 'b'])], { constants });
    expect(instance.nodes.map(({ op: kind }) => kind)).toEqual(['layer_norm', 'multiply', 'add']);
    expect(instance.nodes[0]!.attributes.axis).toBe(2);
    expect(instance.nodes[1]!.weights.operand!.shape).toEqual([4, 1, 1]);
    const group = load([op('GroupNormalization', { num_groups: 2 }, ['x', 's', 'b'])], { constants, opset: 21 });
    expect(group.nodes.map(({ op: kind, attributes }) => [kind, attributes.shape])).toEqual([
      ['reshape', [0, 2, 72]],
      ['layer_norm', undefined],
      ['reshape', [0, 4, 6, 6]],
      ['multiply', undefined],
      ['add', undefined],
    ]);
    const perGroup = load([op('GroupNormalization', { num_groups: 2 }, ['x', 's2', 'b2'])], { constants, opset: 18 });
    expect([...perGroup.nodes[3]!.weights.operand!.data]).toEqual([1, 1, 2, 2]);
    expect(errorOf([op('GroupNormalization', { num_groups: 3 }, ['x', 's', 'b'])], { constants, opset: 21 }).message).toMatch(/cannot be put into 3 groups/);
  });
});

describe('ONNX softmax', () => {
  it.each(['Softmax', 'LogSoftmax'])('%s has the meaning of its version', (name) => {
    const kind = name === 'Softmax' ? 'softmax' : 'log_softmax';
    expect(last([op(name)])).toMatchObject({ op: kind, attributes: { axis: 3 } });
    expect(last([op(name, { axis: -3 })]).attributes).toEqual({ axis: 1 });
    expect(last([op(name)], { opset: 12, inputs: { x: [1, 10, 1, 1] } }).attributes).toEqual({ axis: 1 });
    expect(last([op(name, { axis: 1 })], { opset: 12, inputs: { x: [1, 1, 1, 10] } }).attributes).toEqual({ axis: 3 });
    const flat = load([op(name, { axis: 2 })], { opset: 12 });
    expect(flat.nodes.map(({ name: layer, op: made, attributes }) => [layer, made, attributes])).toEqual([
      ['y/flat', 'reshape', { shape: [0, 4, 36] }],
      [`y/${kind}`, kind, { axis: 2 }],
      ['y', 'reshape', { shape: [0, 4, 6, 6] }],
    ]);
    expect(errorOf([op(name, { axis: 0 })], { opset: 12 }).message).toMatch(/over the batch and other axes/);
  });
});
