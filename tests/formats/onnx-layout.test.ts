/** ONNX ops that move, cut, join or repeat elements: what each becomes, and what is refused by name. */
import { describe, expect, it } from 'vitest';
import { floats, integers, op, scalar, tensorProto, type NodeInput } from './onnx-builder.ts';
import { errorOf, last, load } from './onnx-loading.ts';

const kinds = (nodes: NodeInput[], more: Parameters<typeof load>[1] = {}) => load(nodes, more).nodes.map(({ op: kind, attributes }) => [kind, attributes]);

describe('ONNX shapes', () => {
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

  it('maps Flatten, Squeeze, Unsqueeze, attributes and operands', () => {
    expect(last([op('Flatten', { axis: -3 })]).attributes).toEqual({ axis: 1 });
    expect(last([op('Flatten', { axis: 4 })]).attributes).toEqual({ axis: 4 });
    expect(errorOf([op('Flatten', { axis: 5 })]).message).toMatch(/axis 5 is outside/);
    const thin = { inputs: { x: [1, 4, 1, 1] } };
    expect(last([op('Squeeze', { axes: [2, -1] })], { ...thin, opset: 11 }).attributes.shape).toEqual([0, 4]);
    expect(last([op('Squeeze', {}, ['x', 'a'])], { ...thin, constants: [integers('a', 3)] }).attributes.shape).toEqual([0, 4, 1]);
    expect(errorOf([op('Squeeze', { axes: [1] })], { ...thin, opset: 11 }).message).toMatch(/axis 1 of \[1,4,1,1\] has not the size 1/);
    expect(last([op('Unsqueeze', { axes: [1, -1] })], { inputs: { x: [1, 4] }, opset: 11 }).attributes.shape).toEqual([0, 1, 4, 1]);
    expect(last([op('Unsqueeze', {}, ['x', 'a'])], { inputs: { x: [1, 4] }, constants: [integers('a', 2, 3)] }).attributes.shape).toEqual([0, 4, 1, 1]);
    expect(errorOf([op('Unsqueeze', { axes: [1, 1] })], { opset: 11 }).message).toMatch(/name one twice/);
  });

  it('expands with zeros of what is missing, tiles by joining', () => {
    const thin = { inputs: { x: [1, 4, 1, 1] } };
    const network = load([op('Expand', {}, ['x', 's'])], { ...thin, constants: [integers('s', 1, 1, 2, 3)] });
    expect(network.nodes[0]).toMatchObject({ op: 'add', inputs: ['x'], weights: { addend: { shape: [1, 1, 2, 3], data: new Float32Array(6) } } });
    expect(last([op('Expand', {}, ['x', 's'])], { constants: [integers('s', 6, 1)] }).op).toBe('identity');
    expect(kinds([op('Tile', {}, ['x', 's'])], { constants: [integers('s', 1, 2, 1, 3)] })).toEqual([['concat', { axis: 1 }], ['concat', { axis: 3 }]]);
    expect(errorOf([op('Tile', {}, ['x', 's'])], { constants: [integers('s', 1, 1000, 1, 1)] }).message).toMatch(/1000 repeats are not supported/);
  });

  it('joins along axes from the end', () => {
    expect(last([op('Concat', { axis: -3 }, ['x', 'x'])]).attributes).toEqual({ axis: 1 });
    expect(errorOf([op('Concat', {}, ['x', 'x'])]).message).toMatch(/axis is missing/);
    expect(errorOf([op('Concat', { axis: 1 }, ['x', 'z'])], { inputs: { x: [1, 4, 6, 6], z: [1, 4, 6, 5] } }).message).toMatch(/cannot be joined along axis 1/);
  });
});

