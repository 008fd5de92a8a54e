/** Cut and mutated files: always a typed error or a valid network, never anything else, and never long. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { loadNetwork, type NamedFile } from '../../src/formats/loader.ts';
import { writeManifest } from '../../src/formats/manifest/network.ts';
import { readNpy, writeNpy } from '../../src/formats/npy.ts';
import { readOnnx, readTensorProto } from '../../src/formats/onnx/index.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { encodeText } from '../../src/formats/text.ts';
import { diamond, tensor } from '../network/graphs.ts';
import { onnxModel, ramp, tensorProto } from './onnx-builder.ts';
import { dataBytes } from './reference-data.ts';

const LONGEST_MS = 1000;

/** Runs a reader on damaged bytes; returns the error's code, or undefined where the damage does no harm. */
async function outcome(read: () => unknown): Promise<string | undefined> {
  const start = performance.now();
  let code: string | undefined;
  try {
    await read();
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    code = error.code;
    expect(error.message.length).toBeLessThan(20_000);
  }
  expect(performance.now() - start).toBeLessThan(LONGEST_MS);
  return code;
}

/** About `count` lengths from 0 to the whole, the first 64 among them. */
function cuts(length: number, count: number): number[] {
  const spread = Array.from({ length: count }, (_, index) => Math.floor((index * length) / count));
  return [...new Set([...Array.from({ length: Math.min(64, length) }, (_, index) => index), ...spread, length - 1])];
}

const load = (file: NamedFile, ...others: NamedFile[]) => () => loadNetwork([file, ...others]);

describe('cut files', () => {
  it.each([
    'models/mnist-cntk-winml/mnist.onnx',
    'models/tinyvgg-cnnexplainer/tiny_vgg.onnx',
    'models/resnet20-cifar10/resnet20-cifar10.onnx',
    'models/mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx',
    'models/squeezenet1.1-fp16-winml/SqueezeNet_fp16.onnx',
    'models/squeezenet1.1-gluon/squeezenet1.1.onnx',
  ])('%s', async (path) => {
    const bytes = dataBytes(path);
    for (const length of cuts(bytes.length, 200)) {
      const code = await outcome(load({ name: path, bytes: bytes.subarray(0, length) }));
      // A cut between two fields leaves a well-formed file, which lacks something.
      expect([length, code]).toEqual([length, expect.stringMatching(/^model-(format|invalid|unsupported)$/)]);
    }
  });

  it.each([
    'models/tinyvgg-cnnexplainer/tiny_vgg.safetensors',
    'models/tinyvgg-cnnexplainer/tiny_vgg_bf16.safetensors',
    'models/resnet20-cifar10/resnet20-cifar10.safetensors',
    'models/squeezenet1.1-gluon/squeezenet1.1.safetensors',
  ])('%s', async (path) => {
    const bytes = dataBytes(path);
    for (const length of cuts(bytes.length, 200)) {
      expect(await outcome(() => readSafetensors(bytes.subarray(0, length), { file: path }))).toBe('model-format');
    }
  });

  it('a manifest, its weights, an array, a tensor', async () => {
    const { json, safetensors } = writeManifest(diamond());
    const manifest = { name: 'net.json', bytes: encodeText(json.trimEnd()) };
    const weights = { name: 'weights.safetensors', bytes: safetensors };
    for (const length of cuts(manifest.bytes.length, 200)) {
      expect(await outcome(load({ ...manifest, bytes: manifest.bytes.subarray(0, length) }, weights))).toMatch(/^model-/);
    }
    for (const length of cuts(weights.bytes.length, 200)) {
      expect(await outcome(load(manifest, { ...weights, bytes: weights.bytes.subarray(0, length) }))).toBe('model-format');
    }
    const array = writeNpy(tensor([3, 4]));
    for (const length of cuts(array.length, 200)) expect(await outcome(() => readNpy(array.subarray(0, length)))).toBe('model-format');
    const proto = tensorProto('t', [3, 4], ramp(12));
    for (const length of cuts(proto.length, 200)) {
      expect(await outcome(() => readTensorProto(proto.subarray(0, length)))).toMatch(/^model-(format|unsupported)$/);
    }
  });
});

