/** Constants that ONNX files compute: worked out at load, against the official cases and by hand. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readModel, type OnnxNode } from '../../src/formats/onnx/model.ts';
import { evaluators } from '../../src/formats/onnx/folding/index.ts';
import { readTensorProto, type OnnxTensor } from '../../src/formats/onnx/index.ts';
import { NodeTranslation } from '../../src/formats/onnx/translation.ts';
import { constantValue, type Scope } from '../../src/formats/onnx/value.ts';
import { floats, integers, op, scalar, tensorProto, type NodeInput } from './onnx-builder.ts';
import { errorOf, load } from './onnx-loading.ts';
import { dataBytes, dataJson, dataPath } from './reference-data.ts';

interface Entry {
  group: string;
  case: string;
  ops: string[];
  opset: number;
  inputs: unknown[];
}

/** What an evaluator makes of operands. */
function evaluated(node: OnnxNode, operands: ReadonlyMap<string, OnnxTensor>, opset: number): OnnxTensor {
  const scope: Scope = {
    file: 'case',
    opset,
    values: new Map([...operands].map(([name, tensor]) => [name, constantValue(tensor)])),
    used: new Set(),
    layerNames: new Set(),
    tensorNames: new Set(),
    nodes: [],
    notes: [],
    openBatch: false,
    budget: { computed: 2 ** 20, filled: 2 ** 20 },
    readTensor: (bytes) => readTensorProto(bytes),
  };
  return evaluators.get(node.op)!(new NodeTranslation(node, 'case', scope));
}

describe('official ONNX cases on constants', () => {
  const groups = new Set(readdirSync(dataPath('onnx-node-tests')));
  const cases = dataJson<Entry[]>('onnx-node-tests/index.json').filter((entry) => groups.has(entry.group) && entry.ops.every((name) => evaluators.has(name)));
  const readable = cases.filter(({ case: name }) => !/identity_(opt|sequence)|float16|float64|empty_set_non|allowzero/.test(name));

  it('are many', () => {
    expect(readable.length).toBeGreaterThan(140);
    expect(new Set(readable.flatMap(({ ops }) => ops)).size).toBeGreaterThanOrEqual(18);
  });

  it.each(readable.map((entry) => [entry.case, entry] as const))('%s', (name, { group, opset, inputs }) => {
    const folder = `onnx-node-tests/${group}/${name}`;
    const tensor = (file: string): OnnxTensor => readTensorProto(dataBytes(`${folder}/test_data_set_0/${file}.pb`));
    const bytes = dataBytes(`${folder}/model.onnx`);
    const model = readModel({ file: name, bytes });
    const operands = new Map(model.inputs.map((info, index) => [info.name, tensor(`input_${index}`)]));
    expect(operands.size).toBe(inputs.length);
    const got = evaluated(model.nodes[0]!, operands, opset);
    const wanted = tensor('output_0');
    expect(got.shape).toEqual(wanted.shape);
    expect(got.type).toBe(wanted.type);
    const wrong = [...wanted.data.keys()].filter((i) => !(Math.abs(got.data[i]! - wanted.data[i]!) <= 1e-6 + 1e-6 * Math.abs(wanted.data[i]!)));
    expect(wrong.map((i) => [i, got.data[i], wanted.data[i]])).toEqual([]);
  });
});

/** The addend of `x + constant`, where the constant is what the nodes make under the name c. */
function folded(nodes: NodeInput[], constants: Uint8Array[], opset = 17): { shape: readonly number[]; data: number[] } {
  const network = load([...nodes, op('Cast', { to: 1 }, ['c'], ['real']), op('Add', {}, ['x', 'real'])], { constants, opset, inputs: { x: [1, 1, 1, 1] } });
  const addend = network.nodes.at(-1)!.weights.addend!;
  return { shape: addend.shape, data: [...addend.data] };
}

