/** Files to networks: what a person may drop, and what is said about everything else. */
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { loadNetwork, type LoadOptions, type NamedFile } from '../../src/formats/loader.ts';
import { writeManifest } from '../../src/formats/manifest/network.ts';
import { encodeText } from '../../src/formats/text.ts';
import { diamond } from '../network/graphs.ts';
import { onnxModel } from './onnx-builder.ts';
import { dataBytes } from './reference-data.ts';

const written = writeManifest({ ...diamond(), labels: ['a', 'b'] });
const manifest: NamedFile = { name: 'folder/net.json', bytes: encodeText(written.json) };
const weights: NamedFile = { name: 'folder/weights.safetensors', bytes: written.safetensors };
const onnx: NamedFile = {
  name: 'net.onnx',
  bytes: onnxModel({ nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], inputs: { x: ['N', 3, 4, 4] }, outputs: ['y'] }),
};

async function errorOf(files: NamedFile[], options: LoadOptions = {}): Promise<UnitscopeError> {
  try {
    await loadNetwork(files, options);
  } catch (error) {
    if (error instanceof UnitscopeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const single = (content: string | Uint8Array, name = 'net.onnx') =>
  errorOf([{ name, bytes: typeof content === 'string' ? encodeText(content) : content }]);

describe('loadNetwork', () => {
  it('loads a manifest with its weights, in any order, among other files', async () => {
    const readme = { name: 'README.md', bytes: encodeText('# About') };
    const network = await loadNetwork([readme, weights, { name: '.keep', bytes: new Uint8Array(0) }, manifest]);
    expect(network).toEqual({ ...diamond(), labels: ['a', 'b'] });
  });

  it('loads an ONNX file; an open batch is 1', async () => {
    expect((await loadNetwork([onnx])).inputs).toEqual([{ name: 'x', shape: [1, 3, 4, 4] }]);
  });

  it('decides by content and says so', async () => {
    const network = await loadNetwork([{ ...onnx, name: 'net.json' }]);
    expect(network.notes).toEqual(["'net.json' is ONNX by its content, whatever its name says"]);
  });

  it('reads labels from a text file', async () => {
    const json = written.json.replace(/"labels": \[[^\]]*\]/, '"labels": "labels.txt"');
    const files = [{ ...manifest, bytes: encodeText(json) }, weights];
    expect((await loadNetwork([...files, { name: 'labels.txt', bytes: encodeText('lynx\r\nox\n') }])).labels).toEqual(['lynx', 'ox']);
    expect((await errorOf(files)).message).toBe("the file 'labels.txt' (labels) is missing");
  });

  it('says which companion is missing and what came instead', async () => {
    const error = await errorOf([manifest, { name: 'other.safetensors', bytes: weights.bytes }]);
    expect(error).toMatchObject({ code: 'io', address: { file: 'folder/net.json', attribute: 'weights' } });
    expect(error.message).toBe("the file 'weights.safetensors' (weights) is missing");
    expect(error.hint).toContain("'other.safetensors'");
  });

  it('refuses two networks at once, and nothing at all', async () => {
    expect((await errorOf([manifest, weights, onnx])).message).toMatch(/several networks at once/);
    expect((await errorOf([])).code).toBe('usage');
  });

  it('says what a file is that holds no network', async () => {
    expect(await single('')).toMatchObject({ code: 'model-format', message: 'this is an empty file, not a model' });
    expect((await single('<!DOCTYPE html><html>')).message).toBe('this is a web page, not a model');
    expect((await single('\n  <html lang="en">')).message).toBe('this is a web page, not a model');
    const pointer = await single('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n');
    expect(pointer.message).toBe('this is a Git LFS pointer, not a model');
    expect(pointer.hint).toContain('git lfs pull');
    expect((await single(Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10))).message).toMatch(/HDF5/);
    expect((await single(Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0))).message).toMatch(/zip archive/);
    const zip = (entry: string): Uint8Array => Uint8Array.of(0x50, 0x4b, 3, 4, ...Array<number>(22).fill(0), entry.length, 0, 0, 0, ...encodeText(entry), 0x80, 2);
    expect((await single(zip('resnet18/data.pkl'), 'r.pth')).message).toMatch(/PyTorch archive/);
    expect((await single(zip('arr_0.npy'), 'r.npz')).message).toMatch(/zip archive/);
    expect((await single(Uint8Array.of(0x80, 4, 0x95, 0, 1), 'r.pt')).message).toMatch(/Python pickle/);
    expect((await single('what is this?')).message).toMatch(/text that begins with 'what is this\?'/);
    expect((await single(Uint8Array.of(0xde, 0xad, 0xbe, 0xef))).message).toMatch(/the bytes de ad be ef/);
    expect((await single('what is this?')).hint).toMatch(/supported: .*ONNX \(\.onnx/);
    expect((await single(weights.bytes, 'w.safetensors')).message).toMatch(/weights without a manifest/);
    const pickle = await single(dataBytes('models/resnet20-cifar10/resnet20-12fca82f.th'), 'r.th');
    expect(pickle.message).toMatch(/PyTorch pickle/);
    expect(pickle.hint).toMatch(/save its weights as safetensors: python -c "import torch;.*torch\.load\('weights\.pth'.*save_file\(.*'weights\.safetensors'\)"; supported:/);
  });

  it('says of several files what each is', async () => {
    const error = await errorOf([{ name: 'folder/a.png', bytes: Uint8Array.of(0x89, 0x50, 0x4e, 0x47) }, { name: 'a.html', bytes: encodeText('<html>') }]);
    expect(error.message).toMatch(/'folder\/a.png' is a PNG picture; 'a.html' is a web page/);
  });

  it('names a page or a pointer in the place of the weights', async () => {
    expect((await errorOf([manifest, { ...weights, bytes: encodeText('<html>') }])).message).toBe('this is a web page, not a model');
    expect((await errorOf([manifest, { ...weights, bytes: encodeText('version https://git-lfs.github.com/') }])).address.file).toBe(weights.name);
  });

  it('passes the strict option on', async () => {
    const bytes = written.safetensors.slice();
    bytes.set([0, 0, 0xc0, 0x7f], bytes.length - 4);
    const files = [manifest, { ...weights, bytes }];
    expect((await loadNetwork(files)).notes).toEqual(["'bias' of layer 'conv': 1 of 2 numbers are not finite"]);
    expect((await errorOf(files, { strict: true })).code).toBe('not-finite');
  });
});
