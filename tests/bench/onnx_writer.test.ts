import { describe, expect, test } from 'vitest';
import { loadNetwork, shapesOf } from '../../src/index.ts';
import { formulaTensor, formulaWeights } from './formula.ts';
import { singleConv } from './networks/chain.ts';
import { flipped, forwardModel, gradientModel } from './onnx_writer.ts';
import { varint } from './protobuf.ts';

describe('the ONNX writer', () => {
  test('writes what the loader reads back, number by number', async () => {
    const network = singleConv('one', [1, 6, 11, 9], [8, 3, 5, 5], { stride: 2, pad: 2, groups: 2 });
    const read = await loadNetwork([{ name: 'one.onnx', bytes: forwardModel(network, 'layer') }]);
    const [node] = read.nodes;
    expect(node).toMatchObject({ op: 'conv2d', attributes: { stride: [2, 2], padding: [2, 2, 2, 2], groups: 2 } });
    expect(node!.weights.weight!.shape).toEqual([8, 3, 5, 5]);
    expect(node!.weights.weight!.data).toEqual(network.nodes[0]!.weights.weight!.data);
    expect(node!.weights.bias!.data).toEqual(network.nodes[0]!.weights.bias!.data);
    expect([...shapesOf(read).values()]).toEqual([...shapesOf(network).values()]);
  });

  test('writes the gradient at stride 1 as a convolution back to the shape of the input', async () => {
    const network = singleConv('one', [1, 4, 9, 7], [6, 2, 3, 5], { pad: 1, groups: 2 });
    const read = await loadNetwork([{ name: 'one.onnx', bytes: gradientModel(network) }]);
    expect(shapesOf(read).get('dx')).toEqual([1, 4, 9, 7]);
  });

  test('turns taps round and exchanges channels, group by group', () => {
    const data = Float32Array.from({ length: 4 * 1 * 1 * 2 }, (_, i) => i);
    expect(flipped({ shape: [4, 1, 1, 2], data }, 2)).toEqual({ shape: [2, 2, 1, 2], data: Float32Array.of(1, 0, 3, 2, 5, 4, 7, 6) });
  });

  test('writes negative and large integers', () => {
    expect([...varint(0)]).toEqual([0]);
    expect([...varint(300)]).toEqual([0xac, 2]);
    expect([...varint(-1)]).toEqual([...Array<number>(9).fill(0xff), 1]);
  });
});

describe('formula weights', () => {
  test('are those of the published definition', () => {
    const { weight, bias } = formulaWeights('conv1', [96, 3, 11, 11]);
    expect([...weight.data.subarray(0, 3)]).toEqual([0.0087042897939682, 0.014686613343656063, 0.04768767207860947]);
    expect(weight.data.at(-1)).toBe(0.04128677770495415);
    expect(bias.data[0]).toBe(-0.015460610389709473);
  });

  test('stay inside their amplitude and differ by name', () => {
    const a = formulaTensor('a', [1000], 0.5).data;
    expect(a.every((value) => Math.abs(value) <= 0.5)).toBe(true);
    expect(formulaTensor('b', [1000], 0.5).data).not.toEqual(a);
  });
});