describe('ONNX transpositions', () => {
  const turned = (shape: number[], ...perm: number[]) => kinds([op('Transpose', { perm })], { inputs: { x: shape } });

  it('reverses the axes unless told otherwise', () => {
    expect(kinds([op('Transpose')])).toEqual([['transpose', { order: [3, 2, 1, 0] }]]);
    expect(turned([1, 4, 6, 6], 0, 2, 3, -3 + 4)).toEqual([['transpose', { order: [0, 2, 3, 1] }]]);
    expect(turned([1, 4, 6, 6], 0, 1, 2, 3)).toEqual([['identity', {}]]);
    expect(errorOf([op('Transpose', { perm: [0, 1] })]).message).toMatch(/perm \[0,1\] does not fit/);
    expect(errorOf([op('Transpose', { perm: [0, 1, 1, 2] })]).message).toMatch(/name one twice/);
  });

  it('renames the elements where only axes of size 1 move', () => {
    expect(turned([1, 1, 6, 5], 0, 2, 3, 1)).toEqual([['reshape', { shape: [0, 6, 5, 1] }]]);
  });

  it('moves five groups of axes one after the other', () => {
    const nodes = [
      op('Reshape', {}, ['x', 's'], ['a']),
      op('Transpose', { perm: [0, 1, 4, 2, 5, 3] }, ['a'], ['b']),
      op('Reshape', {}, ['b', 'u']),
    ];
    const shuffle = kinds(nodes, { inputs: { x: [1, 8, 5, 7] }, constants: [integers('s', 1, 2, 2, 2, 5, 7), integers('u', 1, 2, 10, 14)] });
    expect(shuffle.filter(([kind]) => kind === 'transpose').map(([, attributes]) => attributes)).toEqual(new Array(3).fill({ order: [0, 2, 1] }));
    expect(shuffle.at(-1)).toEqual(['reshape', { shape: [0, 2, 10, 14] }]);
  });

  it('makes DepthToSpace and SpaceToDepth of views and transpositions', () => {
    const shapes = (node: NodeInput, ...shape: number[]) => load([node], { inputs: { x: shape } }).nodes.at(-1)!.attributes.shape;
    expect(shapes(op('DepthToSpace', { blocksize: 2 }), 1, 8, 3, 5)).toEqual([0, 2, 6, 10]);
    expect(shapes(op('DepthToSpace', { blocksize: 2, mode: 'CRD' }), 1, 8, 3, 5)).toEqual([0, 2, 6, 10]);
    expect(shapes(op('SpaceToDepth', { blocksize: 3 }), 1, 2, 6, 9)).toEqual([0, 18, 2, 3]);
    expect(errorOf([op('DepthToSpace', { blocksize: 3 })]).message).toMatch(/4 channels are no blocks of 3 x 3/);
    expect(errorOf([op('SpaceToDepth', { blocksize: 4 })]).message).toMatch(/cannot be cut into blocks of 4 x 4/);
  });
});

