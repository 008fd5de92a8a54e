/** `unitscope convert`: what is written is what was read, or nothing is. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSafetensors } from '../../../src/formats/safetensors.ts';
import { roundToFloat16 } from '../../../src/index.ts';
import { dataPath } from '../../formats/reference-data.ts';
import { build, float32, input, layer, sequence, type Facts } from '../../formats/tfjs-builder.ts';
import { call, useFolder } from './program.ts';

const folder = useFolder();

interface Report {
  precision: string;
  layers: number;
  parameters: number;
  labels: number;
  files: { path: string; bytes: number }[];
  change: { largest: number; from: number; layer: string; role: string; kept: number } | null;
}

/** A dense layer y = w x on the disk, as TensorFlow.js writes it. */
function tiny(place: string, values: readonly number[], more: readonly Facts[] = []): string {
  const { json, bytes } = build(sequence(input('x', 2), layer('Dense', 'd', { units: 2, use_bias: false }), ...more), { 'd/kernel': { shape: [2, 2], bytes: float32(...values) } });
  mkdirSync(folder(place), { recursive: true });
  writeFileSync(folder(`${place}/model.json`), JSON.stringify(json));
  writeFileSync(folder(`${place}/group1-shard1of1.bin`), bytes);
  return folder(place);
}

const converted = async (...words: string[]): Promise<Report> => {
  const { exit, out, err } = await call('convert', '--json', ...words);
  expect({ exit, err: err.replaceAll(/^note: .*\n/gm, '') }).toEqual({ exit: 0, err: '' });
  return JSON.parse(out) as Report;
};

const inspected = async (model: string): Promise<object> => {
  const { out } = await call('inspect', '--json', model);
  return { ...(JSON.parse(out) as object), hash: '', notes: [] };
};

const tensorsOf = (place: string) => readSafetensors(new Uint8Array(readFileSync(join(place, 'weights.safetensors')))).tensors;

