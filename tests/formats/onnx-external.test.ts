/** ONNX tensors in files beside the model: found by name, checked, and named all together where they are missing. */
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { loadNetwork, type NamedFile } from '../../src/formats/loader.ts';
import { onnxFormat } from '../../src/formats/onnx/index.ts';
import type { Network } from '../../src/network/network.ts';
import { encodeText } from '../../src/formats/text.ts';
import { externalTensor, floats, onnxModel, op, ramp, type NodeInput } from './onnx-builder.ts';

const conv = op('Conv', {}, ['x', 'w', 'b']);
const weights = Float32Array.from(ramp(12));
const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.slice().buffer);

/** A convolution whose weight lies in another file, in `entries`. */
function model(entries: Record<string, string>, name = 'net.onnx', nodes: NodeInput[] = [conv]): NamedFile {
  const constants = [externalTensor('w', [3, 4, 1, 1], entries), floats('b', 3)];
  return { name, bytes: onnxModel({ nodes, inputs: { x: [1, 4, 6, 6] }, outputs: ['y'], constants }) };
}

const data = (name: string, pad = 0): NamedFile => ({ name, bytes: Uint8Array.from([...new Uint8Array(pad), ...bytesOf(weights)]) });
const weightOf = (network: Network): number[] => [...network.nodes[0]!.weights.weight!.data];

