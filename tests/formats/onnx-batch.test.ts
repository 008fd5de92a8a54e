/** ONNX shape arithmetic that follows the batch: what is loaded at one batch must hold for every other. */
import { describe, expect, it } from 'vitest';
import type { Network } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { floats, integers, op, tensorProto, type ModelInput, type NodeInput } from './onnx-builder.ts';
import { load } from './onnx-loading.ts';

const scalar = (name: string, value: number) => tensorProto(name, [], [value]);
/** What every exporter needs somewhere. */
const constants = [scalar('zero', 0), scalar('one', 1), integers('axis0', 0), integers('minus1', -1), integers('two', 2), scalar('four', 4)];

/** The shape of y at batch 1 and at batch 5. */
function shapes(nodes: NodeInput[], more: Partial<ModelInput> = {}): (readonly number[] | undefined)[] {
  const network = load(nodes, { ...more, constants: [...constants, ...(more.constants ?? [])] });
  return [undefined, 5].map((batch) => shapesOf(network, batch).get('y'));
}

/** The size of axis 0 of x as a scalar n. */
const batch = [op('Shape', {}, ['x'], ['shape']), op('Gather', { axis: 0 }, ['shape', 'zero'], ['n'])];
const asList = (from: string, to: string) => op('Unsqueeze', {}, [from, 'axis0'], [to]);