describe('hostile protobuf', () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);

  it.each<[string, Uint8Array]>([
    ['a million nested groups', Uint8Array.from([8, 8, ...new Array<number>(1_000_000).fill(0x0b)])],
    ['an endless varint', Uint8Array.from([8, 8, 0x10, ...new Array<number>(1000).fill(0xff)])],
    ['a length beyond the file', bytes(8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ['field 0', bytes(8, 8, 0, 0)],
    ['wire type 7', bytes(8, 8, 0x0f, 0)],
    ['an end of a group that never began', bytes(8, 8, 0x0c)],
    ['a graph that is a number', bytes(8, 8, 0x38, 1)],
    ['no graph', bytes(8, 8, 0x42, 2, 0x10, 13)],
  ])('%s', async (_, file) => {
    expect(await outcome(() => readOnnx(file))).toBe('model-format');
    expect(await outcome(load({ name: 'a.onnx', bytes: file }))).toBe('model-format');
  });

  it('stays quick with very many layers that say nothing', async () => {
    const graph = Uint8Array.from({ length: 400_000 }, (_, index) => (index % 2 === 0 ? 0x0a : 0)); // 200,000 empty nodes
    const length = [0x80 | (graph.length & 0x7f), 0x80 | ((graph.length >> 7) & 0x7f), graph.length >> 14];
    expect(await outcome(() => readOnnx(Uint8Array.from([8, 8, 0x3a, ...length, ...graph])))).toBe('model-invalid');
  });

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
    expect(await outcome(() => loadNetwork([file], { strict: true }))).toBe('not-finite');
  });
});

describe('mutated files', () => {
  const small = onnxModel({
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'], attributes: { pads: [1, 1, 1, 1], strides: [2, 2], auto_pad: 'NOTSET' } },
      { op: 'Relu', inputs: ['c'], outputs: ['r'], name: 'relu' },
      { op: 'MaxPool', inputs: ['r'], outputs: ['p'], attributes: { kernel_shape: [2, 2] } },
      { op: 'Reshape', inputs: ['p', 's'], outputs: ['f'] },
      { op: 'Gemm', inputs: ['f', 'g'], outputs: ['y'], attributes: { alpha: { float: 0.5 }, transB: 1 } },
    ],
    inputs: { x: ['N', 1, 6, 6] },
    outputs: ['y'],
    constants: [tensorProto('w', [2, 1, 3, 3], ramp(18)), tensorProto('s', [2], [1, -1]), tensorProto('g', [3, 8], ramp(24))],
  });
  const weights = writeSafetensors(new Map([['a', tensor([2, 3])], ['b', tensor([])]]), 'f32', new Map([['k', 'v']]));
  const written = writeManifest(diamond());

  /** Overwrites, inserts, removes or repeats bytes. */
  const mutations = fc.array(
    fc.record({ kind: fc.constantFrom('set', 'flip', 'insert', 'remove', 'repeat'), at: fc.nat(), value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255)), length: fc.integer({ min: 1, max: 16 }) }),
    { minLength: 1, maxLength: 4 },
  );
  function mutate(bytes: Uint8Array, steps: { kind: string; at: number; value: number; length: number }[]): Uint8Array {
    let result = [...bytes];
    for (const { kind, at, value, length } of steps) {
      const position = at % Math.max(1, result.length);
      if (kind === 'set') result[position] = value;
      else if (kind === 'flip') result[position]! ^= 1 << (value % 8);
      else if (kind === 'insert') result.splice(position, 0, ...new Array<number>(length).fill(value));
      else if (kind === 'remove') result.splice(position, length);
      else result = [...result.slice(0, position + length), ...result.slice(position)];
    }
    return Uint8Array.from(result);
  }

  it.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['ONNX', small, (bytes) => readOnnx(bytes)],
    ['ONNX through the loader', small, (bytes) => loadNetwork([{ name: 'm.onnx', bytes }])],
    ['safetensors', weights, (bytes) => readSafetensors(bytes)],
    ['manifest', encodeText(written.json), (bytes) => loadNetwork([{ name: 'm.json', bytes }, { name: 'weights.safetensors', bytes: written.safetensors }])],
    ['.npy', writeNpy(tensor([2, 3])), (bytes) => readNpy(bytes)],
  ])('%s', async (_, seed, read) => {
    expect(await outcome(() => read(seed))).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(mutations, async (steps) => {
        await outcome(() => read(mutate(seed, steps)));
      }),
      { numRuns: 3000 },
    );
  });
});