describe('ONNX parts', () => {
  it('resolves Slice, attributes and operands', () => {
    const attributes = { starts: [0, 1], ends: [1, -1], axes: [0, 2] };
    const whole = { start: [0, 0, 1, 0], size: [0, 4, 4, 6], step: [1, 1, 1, 1] };
    expect(last([op('Slice', attributes)], { opset: 9 }).attributes).toEqual(whole);
    const constants = [integers('a', -5), integers('b', Number.MAX_SAFE_INTEGER), integers('c', -1), integers('d', 2)];
    const node = last([op('Slice', {}, ['x', 'a', 'b', 'c', 'd'])], { constants });
    expect(node.attributes).toEqual({ start: [0, 0, 0, 1], size: [0, 4, 6, 3], step: [1, 1, 1, 2] });
    const backwards = [integers('a', 20, -1), integers('b', 0, -Number.MAX_SAFE_INTEGER), integers('c', 2, 1), integers('d', -2, -1)];
    expect(last([op('Slice', {}, ['x', 'a', 'b', 'c', 'd'])], { constants: backwards }).attributes).toEqual({ start: [0, 3, 5, 0], size: [0, 4, 3, 6], step: [1, -1, -2, 1] });
    expect(errorOf([op('Slice', {}, ['x', 'a', 'b', 'c', 'd'])], { constants: [...backwards.slice(0, 3), integers('d', 0, 1)] }).message).toMatch(/a step is 0/);
    expect(errorOf([op('Slice', { starts: [4], ends: [2] })], { opset: 9 }).message).toMatch(/is empty/);
  });

  it('splits into equal and stated parts, of which only those that are read are made', () => {
    const parts = (node: NodeInput, opset: number, ...constants: Uint8Array[]) =>
      load([node], { opset, constants, outputs: node.outputs }).nodes.map(({ name, output, attributes }) => [name, output, attributes.start, attributes.size]);
    const halves = [
      ['y', 'y', [0, 0, 0, 0], [0, 2, 6, 6]],
      ['y/2', 'z', [0, 2, 0, 0], [0, 2, 6, 6]],
    ];
    expect(parts(op('Split', { axis: 1 }, ['x'], ['y', 'z']), 11)).toEqual(halves);
    expect(parts(op('Split', { axis: -3, num_outputs: 2 }, ['x'], ['y', 'z']), 18)).toEqual(halves);
    const uneven = [
      ['y', 'y', [0, 0, 0, 0], [0, 1, 6, 6]],
      ['y/2', 'z', [0, 1, 0, 0], [0, 3, 6, 6]],
    ];
    expect(parts(op('Split', { axis: 1, split: [1, 3] }, ['x'], ['y', 'z']), 2)).toEqual(uneven);
    expect(parts(op('Split', { axis: 1 }, ['x', 's'], ['y', 'z']), 13, integers('s', 1, 3))).toEqual(uneven);
    const rest = load([op('Split', { axis: 1, num_outputs: 3 }, ['x'], ['a', 'b', 'y'])], { opset: 18, inputs: { x: [1, 7] }, outputs: ['a', 'y'] });
    expect(rest.nodes.map(({ name, attributes }) => [name, attributes.size])).toEqual([['a', [0, 3]], ['a/3', [0, 1]]]);
  });

  it('names what cannot be split', () => {
    expect(errorOf([op('Split', { axis: 1 }, ['x'], ['y', 'b', 'c'])], { opset: 11 }).message).toMatch(/4 elements cannot be split into 3 equal parts/);
    expect(errorOf([op('Split', { axis: 1, split: [1, 2] }, ['x'], ['y', 'b'])], { opset: 11 }).message).toMatch(/\[1,2\] do not make up 4 elements/);
    expect(errorOf([op('Split', { axis: 1, num_outputs: 3 }, ['x'], ['y', 'b'])], { opset: 18 }).message).toMatch(/num_outputs 3 does not fit 2 outputs/);
  });

  it('gathers by equal steps', () => {
    const constants = [tensorProto('i', [], [-1]), integers('bgr', 2, 1, 0), integers('odd', 1, 3), integers('any', 0, 1, 3)];
    expect(kinds([op('Gather', { axis: 1 }, ['x', 'i'])], { constants })).toEqual([
      ['slice', { start: [0, 3, 0, 0], size: [0, 1, 6, 6], step: [1, 1, 1, 1] }],
      ['reshape', { shape: [0, 6, 6] }],
    ]);
    expect(last([op('Gather', { axis: 1 }, ['x', 'bgr'])], { constants }).attributes).toEqual({ start: [0, 2, 0, 0], size: [0, 3, 6, 6], step: [1, -1, 1, 1] });
    expect(last([op('Gather', { axis: 1 }, ['x', 'odd'])], { constants }).attributes).toEqual({ start: [0, 1, 0, 0], size: [0, 2, 6, 6], step: [1, 2, 1, 1] });
    expect(errorOf([op('Gather', { axis: 1 }, ['x', 'any'])], { constants }).message).toMatch(/do not go by equal steps/);
    expect(errorOf([op('Gather', { axis: 0 }, ['x', 'bgr'])], { constants }).message).toMatch(/the index 2 is outside 0..0/);
  });

  it('resolves Pad, attributes and operands', () => {
    const node = last([op('Pad', { pads: [0, 1, 2, 3, 0, 4, 5, 6], value: { float: 7 } })], { opset: 10 });
    expect(node.attributes).toEqual({ before: [0, 1, 2, 3], after: [0, 4, 5, 6], value: 7 });
    const constants = [integers('p', 1, 2, 3, 4), scalar('v', 9), integers('a', -1, 1)];
    const chosen = last([op('Pad', {}, ['x', 'p', 'v', 'a'])], { constants, opset: 18 });
    expect(chosen.attributes).toEqual({ before: [0, 2, 0, 1], after: [0, 4, 0, 3], value: 9 });
    const edges = { pads: [0, 0, 2, 0, 0, 0, 3, 0] };
    for (const mode of ['reflect', 'edge']) {
      expect(last([op('Pad', { mode, ...edges })], { opset: 10 }).attributes).toEqual({ before: [0, 0, 2, 0], after: [0, 0, 3, 0], value: 0, mode });
    }
    expect(last([op('Pad', { pads: [0, 0, -1, 0, 0, 0, -2, 3] })], { opset: 10 }).attributes).toEqual({ before: [0, 0, -1, 0], after: [0, 0, -2, 3], value: 0 });
    expect(last([op('Pad', { pads: new Array<number>(8).fill(0) })], { opset: 10 }).op).toBe('identity');
  });

  it('names what cannot be padded', () => {
    const refused = (attributes: NodeInput['attributes']) => errorOf([op('Pad', attributes)], { opset: 10 }).message;
    expect(refused({ mode: 'wrap', pads: [0, 0, 0, 0, 0, 0, 0, 0] })).toMatch(/mode 'wrap'/);
    expect(refused({ mode: 'edge', pads: [0, 0, 0, 0, 0, 0, 0, -1] })).toMatch(/negative pads/);
    expect(refused({ mode: 'reflect', pads: [0, 0, 6, 0, 0, 0, 0, 0] })).toMatch(/reflect more than the input \[1,4,6,6\] holds/);
    expect(refused({ pads: [1, 0, 0, 0, 0, 0, 0, 0] })).toMatch(/batch axis/);
    expect(errorOf([op('Pad', {}, ['x', 'x'])]).message).toMatch(/pads \('x'\) must be a constant/);
    expect(errorOf([op('Pad', {}, ['x', 'p'])], { constants: [floats('p', 8)] }).message).toMatch(/FLOAT instead of whole numbers/);
  });
});

