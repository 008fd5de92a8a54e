/** ONNX files as bytes: where a fault lies, and numbers that cannot be. */
import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { readOnnx, readTensorProto } from '../../src/formats/onnx/index.ts';
import { onnxModel, ramp, tensorProto } from './onnx-builder.ts';

describe('ONNX files', () => {
  it('gives the offset in the file of what is wrong', () => {
    const model = onnxModel({ nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], inputs: { x: [1, 2] }, outputs: ['y'] });
    const at = model.indexOf(0x0a, 8); // the tag of the node's first operand, inside graph and node
    model[at] = 0x0f;
    expect(() => readOnnx(model, 'm.onnx')).toThrowError(expect.objectContaining({ code: 'model-format', address: { file: 'm.onnx', offset: at } }));
  });

  it('refuses tensors whose shape and data disagree', () => {
    const one = tensorProto('t', [2, 2], ramp(3));
    expect(() => readTensorProto(one)).toThrow(/needs 16 bytes, 12 are there/);
    const huge = tensorProto('t', [2 ** 31, 2 ** 31], ramp(1));
    expect(() => readTensorProto(huge)).toThrow(/shape \[2147483648,2147483648\]/);
    const negative = tensorProto('t', [-1], ramp(1));
    expect(() => readTensorProto(negative)).toThrow(/shape \[-1\]/);
  });

  it('counts NaN among the weights of a model', async () => {
    const constants = [tensorProto('c', [2], Float32Array.of(NaN, 1))];
    const nodes = [{ op: 'Add', inputs: ['x', 'c'], outputs: ['y'] }];
    const file = { name: 'm.onnx', bytes: onnxModel({ nodes, constants, inputs: { x: [1, 2] }, outputs: ['y'] }) };
    expect((await loadNetwork([file])).notes).toEqual(["'addend' of layer 'y': 1 of 2 numbers are not finite"]);
    await expect(loadNetwork([file], { strict: true })).rejects.toMatchObject({ code: 'not-finite' });
  });
});