describe('a batch that the file works out', () => {
  it('view(batch, -1)', () => {
    const nodes = [...batch, asList('n', 'n1'), op('Concat', { axis: 0 }, ['n1', 'minus1'], ['to']), op('Reshape', {}, ['x', 'to'])];
    expect(shapes(nodes)).toEqual([[1, 144], [5, 144]]);
    expect(load(nodes, { constants }).nodes).toMatchObject([{ op: 'reshape', attributes: { shape: [0, -1] } }]);
  });

  it('view(-1, channels) with channels from a shape', () => {
    const nodes = [
      op('Shape', { start: 1 }, ['x'], ['rest']),
      op('ReduceProd', { keepdims: 1 }, ['rest'], ['product']),
      op('Concat', { axis: 0 }, ['minus1', 'product'], ['to']),
      op('Reshape', {}, ['x', 'to']),
    ];
    expect(shapes(nodes)).toEqual([[1, 144], [5, 144]]);
  });

  it('channel shuffle: view(batch, groups, channels / groups, height, width)', () => {
    const nodes = [
      ...batch,
      op('Gather', { axis: 0 }, ['shape', 'one'], ['c']),
      op('Slice', {}, ['shape', 'two', 'end'], ['plane']),
      op('Div', {}, ['c', 'four'], ['each']),
      ...['n', 'four', 'each'].map((name) => asList(name, `${name}1`)),
      op('Concat', { axis: 0 }, ['n1', 'four1', 'each1', 'plane'], ['to']),
      op('Reshape', {}, ['x', 'to'], ['blocks']),
      op('Transpose', { perm: [0, 2, 1, 3, 4] }, ['blocks'], ['turned']),
      op('Reshape', {}, ['turned', 'shape']),
    ];
    const more = { inputs: { x: [1, 8, 6, 6] }, constants: [integers('end', Number.MAX_SAFE_INTEGER)] };
    expect(shapes(nodes, more)).toEqual([[1, 8, 6, 6], [5, 8, 6, 6]]);
  });

  it('the batch and another axis as one: view(batch * channels, height, width), and back', () => {
    const nodes = [
      ...batch,
      op('Mul', {}, ['n', 'four'], ['nc']),
      asList('nc', 'nc1'),
      op('Concat', { axis: 0 }, ['nc1', 'planes'], ['to']),
      op('Reshape', {}, ['x', 'to'], ['flat']),
      op('Relu', {}, ['flat'], ['active']),
      op('Reshape', {}, ['active', 'shape']),
    ];
    const more = { constants: [integers('planes', 6, 6)] };
    expect(shapes(nodes, more)).toEqual([[1, 4, 6, 6], [5, 4, 6, 6]]);
    expect(load(nodes, { ...more, constants: [...constants, ...more.constants] }).nodes.map(({ attributes }) => attributes.shape)).toEqual([[-1, 6, 6], undefined, [-1, 4, 6, 6]]);
  });

  it('a size that is chosen by comparison: Where(shape == -1, shape, sizes)', () => {
    const nodes = [
      op('ConstantOfShape', { value: { tensor: tensorProto('', [1], [1]) } }, ['rank'], ['ones']),
      op('Mul', {}, ['ones', 'minus1'], ['marks']),
      op('Equal', {}, ['wanted', 'marks'], ['open']),
      op('Where', {}, ['open', 'ones', 'wanted'], ['to']),
      op('Expand', {}, ['x', 'to']),
    ];
    expect(shapes(nodes, { inputs: { x: [1, 4, 1, 1] }, constants: [integers('rank', 4), integers('wanted', -1, -1, 2, 3)] })).toEqual([[1, 4, 2, 3], [5, 4, 2, 3]]);
  });

  it('the size of another tensor: Resize and Expand by its shape', () => {
    const upsample = [
      op('MaxPool', { kernel_shape: [2, 2], strides: [2, 2] }, ['x'], ['small']),
      op('Shape', {}, ['x'], ['shape']),
      op('Expand', {}, ['thin', 'shape'], ['wide']),
      op('Add', {}, ['x', 'wide']),
    ];
    const inputs = { x: [1, 4, 6, 6], thin: [1, 4, 1, 1] };
    expect(shapes(upsample.filter(({ outputs }) => outputs[0] !== 'small'), { inputs })).toEqual([[1, 4, 6, 6], [5, 4, 6, 6]]);
  });

  it('an axis that a squeeze drops: the batch stays where the file leaves it open', () => {
    const open = { inputs: { x: ['N', 4, 1, 1] } };
    expect(shapes([op('Squeeze')], open)).toEqual([[1, 4], [5, 4]]);
    // A file that states the batch 1 drops it too; other batches follow along the first axis that is left.
    expect(shapes([op('Squeeze')], { inputs: { x: [1, 4, 1, 1] } })).toEqual([[4], [20]]);
  });

  it('a batch that is dropped and comes back', () => {
    const nodes = [op('Reshape', {}, ['x', 'planes'], ['a']), op('Relu', {}, ['a'], ['b']), op('Reshape', {}, ['b', 'image'])];
    const more = { constants: [integers('planes', 4, 6, 6), integers('image', 1, 4, 6, 6)] };
    expect(shapes(nodes, more)).toEqual([[1, 4, 6, 6], [5, 4, 6, 6]]);
  });

  it('a slice of the whole batch', () => {
    const nodes = [...batch, asList('n', 'n1'), op('Slice', {}, ['x', 'axis0', 'n1'])];
    expect(shapes(nodes)).toEqual([[1, 4, 6, 6], [5, 4, 6, 6]]);
  });

  it('signals, rows, reductions', () => {
    expect(shapes([op('Conv', {}, ['x', 'w'])], { inputs: { x: [1, 2, 9] }, constants: [floats('w', 3, 2, 3)] })).toEqual([[1, 3, 7], [5, 3, 7]]);
    expect(shapes([op('MatMul', {}, ['x', 'w'])], { inputs: { x: [1, 2, 3] }, constants: [floats('w', 3, 4)] })).toEqual([[1, 2, 4], [5, 2, 4]]);
    expect(shapes([op('ReduceSum', { keepdims: 0 }, ['x', 'two'])])).toEqual([[1, 4, 6], [5, 4, 6]]);
    expect(shapes([op('Transpose', { perm: [1, 0, 2, 3] }, ['x'], ['t']), op('Shape', {}, ['t'], ['s']), op('Reshape', {}, ['t', 's'])])).toEqual([[4, 1, 6, 6], [4, 5, 6, 6]]);
  });
});

describe('what holds for the batch of the file only', () => {
  const noted = (network: Network) => network.notes;

  it('is said', () => {
    const rows = { inputs: { x: [2, 3] }, constants: [floats('w', 3, 4), floats('c', 2, 4)] };
    const gemm = op('Gemm', {}, ['x', 'w', 'c']);
    expect(() => load([gemm], rows)).toThrow(/broadcast|\[3,4\] and \[2,4\]/); // at batch 3, which `load` tries
    const sum = [...batch, asList('n', 'n1'), op('ConstantOfShape', {}, ['n1'], ['zeros']), op('Add', {}, ['x', 'zeros'])];
    expect(noted(load(sum, { constants, inputs: { x: [1, 4] } }))).toEqual(["'y': operand 2 holds for the batch of the file only"]);
  });
});
