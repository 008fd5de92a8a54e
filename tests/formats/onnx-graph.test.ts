/** ONNX graphs as a whole: names, order, inputs, and the one list of everything unsupported. */
import { describe, expect, it } from 'vitest';
import { floats, integers, op } from './onnx-builder.ts';
import { errorOf, image, load } from './onnx-loading.ts';

describe('ONNX graphs', () => {
  it('names layers by node or output, and never twice', () => {
    const nodes = [
      { ...op('Relu', {}, ['x'], ['a']), name: 'same' },
      { ...op('Relu', {}, ['a'], ['b']), name: 'same' },
      { ...op('Relu', {}, ['b'], ['c']), name: 'own' },
      { ...op('Relu', {}, ['c'], ['y']), name: 'a' },
    ];
    expect(load(nodes).nodes.map(({ name, output }) => [name, output])).toEqual([['a#2', 'a'], ['b', 'b'], ['own', 'c'], ['a', 'y']]);
  });

  it('sorts nodes, prints cycles, names missing tensors', () => {
    const sorted = load([op('Relu', {}, ['a']), op('Relu', {}, ['x'], ['a'])]);
    expect(sorted.nodes.map((node) => node.name)).toEqual(['a', 'y']);
    expect(errorOf([op('Add', {}, ['x', 'y'], ['a']), op('Relu', {}, ['a'])]).message).toMatch(/cycle: 'a' -> 'y' -> 'a'/);
    const missing = errorOf([op('Relu', {}, ['xx'])]);
    expect(missing).toMatchObject({ code: 'model-invalid', hint: "did you mean 'x'?" });
    expect(errorOf([op('Relu', {}, ['x'], ['x'])]).code).toBe('model-invalid');
  });

  it('names sparse constants among all else that is not supported', () => {
    const error = errorOf([op('Add', {}, ['x', 'w'], ['a']), op('Odd', {}, ['a'])], { sparse: [floats('w', 2)] });
    expect(error.code).toBe('model-unsupported');
    expect(error.message).toMatch(/tensor 'w' is sparse, which is not supported[^]*'Odd'/);
  });

  it('does not take an initializer that is listed as input for an input', () => {
    const network = load([op('Add', {}, ['x', 'c'])], { inputs: { ...image, c: [1] }, constants: [floats('c', 1)] });
    expect(network.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('promotes named inputs to constants', () => {
    const constants = new Map([['c', { name: 'c', shape: [1], type: 'FLOAT', data: Float32Array.of(2) }]]);
    const network = load([op('Add', {}, ['x', 'c'])], { inputs: { ...image, c: [1] } }, { constants });
    expect([...network.nodes[0]!.weights.addend!.data]).toEqual([2]);
  });

  it('asks for open sizes and takes them', () => {
    const open = { inputs: { x: ['N', 3, 'H', 'W'] } };
    const error = errorOf([op('Relu')], open);
    expect(error).toMatchObject({ code: 'model-unsupported', message: "the size of input 'x' is open: [N, 3, H, W]" });
    expect(error.hint).toContain('inputShape');
    expect(load([op('Relu')], open, { inputShape: [1, 3, 8, 9] }).inputs[0]!.shape).toEqual([1, 3, 8, 9]);
    expect(load([op('Relu')], open, { inputShape: { x: [2, 3, 8, 9] } }).inputs[0]!.shape).toEqual([2, 3, 8, 9]);
    expect(errorOf([op('Relu')], open, { inputShape: [3, 8, 9] }).code).toBe('usage');
  });

  it('takes a float16 input as float32 and says so, refuses whole numbers', () => {
    expect(load([op('Relu')], { inputType: 10 }).notes).toEqual(["input 'x' is FLOAT16 in the file and float32 here"]);
    expect(errorOf([op('Relu')], { inputType: 7 }).message).toMatch(/input 'x' holds INT64/);
  });

  it('lists everything unsupported at once, by layer, op and reason', () => {
    const nodes = [
      op('Sin', {}, ['x'], ['a']),
      op('Resize', { mode: 'cubic' }, ['a', '', 'w'], ['b']),
      { ...op('Relu', {}, ['b'], ['c']), domain: 'com.example' },
      op('Cast', { to: 7 }, ['c'], ['d']),
      op('LRN', { size: 3, sizes: 4 }, ['d'], ['y']),
    ];
    const error = errorOf(nodes, { constants: [floats('w', 2, 2)] });
    expect(error.code).toBe('model-unsupported');
    expect(error.message.split('\n').slice(1)).toEqual([
      "  - layer 'a' ('Sin'): this op is not supported",
      "  - layer 'b' ('Resize'): mode 'cubic' is not supported, only nearest and linear",
      "  - layer 'c' ('Relu'): ops of the domain 'com.example' are not supported",
      "  - layer 'd' ('Cast'): a cast of a computed tensor to INT64 is not supported",
      "  - layer 'y' ('LRN'): attribute 'sizes' is not supported",
    ]);
  });

  it('refuses a constant that asks for more memory than a file should', () => {
    const error = errorOf([op('ConstantOfShape', {}, ['s'], ['c']), op('Add', {}, ['x', 'c'])], { constants: [integers('s', 100_000, 100_000)] });
    expect(error.message).toMatch(/\[100000,100000\] is too large/);
  });

  it('reads a newer operator set than it knows as the newest one, and says so', () => {
    expect(load([op('Relu')], { opset: 26 }).notes).toBeUndefined();
    expect(load([op('Relu')], { opset: 31 }).notes).toEqual(['the operator set 31 is newer than 26, the newest one known here: its ops are read as those of 26']);
  });

  it('gives parts of a layer names of their own', () => {
    const nodes = [{ ...op('Relu', {}, ['x'], ['y/add1']), name: 'sum/add1' }, { ...op('Sum', {}, ['x', 'y/add1', 'x']), name: 'sum' }];
    expect(load(nodes).nodes.map(({ name, output }) => [name, output])).toEqual([
      ['sum/add1', 'y/add1'],
      ['sum/add1#2', 'y/add1#2'],
      ['sum', 'y'],
    ]);
  });

  it('keeps hostile names in one line and short', () => {
    const error = errorOf([{ ...op('Sin'), name: `a\n\u202e${'b'.repeat(10_000)}` }]);
    expect(error.message.length).toBeLessThan(400);
    expect(error.message).not.toMatch(/\u202e/);
  });
});
