/** ONNX layers that become several layers here, or none: their numbers on the GPU against plain loops. */
import { describe, expect, test } from 'vitest';
import { readOnnx } from '../../src/formats/onnx/index.ts';
import type { Shape, Tensor } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { integers, onnxModel, op, tensorProto, type NodeInput } from '../formats/onnx-builder.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { readTensorProto } from '../../src/formats/onnx/index.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from './harness.ts';
import { random } from './reference.ts';

const engine = useEngine();
const count = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

interface Model {
  readonly nodes: NodeInput[];
  readonly constants?: Uint8Array[];
  readonly opset?: number;
}

/** What the model makes of x at a batch that its file does not state. */
async function run(x: Tensor, { nodes, constants = [], opset = 17 }: Model): Promise<Tensor> {
  const stated = x.shape.with(0, 1);
  const network = readOnnx(onnxModel({ nodes, inputs: { x: stated }, outputs: ['y'], constants, opset }));
  const plan = compile(network, { layers: ['y'], batch: x.shape[0]!, capabilities: engine().capabilities });
  return (await runGuarded(engine(), plan, { x }, ['y'])).tensors.get('y')!;
}

/** y[index] for every index of a shape. */
function filled(shape: Shape, at: (index: number[]) => number): Tensor {
  const data = Float32Array.from({ length: count(shape) }, (_, flat) => {
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1, rest = flat; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return at(index);
  });
  return { shape, data };
}

const element = ({ shape, data }: Tensor, ...index: number[]): number => data[index.reduce((sum, at, axis) => sum * shape[axis]! + at, 0)]!;

function expectNear(got: Tensor, wanted: Tensor, tolerance = 0): void {
  expect(got.shape).toEqual(wanted.shape);
  const wrong = [...wanted.data.keys()].filter((i) => !(Math.abs(got.data[i]! - wanted.data[i]!) <= tolerance));
  expect(wrong.slice(0, 5).map((i) => [i, got.data[i], wanted.data[i]])).toEqual([]);
}

