/** ONNX convolution and pooling: what each op becomes, and what is refused by name. */
import { describe, expect, it } from 'vitest';
import { floats, op, ramp, type NodeInput } from './onnx-builder.ts';
import { errorOf, last, load } from './onnx-loading.ts';

const constants = [floats('w', 2, 4, 3, 3), floats('b', 2)];

describe('ONNX convolution', () => {
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

  it('takes a signal as an image of height 1', () => {
    const signal = { inputs: { x: [1, 4, 9] }, constants: [floats('w', 2, 4, 3)] };
    const network = load([op('Conv', { strides: [2], pads: [1, 0] }, ['x', 'w'])], signal);
    expect(network.nodes.map(({ name, op: kind, attributes }) => [name, kind, attributes])).toEqual([
      ['y/image', 'reshape', { shape: [0, 4, 1, 9] }],
      ['y/conv2d', 'conv2d', { stride: [1, 2], padding: [0, 1, 0, 0], dilation: [1, 1], groups: 1 }],
      ['y', 'reshape', { shape: [0, 2, 4] }],
    ]);
    expect(network.nodes[1]!.weights.weight!.shape).toEqual([2, 4, 1, 3]);
  });
});

describe('ONNX transposed convolution', () => {
  const transposed = (attributes: NodeInput['attributes']) => last([op('ConvTranspose', attributes, ['x', 'w'])], { constants: [floats('w', 4, 2, 3, 3)] }).attributes;

  it('keeps what the file states', () => {
    const attributes = { strides: [2, 3], pads: [0, 1, 2, 0], dilations: [1, 2], group: 2, output_padding: [1, 0] };
    expect(transposed(attributes)).toEqual({ stride: [2, 3], padding: [0, 1, 2, 0], dilation: [1, 2], groups: 2, output_padding: [1, 0] });
  });

  it('finds the padding for the output size that is wanted', () => {
    // 6 rows by 2 with a kernel of 3 make 13: one is over for 12, seven are missing for 20.
    expect(transposed({ strides: [2, 2], auto_pad: 'SAME_UPPER' })).toMatchObject({ padding: [0, 0, 1, 1], output_padding: [0, 0] });
    expect(transposed({ strides: [2, 2], auto_pad: 'SAME_LOWER' })).toMatchObject({ padding: [1, 1, 0, 0], output_padding: [0, 0] });
    expect(transposed({ strides: [2, 2], output_shape: [20, 10] })).toMatchObject({ padding: [0, 2, 0, 1], output_padding: [7, 0] });
    expect(transposed({ strides: [2, 2], output_shape: [1, 2, 12, 13] })).toMatchObject({ padding: [1, 0, 0, 0], output_padding: [0, 0] });
    expect(transposed({ auto_pad: 'VALID', pads: [9, 9, 9, 9] })).toMatchObject({ padding: [0, 0, 0, 0] });
  });

  it('takes a signal, finds contradictions', () => {
    const signal = { inputs: { x: [1, 4, 9] }, constants: [floats('w', 4, 2, 3)] };
    expect(load([op('ConvTranspose', { strides: [2] }, ['x', 'w'])], signal).nodes[1]!.attributes).toMatchObject({ stride: [1, 2], output_padding: [0, 0] });
    const wrong = errorOf([op('ConvTranspose', {}, ['x', 'w'])], { constants: [floats('w', 3, 2, 3, 3)] });
    expect(wrong).toMatchObject({ code: 'model-invalid', message: expect.stringMatching(/needs 3 channels, the input is \[1,4,6,6\]/) as string });
    expect(errorOf([op('ConvTranspose', { output_shape: [1, 2, 3] }, ['x', 'w'])], { constants: [floats('w', 4, 2, 3, 3)] }).message).toMatch(/output_shape \[1,2,3\] needs 2 numbers/);
  });
});