/** Bit by bit, and quick on a million numbers. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

describe('every network that we have comes back', () => {
  test.each([
    'tinyvgg-cnnexplainer/model.json', 'tinyvgg-cnnexplainer/tiny_vgg.onnx', 'mobilenet_v1_0.25_224/tfjs', 'mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx', 'resnet20-cifar10/resnet20-cifar10-slicepad.onnx',
    'mnist-cntk-winml', 'lenet-caffe-v1', 'lenet-caffe-v2', 'cifar10_full-caffe-v1', 'squeezenet1.0-deepcompression', 'squeezenet1.1-fp16-winml', 'squeezenet1.1-gluon/squeezenet1.1.onnx',
  ])('%s', async (model) => {
    const path = dataPath(`models/${model}`);
    const [whole, half] = ['f32', 'f16'].map((precision) => folder(`${model.replaceAll('/', '_')}-${precision}`));
    const source = await inspected(path);
    const exact = await converted(path, whole);
    expect(exact).toMatchObject({ precision: 'f32', change: null });
    expect(await inspected(whole)).toEqual(source);

    const rounded = await converted(path, half, '--precision', 'f16');
    expect(rounded.parameters).toBe(exact.parameters);
    expect(await inspected(half)).toEqual(source);
    let largest = 0;
    const [original, narrow] = [tensorsOf(whole), tensorsOf(half)];
    for (const [name, { data }] of original) {
      const { data: found } = narrow.get(name)!;
      expect(bytesOf(found).equals(bytesOf(roundToFloat16(data))), name).toBe(true);
      for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(found[i] - data[i]));
    }
    expect(rounded.change?.largest ?? 0).toBe(largest);
  });
});

test('preprocessing and labels go along', async () => {
  const model = tiny('labelled', [1, 2, 3, 4]);
  writeFileSync(join(model, 'metadata.json'), JSON.stringify({ labels: ['cat', 'dog'], packageName: '@teachablemachine/image' }));
  expect(await converted(model, folder('labelled-out'))).toMatchObject({ labels: 2, preprocess: { channels: 'RGB', fit: 'crop' } });
  expect(JSON.parse(readFileSync(folder('labelled-out/network.json'), 'utf8'))).toMatchObject({ labels: ['cat', 'dog'], preprocess: { mean: [127, 127, 127] } });
  writeFileSync(folder('classes.txt'), 'one\ntwo\n');
  await converted(model, folder('relabelled'), '--labels', folder('classes.txt'));
  expect(JSON.parse(readFileSync(folder('relabelled/network.json'), 'utf8'))).toMatchObject({ labels: ['one', 'two'] });
});

test('people read what was written, and by how much f16 changes it', async () => {
  const model = tiny('sizes', [1, 0.1, -3, 70_000]);
  const { out } = await call('convert', model, folder('sizes-f32'));
  expect(out).toMatch(/^ {2}\S+network\.json +\S+ \S+\n {2}\S+weights\.safetensors +\S+ \S+$/m);
  expect(out).toMatch(/^net: 1 layer, 4 weights, without preprocessing, without labels\nread back and compared: every weight is the same, bit by bit$/m);
  const two = tiny('two', [1, 0.1, -3, 2], [layer('Dense', 'e', { units: 1, use_bias: false })]);
  const { json, bytes } = build(null, { 'd/kernel': { shape: [2, 2], bytes: float32(1, 0.1, -3, 2) }, 'e/kernel': { shape: [2, 1], bytes: float32(1e5, 0.3) } });
  const model2 = JSON.parse(readFileSync(join(two, 'model.json'), 'utf8')) as object;
  writeFileSync(join(two, 'model.json'), JSON.stringify({ ...model2, weightsManifest: json.weightsManifest }));
  writeFileSync(join(two, 'group1-shard1of1.bin'), bytes);
  const half = await call('convert', two, folder('two-f16'), '--precision', 'f16');
  expect(half.out).toMatch(/the largest change of a weight is 2\.44\de-5 \(0\.1, weight of layer 'd'\)\n1 tensor beyond the range of f16 stays f32/);
});

test('NaN, infinity and -0 come back bit by bit', async () => {
  await converted(tiny('odd', [NaN, -0, Infinity, 1e-45]), folder('odd-out'));
  expect([...tensorsOf(folder('odd-out')).get('d/weight')!.data]).toEqual([NaN, Infinity, -0, 1.401298464324817e-45]);
});

describe('nothing is lost', () => {
  test('a network that is there is not written over, but with --force', async () => {
    const [first, second] = [tiny('first', [1, 2, 3, 4]), tiny('second', [5, 6, 7, 8])];
    const out = folder('there');
    await converted(first, out);
    const refused = await call('convert', second, out);
    expect(refused).toMatchObject({ exit: 2, err: expect.stringMatching(/weights\.safetensors' is there already[^]*--force writes over it/) });
    expect([...tensorsOf(out).get('d/weight')!.data]).toEqual([1, 3, 2, 4]);
    await converted(second, out, '--force');
    expect([...tensorsOf(out).get('d/weight')!.data]).toEqual([5, 7, 6, 8]);
    expect(readdirSync(out).sort()).toEqual(['network.json', 'weights.safetensors']);
  });

  test('a folder with other files keeps them', async () => {
    mkdirSync(folder('other'));
    writeFileSync(folder('other/notes.txt'), 'mine');
    await converted(tiny('third', [1, 2, 3, 4]), folder('other'));
    expect(readdirSync(folder('other')).sort()).toEqual(['network.json', 'notes.txt', 'weights.safetensors']);
  });

  test('a file in place of the folder is refused before any work', async () => {
    writeFileSync(folder('file'), '');
    expect(await call('convert', folder('nothing.onnx'), folder('file'))).toMatchObject({ exit: 2, err: expect.stringMatching(/file' is no folder/) });
    mkdirSync(folder('odd-place/network.json'), { recursive: true });
    expect(await call('convert', folder('nothing.onnx'), folder('odd-place'), '--force')).toMatchObject({ exit: 2, err: expect.stringMatching(/is no ordinary file/) });
  });

  test('a model that cannot be loaded leaves nothing behind', async () => {
    writeFileSync(folder('broken.onnx'), 'broken');
    expect((await call('convert', folder('broken.onnx'), folder('never'))).exit).toBe(4);
    expect(existsSync(folder('never'))).toBe(false);
    expect(readdirSync(folder()).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