describe('numbers of ONNX layers', () => {
  test('pixel shuffle: six axes in an order of five groups', async () => {
    const x = random([2, 8, 3, 5], 1);
    const shuffle: Model = {
      nodes: [op('Reshape', {}, ['x', 's'], ['a']), op('Transpose', { perm: [0, 1, 4, 2, 5, 3] }, ['a'], ['b']), op('Reshape', {}, ['b', 'u'])],
      constants: [integers('s', 1, 2, 2, 2, 3, 5), integers('u', 1, 2, 6, 10)],
    };
    const wanted = filled([2, 2, 6, 10], ([n, c, h, w]) => element(x, n!, c! * 4 + (h! % 2) * 2 + (w! % 2), h! >> 1, w! >> 1));
    expectNear(await run(x, shuffle), wanted);
    expectNear(await run(x, { nodes: [op('DepthToSpace', { blocksize: 2, mode: 'CRD' })] }), wanted);
  });

  test('DepthToSpace and SpaceToDepth undo each other', async () => {
    const x = random([2, 8, 3, 5], 2);
    const there = await run(x, { nodes: [op('DepthToSpace', { blocksize: 2 })] });
    expectNear(there, filled([2, 2, 6, 10], ([n, c, h, w]) => element(x, n!, ((h! % 2) * 2 + (w! % 2)) * 2 + c!, h! >> 1, w! >> 1)));
    expectNear(await run(there, { nodes: [op('SpaceToDepth', { blocksize: 2 })] }), x);
  });

  test.each([[0, 2, 1, 4, 3, 5], [5, 4, 3, 2, 1, 0], [2, 0, 4, 1, 5, 3], [0, 1, 3, 2, 4, 5]])('six axes in the order %i %i %i %i %i %i', async (...order) => {
    const x = random([2, 3, 2, 3, 2, 2], 3);
    const place = order.map((_, axis) => order.indexOf(axis));
    const wanted = filled(order.map((axis) => x.shape[axis]!), (index) => element(x, ...place.map((at) => index[at]!)));
    const network: Model = { nodes: [op('Transpose', { perm: order }, ['x'], ['t']), op('Flatten', { axis: 3 }, ['t'])] };
    const [rows, columns] = [wanted.shape.slice(0, 3), wanted.shape.slice(3)].map(count);
    expectNear(await run(x, network), { shape: [rows!, columns!], data: wanted.data });
  });

  test('rows of a tensor times a matrix, and times a vector', async () => {
    const x = random([2, 3, 4, 5], 4);
    const b = random([5, 6], 5);
    const sum = (n: number, c: number, h: number, m: number): number => [0, 1, 2, 3, 4].reduce((total, k) => total + element(x, n, c, h, k) * element(b, k, m), 0);
    const matrix = await run(x, { nodes: [op('MatMul', {}, ['x', 'b'])], constants: [tensorProto('b', [5, 6], b.data)] });
    expectNear(matrix, filled([2, 3, 4, 6], ([n, c, h, m]) => sum(n!, c!, h!, m!)), 1e-5);
    const column = Float32Array.from({ length: 5 }, (_, k) => element(b, k, 2));
    const vector = await run(x, { nodes: [op('MatMul', {}, ['x', 'v'])], constants: [tensorProto('v', [5], column)] });
    expectNear(vector, filled([2, 3, 4], ([n, c, h]) => sum(n!, c!, h!, 2)), 1e-5);
  });

  test('groups of channels, normalized, scaled and shifted', async () => {
    const x = random([2, 6, 3, 4], 6);
    const [scale, shift] = [random([6], 7), random([6], 8)];
    const wanted = filled(x.shape, ([n, c, h, w]) => {
      const group = Array.from({ length: 3 * 12 }, (_, i) => element(x, n!, Math.floor(c! / 3) * 3 + Math.floor(i / 12), Math.floor((i % 12) / 4), i % 4));
      const mean = group.reduce((a, b) => a + b, 0) / 36;
      const variance = group.reduce((a, b) => a + (b - mean) ** 2, 0) / 36;
      return ((element(x, n!, c!, h!, w!) - mean) / Math.sqrt(variance + 1e-3)) * scale.data[c!]! + shift.data[c!]!;
    });
    const node = op('GroupNormalization', { num_groups: 2, epsilon: { float: 1e-3 } }, ['x', 'scale', 'shift']);
    const constants = [tensorProto('scale', [6], scale.data), tensorProto('shift', [6], shift.data)];
    expectNear(await run(x, { nodes: [node], constants, opset: 21 }), wanted, 1e-5);
  });

  test('parts: split, gathered, repeated, expanded', async () => {
    const x = random([2, 4, 3, 2], 9);
    const split: Model = { nodes: [op('Split', { axis: 1, num_outputs: 2 }, ['x'], ['a', 'b']), op('Concat', { axis: 1 }, ['b', 'a'])], opset: 18 };
    expectNear(await run(x, split), filled(x.shape, ([n, c, h, w]) => element(x, n!, (c! + 2) % 4, h!, w!)));
    const gather: Model = { nodes: [op('Gather', { axis: 1 }, ['x', 'i'])], constants: [integers('i', 3, 1)] };
    expectNear(await run(x, gather), filled([2, 2, 3, 2], ([n, c, h, w]) => element(x, n!, 3 - 2 * c!, h!, w!)));
    const tile: Model = { nodes: [op('Tile', {}, ['x', 'r'])], constants: [integers('r', 1, 1, 2, 3)] };
    expectNear(await run(x, tile), filled([2, 4, 6, 6], ([n, c, h, w]) => element(x, n!, c!, h! % 3, w! % 2)));
    const thin = random([2, 4, 1, 1], 10);
    const expand: Model = { nodes: [op('Expand', {}, ['x', 's'])], constants: [integers('s', 1, 4, 3, 2)] };
    expectNear(await run(thin, expand), filled([2, 4, 3, 2], ([n, c]) => element(thin, n!, c!, 0, 0)));
  });

  test('DenseNet-121 with constant weights gives the recorded number', async () => {
    const network = readOnnx(dataBytes('onnx-light/light_densenet121.onnx'));
    const wanted = readTensorProto(dataBytes('onnx-light/light_densenet121_output_0.pb'));
    const plan = compile(network, { layers: network.outputs, capabilities: engine().capabilities });
    const { tensors } = await runGuarded(engine(), plan, { data_0: random([1, 3, 224, 224], 11) }, network.outputs, { layout: 'planned' });
    const got = tensors.get(network.outputs[0]!)!;
    expect(got.shape).toEqual(wanted.shape);
    expect(Math.max(...got.data.map((value, i) => Math.abs(value - wanted.data[i]!)))).toBeLessThan(1e-5);
  }, 120_000);
});