describe('ONNX pooling', () => {
  const pool = { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 };
  const window = { kernel: [3, 3], stride: [2, 2], padding: [0, 0, 0, 0], dilation: [1, 1], ceil: true };

  it('maps windows and whole images', () => {
    expect(last([op('MaxPool', pool)])).toMatchObject({ op: 'max_pool', attributes: window });
    expect(last([op('MaxPool', { ...pool, storage_order: 1 })]).attributes).toEqual(window);
    expect(last([op('AveragePool', { ...pool, count_include_pad: 1 })]).attributes).toEqual({ ...window, countIncludePad: true });
    expect(last([op('GlobalAveragePool')]).op).toBe('global_average_pool');
    expect(last([op('GlobalMaxPool')]).op).toBe('global_max_pool');
  });

  it('takes signals', () => {
    const signal = { inputs: { x: [1, 4, 9] } };
    expect(load([op('MaxPool', { kernel_shape: [2], strides: [2] })], signal).nodes.map(({ op: kind }) => kind)).toEqual(['reshape', 'max_pool', 'reshape']);
    expect(load([op('GlobalAveragePool')], signal).nodes.map(({ attributes }) => attributes.shape)).toEqual([[0, 4, 1, 9], undefined, [0, 4, 1]]);
  });
});

describe('ONNX windows', () => {
  it.each<[string, NodeInput, Uint8Array[], RegExp]>([
    ['3-D convolution', op('Conv', {}, ['x', 'w']), [floats('w', 2, 4, 3, 3, 3)], /3-D Conv is not supported/],
    ['3-D pooling', op('MaxPool', { kernel_shape: [2, 2, 2] }), [], /3-D MaxPool/],
    ['indices', op('MaxPool', { kernel_shape: [2, 2] }, ['x'], ['y', 'y2']), [], /second output \(indices\) is used/],
    ['an unread attribute', op('MaxPool', { kernel_shape: [2, 2], p: 3 }), [], /\('MaxPool'\): attribute 'p'/],
    ['negative pads', op('MaxPool', { kernel_shape: [2, 2], pads: [0, -1, 0, 0] }), [], /negative pads/],
    ['an unknown auto_pad', op('MaxPool', { kernel_shape: [2, 2], auto_pad: 'SAME' }), [], /auto_pad 'SAME'/],
    ['computed weights', op('Conv', {}, ['x', 'x']), [], /the weight W \('x'\) must be a constant/],
  ])('refuses %s', (_, node, given, message) => {
    const error = errorOf([node], { constants: given, outputs: node.outputs });
    expect(error.code).toBe('model-unsupported');
    expect(error.message).toMatch(message);
  });

  it.each<[string, NodeInput, RegExp]>([
    ['channels that do not fit', op('Conv', { group: 2 }, ['x', 'w']), /in 2 groups needs 8 channels, the input is \[1,4,6,6\]/],
    ['a signal kernel on an image', op('Conv', {}, ['x', 'v']), /the input \[1,4,6,6\] has 4 axes instead of 3/],
    ['a kernel_shape that does not fit', op('Conv', { kernel_shape: [5, 5] }, ['x', 'w']), /kernel_shape \[5,5\]/],
    ['a bias that does not fit', op('Conv', {}, ['x', 'w', 'w']), /the bias B has the shape \[2,4,3,3\], \[2\] is needed/],
    ['a stride of 0', op('MaxPool', { kernel_shape: [2, 2], strides: [0, 1] }), /strides \[0,1\] must be at least 1/],
    ['pads for another rank', op('MaxPool', { kernel_shape: [2, 2], pads: [1, 1] }), /pads \[1,1\] needs 4 numbers/],
    ['a window larger than the image', op('MaxPool', { kernel_shape: [7, 7] }), /is empty: the input is too small/],
    ['an attribute of the wrong type', op('MaxPool', { kernel_shape: 2 }), /attribute 'kernel_shape' has the wrong type/],
  ])('finds %s', (_, node, message) => {
    const error = errorOf([node], { constants: [...constants, floats('v', 2, 4, 3)] });
    expect(error).toMatchObject({ code: 'model-invalid', address: { layer: 'y', op: node.op } });
    expect(error.message).toMatch(message);
  });
});