async function failure(...files: NamedFile[]): Promise<UnitscopeError> {
  try {
    await loadNetwork(files);
  } catch (error) {
    if (error instanceof UnitscopeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('weights in a file of their own', () => {
  it.each<[string, NamedFile, NamedFile]>([
    ['beside the model', model({ location: 'w.bin' }), data('w.bin')],
    ['from an offset, with a length', model({ location: 'w.bin', offset: '16', length: '48' }), data('w.bin', 16)],
    ['at an offset that is no multiple of four', model({ location: 'w.bin', offset: '3' }), data('w.bin', 3)],
    ['with a checksum, which is not read', model({ location: 'w.bin', checksum: 'abc' }), data('w.bin')],
    ['in a folder below', model({ location: 'parts/w.bin' }, 'nets/net.onnx'), data('nets/parts/w.bin')],
    ['in a folder below, dropped without folders', model({ location: 'parts/w.bin' }), data('w.bin')],
    ['written with a dot', model({ location: './w.bin' }, 'a/net.onnx'), data('a/w.bin')],
    ['in the manner of Windows', model({ location: 'parts\\w.bin' }, 'C:\\nets\\net.onnx'), data('C:\\nets\\parts\\w.bin')],
  ])('%s', async (_, main, file) => {
    expect(weightOf(await loadNetwork([main, file]))).toEqual([...weights]);
    expect(weightOf(await loadNetwork([file, main]))).toEqual([...weights]);
  });

  it('takes the file of the path among others of its name', async () => {
    const other = { name: 'b/w.bin', bytes: new Uint8Array(48) };
    expect(weightOf(await loadNetwork([model({ location: 'w.bin' }, 'a/net.onnx'), other, data('a/w.bin')]))).toEqual([...weights]);
    expect(await failure(model({ location: 'w.bin' }), other, { ...other, name: 'c/w.bin' })).toMatchObject({ code: 'usage', message: "2 files are called 'w.bin'" });
  });

  it('reads the tensor of a Constant layer too', async () => {
    const constant = op('Constant', { value: { tensor: externalTensor('', [3, 4, 1, 1], { location: 'w.bin' }) } }, [], ['v']);
    const bytes = onnxModel({ nodes: [constant, op('Conv', {}, ['x', 'v'])], inputs: { x: [1, 4, 6, 6] }, outputs: ['y'] });
    expect(weightOf(await loadNetwork([{ name: 'net.onnx', bytes }, data('w.bin')]))).toEqual([...weights]);
  });

  it('names all files that are missing, once', async () => {
    const constants = ['v', 'w', 'u'].map((name, index) => externalTensor(name, [3, 4, 1, 1], { location: ['a.bin', 'a.bin', 'b.bin'][index]! }));
    const nodes = [op('Conv', {}, ['x', 'v'], ['1']), op('Conv', {}, ['x', 'w'], ['2']), op('Conv', {}, ['x', 'u'], ['3']), op('Concat', { axis: 1 }, ['1', '2', '3'])];
    const bytes = onnxModel({ nodes, inputs: { x: [1, 4, 6, 6] }, outputs: ['y'], constants });
    const error = await failure({ name: 'net.onnx', bytes }, { name: 'notes.txt', bytes: encodeText('hello') });
    expect(error).toMatchObject({ code: 'io', message: "2 files with its weights are missing: 'a.bin', 'b.bin'", hint: "give it together with the model; beside it came 'notes.txt'" });
  });

  it('names a missing file among everything else that is not supported', async () => {
    const error = await failure(model({ location: 'w.bin' }, 'net.onnx', [op('Conv', {}, ['x', 'w', 'b'], ['a']), op('Sin', {}, ['a'])]));
    expect(error.code).toBe('model-unsupported');
    expect(error.message.split('\n').slice(1)).toEqual(["  - the file 'w.bin' with its weights is missing", "  - layer 'y' ('Sin'): this op is not supported"]);
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    ['a file that is cut', { location: 'w.bin', offset: '4' }, 'model-invalid', /needs the bytes 4 to 52 of 'w.bin', which has 48/],
    ['a length that does not fit', { location: 'w.bin', length: '40' }, 'model-invalid', /needs 48 bytes, but 40 are stated/],
    ['an offset that is no number', { location: 'w.bin', offset: '-1' }, 'model-format', /the offset '-1' .* is no whole number/],
    ['an offset beyond all files', { location: 'w.bin', offset: '9007199254740991' }, 'model-invalid', /needs the bytes/],
    ['a path upwards', { location: '../w.bin' }, 'model-invalid', /which is not in the model's folder/],
    ['a path upwards, hidden', { location: 'a/..\\../w.bin' }, 'model-invalid', /which is not in the model's folder/],
    ['an absolute path', { location: '/etc/passwd' }, 'model-invalid', /'\/etc\/passwd', which is not in the model's folder/],
    ['a drive', { location: 'C:w.bin' }, 'model-invalid', /which is not in the model's folder/],
    ['no path', { offset: '4' }, 'model-invalid', /keeps its data in ''/],
  ])('finds %s', async (_, entries, code, message) => {
    const error = await failure(model(entries), data('w.bin'));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('knows a file that is only a pointer', async () => {
    expect(await failure(model({ location: 'w.bin' }), { name: 'w.bin', bytes: encodeText('version https://git-lfs.github.com/spec/v1\n') })).toMatchObject({ code: 'model-format' });
  });
});

describe('the files that a model names', () => {
  const companions = (file: NamedFile): string[] => onnxFormat.companions!(file);

  it('are told without reading tensors, each once, and none outside', () => {
    const constants = ['a.bin', 'parts/b.bin', 'a.bin', '../c.bin', '/d.bin'].map((location, index) => externalTensor(`w${index}`, [1], { location }));
    const value = op('Constant', { value: { tensor: externalTensor('', [1], { location: '.\\parts\\e.bin' }) } }, [], ['v']);
    const bytes = onnxModel({ nodes: [value, op('Relu')], inputs: { x: [1] }, outputs: ['y'], constants });
    expect(companions({ name: 'net.onnx', bytes })).toEqual(['a.bin', 'parts/b.bin', 'parts/e.bin']);
  });

  it('are none for other models and for broken ones', () => {
    const { bytes } = model({ location: 'w.bin' });
    expect(companions({ name: 'net.onnx', bytes: onnxModel({ nodes: [op('Relu')], inputs: { x: [1] }, outputs: ['y'] }) })).toEqual([]);
    for (let length = 0; length < bytes.length; length += 7) companions({ name: 'net.onnx', bytes: bytes.subarray(0, length) });
  });
});