describe('ONNX reductions', () => {
  it('reads axes as attribute and as operand', () => {
    expect(last([op('ReduceMean', { axes: [-1], keepdims: 0 })], { opset: 13 })).toMatchObject({ op: 'reduce_mean', attributes: { axes: [3], keep: false } });
    expect(last([op('ReduceMean', {}, ['x', 'a'])], { opset: 18, constants: [integers('a', 3, 1)] }).attributes).toEqual({ axes: [1, 3], keep: true });
    expect(last([op('ReduceSum', { axes: [1] })], { opset: 11 })).toMatchObject({ op: 'reduce_sum', attributes: { axes: [1], keep: true } });
    expect(last([op('ReduceSum', {}, ['x', 'a'])], { constants: [integers('a', 2)] }).attributes).toEqual({ axes: [2], keep: true });
    expect(last([op('ReduceSum', { keepdims: 0 })]).attributes).toEqual({ axes: [0, 1, 2, 3], keep: false });
    expect(last([op('ReduceSum', { noop_with_empty_axes: 1 })]).op).toBe('identity');
  });

  it('knows a global pooling', () => {
    expect(last([op('ReduceMean', { axes: [2, 3] })], { opset: 13 }).op).toBe('global_average_pool');
    expect(kinds([op('ReduceMax', { axes: [2, 3], keepdims: 0 })], { opset: 13 })).toEqual([['global_max_pool', {}], ['reshape', { shape: [0, 4] }]]);
    expect(errorOf([op('ReduceMax', { axes: [1] })], { opset: 13 }).message).toMatch(/maximum over the axes \[1\] of \[1,4,6,6\] is not supported/);
  });

  it('makes norms of sums', () => {
    const axes = { axes: [1] };
    expect(kinds([op('ReduceL2', axes)], { opset: 13 }).map(([kind]) => kind)).toEqual(['power', 'reduce_sum', 'sqrt']);
    expect(kinds([op('ReduceL1', axes)], { opset: 13 }).map(([kind]) => kind)).toEqual(['abs', 'reduce_sum']);
    expect(kinds([op('ReduceSumSquare', axes)], { opset: 13 })).toEqual([['power', { exponent: 2 }], ['reduce_sum', { axes: [1], keep: true }]]);
  });
});