describe('ONNX shape arithmetic', () => {
  const numbers = [integers('a', 7, -7, 12), integers('b', 2, 2, 5), integers('i', 2, 0), integers('one', 1), integers('s', 2, 3), floats('m', 2, 3), tensorProto('halves', [3], Float32Array.of(0.5, -0.5, 2)), scalar('half', 0.5)];
  const constant = (name: string, attributes: NodeInput['attributes'], ...inputs: string[]) => folded([op(name, attributes, inputs, ['c'])], numbers, 13);

  it.each<[string, string[], number[]]>([
    ['Add', ['a', 'b'], [9, -5, 17]],
    ['Sub', ['a', 'b'], [5, -9, 7]],
    ['Mul', ['a', 'b'], [14, -14, 60]],
    ['Div', ['a', 'b'], [3, -3, 2]],
    ['Min', ['a', 'b'], [2, -7, 5]],
    ['Max', ['a', 'b'], [7, 2, 12]],
    ['Pow', ['b', 'b'], [4, 4, 3125]],
    ['Pow', ['halves', 'b'], [0.25, 0.25, 32]],
    ['Pow', ['s', 'half'], [1, 1]],
    ['Equal', ['b', 'one'], [0, 0, 0]],
    ['Greater', ['a', 'b'], [1, 0, 1]],
    ['Less', ['a', 'b'], [0, 1, 0]],
    ['GreaterOrEqual', ['b', 'b'], [1, 1, 1]],
    ['LessOrEqual', ['a', 'b'], [0, 1, 0]],
    ['Neg', ['a'], [-7, 7, -12]],
    ['Abs', ['a'], [7, 7, 12]],
    ['Gather', ['a', 'i'], [12, 7]],
  ])('%s(%s)', (name, inputs, wanted) => {
    expect(constant(name, {}, ...inputs).data).toEqual(wanted);
  });

  it('gathers, cuts, joins, repeats', () => {
    expect(constant('Gather', { axis: 1 }, 'm', 'i')).toEqual({ shape: [2, 2], data: Array.from(Float32Array.of(0.2, 0, 0.5, 0.3)) });
    expect(constant('Concat', { axis: 0 }, 'a', 'one', 'b').data).toEqual([7, -7, 12, 1, 2, 2, 5]);
    expect(constant('Concat', { axis: 1 }, 'm', 'm').data.map((value) => Math.round(10 * value))).toEqual([0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
    expect(constant('Expand', {}, 'one', 's')).toEqual({ shape: [2, 3], data: [1, 1, 1, 1, 1, 1] });
    expect(constant('Tile', {}, 'm', 's').data.map((value) => Math.round(10 * value)).slice(0, 18)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5]);
    expect(constant('Transpose', {}, 'm')).toEqual({ shape: [3, 2], data: Array.from(Float32Array.of(0, 0.3, 0.1, 0.4, 0.2, 0.5)) });
    expect(constant('Where', {}, 'one', 'a', 'b').data).toEqual([7, -7, 12]);
  });

  it('reduces, counts, fills', () => {
    expect(constant('ReduceProd', {}, 'b')).toEqual({ shape: [1], data: [20] });
    expect(constant('ReduceMax', { axes: [0], keepdims: 0 }, 'a')).toEqual({ shape: [], data: [12] });
    expect(constant('ConstantOfShape', { value: { tensor: tensorProto('', [1], [9]) } }, 's')).toEqual({ shape: [2, 3], data: [9, 9, 9, 9, 9, 9] });
    const count = [tensorProto('from', [], [5]), tensorProto('to', [], [-2]), tensorProto('by', [], [-3])];
    expect(folded([op('Range', {}, ['from', 'to', 'by'], ['c'])], count).data).toEqual([5, 2, -1]);
    expect(errorOf([op('Range', {}, ['to', 'from', 'zero'], ['c']), op('Add', {}, ['x', 'c'])], { constants: [...count, tensorProto('zero', [], [0])] }).message).toMatch(/has no end/);
  });

  it('refuses whole numbers that do not fit into their new type', () => {
    const narrow = (to: number, value: number) => () => folded([op('Cast', { to }, ['k'], ['c'])], [tensorProto('k', [1], [value])], 13);
    expect(narrow(2, 255)().data).toEqual([255]);
    expect(narrow(3, -128)().data).toEqual([-128]);
    expect(narrow(7, 2 ** 40)().data).toEqual([2 ** 40]);
    for (const [to, value, type] of [[2, 256, 'UINT8'], [2, -1, 'UINT8'], [3, 128, 'INT8'], [6, 2 ** 31, 'INT32']] as const) {
      expect(narrow(to, value)).toThrow(new RegExp(`${value} does not fit into ${type}`));
    }
  });

  it('follows the padding that PyTorch writes', () => {
    // Four pads, filled up with zeros to eight, in pairs from the last axis on: turned round and put in the order of Pad.
    const nodes = [
      op('ConstantOfShape', { value: { tensor: tensorProto('', [1], [0]) } }, ['four'], ['zeros']),
      op('Concat', { axis: 0 }, ['pads', 'zeros'], ['eight']),
      op('Reshape', {}, ['eight', 'pairs'], ['pairwise']),
      op('Slice', {}, ['pairwise', 'end', 'start', 'axis', 'back'], ['turned']),
      op('Transpose', { perm: [1, 0] }, ['turned'], ['split']),
      op('Reshape', {}, ['split', 'flat'], ['flattened']),
      op('Cast', { to: 7 }, ['flattened'], ['order']),
      op('Pad', { mode: 'reflect' }, ['x', 'order']),
    ];
    const constants = [
      integers('four', 4), integers('pads', 1, 2, 3, 4), integers('pairs', -1, 2), integers('end', -1),
      integers('start', -Number.MAX_SAFE_INTEGER), integers('axis', 0), integers('back', -1), integers('flat', -1),
    ];
    expect(load(nodes, { constants }).nodes).toMatchObject([{ op: 'pad', attributes: { before: [0, 0, 3, 1], after: [0, 0, 4, 2], mode: 'reflect' } }]);
  });

  it('says what must be a constant', () => {
    expect(errorOf([op('Range', {}, ['x', 'x', 'x'])]).message).toMatch(/\('Range'\): operand 1 \('x'\) must be a constant, but the network computes it/);
    expect(errorOf([op('Where', {}, ['b', 'x', 'x'])], { constants: [integers('b', 1)] }).message).toMatch(/operand 2 \('x'\) must be a constant/);
  });

  it('stops before a few bytes fill the memory', () => {
    const shape = integers('s', 20_000, 10_000);
    const twice = [op('ConstantOfShape', {}, ['s'], ['c']), op('Exp', {}, ['c'], ['d']), op('Add', {}, ['x', 'd'])];
    expect(errorOf(twice, { constants: [shape] }).message).toMatch(/layer 'd' \('Exp'\): a constant of shape \[20000,10000\] is too large/);
    for (const [name, inputs] of [['Expand', ['v', 's']], ['Tile', ['v2', 's']]] as const) {
      const nodes = [op(name, {}, [...inputs], ['c']), op('Add', {}, ['x', 'c'])];
      expect(errorOf(nodes, { constants: [integers('s', 100_000, 100_000), scalar('v', 1), floats('v2', 1, 1)] }).message).toMatch(/too large/);
    }
    const range = [op('Range', {}, ['zero', 'much', 'one'], ['c']), op('Add', {}, ['x', 'c'])];
    expect(errorOf(range, { constants: [scalar('zero', 0), scalar('much', 1e30), scalar('one', 1)] }).message).toMatch(/too large/);
    const deep = [op('Unsqueeze', {}, ['v', 'axes'], ['c']), op('Transpose', {}, ['c'], ['d']), op('Add', {}, ['x', 'd'])];
    expect(errorOf(deep, { constants: [scalar('v', 1), integers('axes', ...Array.from({ length: 5000 }, (_, i) => i))] }).message).toMatch(/a constant of 5000 axes is not supported/);
  });
});
