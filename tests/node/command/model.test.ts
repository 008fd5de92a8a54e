import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import type { Network } from '../../../src/index.ts';
import { caffeModel } from '../../formats/caffe-builder.ts';
import { floats, onnxModel, op } from '../../formats/onnx-builder.ts';
import { build, input, layer, sequence } from '../../formats/tfjs-builder.ts';
import { call, start, useFolder } from './program.ts';

const folder = useFolder();
const embedded = join(import.meta.dirname, '../../../models/embedded');
const weights = join(embedded, 'weights.safetensors');

interface Facts {
  name: string;
  hash: string;
  inputs: { name: string; shape: number[] }[];
  preprocess: object | null;
  outputs: { name: string; shape: number[] }[];
  labels: string[];
  parameters: number;
  layers: { name: string; op: string; shape: number[]; parameters: number; attributes: object }[];
  notes: string[];
}

/** The manifest of the embedded network with one text in place of another, as a file. */
function edited(name: string, from: string | RegExp, to: string): string {
  const text = readFileSync(join(embedded, 'network.json'), 'utf8');
  expect(text).toMatch(from);
  writeFileSync(folder(name), text.replace(from, to));
  return folder(name);
}

/** One layer y = w x + b with the given weights. */
function tinyNetwork(values: readonly number[], name = 'tiny'): Network {
  const node = { name, output: 'y', op: 'dense', inputs: ['x'], attributes: {}, weights: { weight: { shape: [2, 2], data: Float32Array.from(values) } } };
  return { name: 'tiny', inputs: [{ name: 'x', shape: [1, 2] }], outputs: ['y'], nodes: [node] };
}

function writeTiny(place: string, network: Network): string {
  const { json, safetensors } = writeManifest(network);
  mkdirSync(folder(place), { recursive: true });
  writeFileSync(folder(`${place}/network.json`), json);
  writeFileSync(folder(`${place}/weights.safetensors`), safetensors);
  return folder(place);
}

describe('inspect', () => {
  test('the built program finds the embedded network and tells what it holds', async () => {
    const { exit, out, err, lingered } = await start(['inspect', '--json']);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(lingered).toBeLessThan(2000);
    const facts = JSON.parse(out) as Facts;
    expect(facts).toMatchObject({ name: 'embedded', inputs: [{ name: 'data', shape: [1, 3, 96, 96] }], outputs: [{ name: 'prob', shape: [1, 16] }] });
    expect(facts.preprocess).toMatchObject({ channels: 'RGB' });
    expect(facts.labels).toHaveLength(16);
    const first = facts.layers[0];
    expect(first).toMatchObject({ name: 'conv1', op: 'conv2d', shape: [1, 32, 32, 32], attributes: { stride: [3, 3], padding: [3, 3, 3, 3] } });
    expect(first.parameters).toBe(32 * 3 * 7 * 7 + 32);
    expect(facts.parameters).toBe(facts.layers.reduce((sum, { parameters }) => sum + parameters, 0));
  });

  test('a file, its folder and the name `embedded` are the same network', async () => {
    const [named, file, whole, absent] = await Promise.all(
      [['embedded'], [join(embedded, 'network.json')], [embedded], []].map(async (words) => (await call('inspect', '--json', ...words)).out),
    );
    expect(file).toBe(named);
    expect(whole).toBe(named);
    expect(absent).toBe(named);
  });

  test('a network of Caffe: its folder, its prototxt, and weights that lie elsewhere', async () => {
    const text = 'name: "net" input: "data" input_shape { dim: [1, 3, 4, 4] } layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 bias_term: false } }';
    const model = caffeModel({ ip: [{ shape: [2, 48], data: Array.from({ length: 96 }, (_, i) => i) }] });
    const files = { 'caffe/net.prototxt': text, 'caffe/net.caffemodel': model, 'apart/net.prototxt': text, 'stored/other.caffemodel': model };
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder(path), '..'), { recursive: true });
      writeFileSync(folder(path), content);
    }
    const places = [[folder('caffe')], [folder('caffe/net.prototxt')], [folder('apart/net.prototxt'), '--weights', folder('stored/other.caffemodel')], [folder('apart'), '--weights', folder('stored')]];
    for (const words of places) {
      const { exit, out, err } = await call('inspect', '--json', ...words);
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      expect(JSON.parse(out)).toMatchObject({ name: 'net', preprocess: null, parameters: 96, layers: [{ name: 'ip', op: 'dense', shape: [1, 2] }] });
    }
    const missing = await call('inspect', folder('apart/net.prototxt'));
    expect(missing).toMatchObject({ exit: 2, err: expect.stringMatching(/the weights are missing[^]*give the .prototxt and its .caffemodel together/) });
    writeFileSync(folder('caffe/unitscope.json'), '{"format":"unitscope-sidecar","model":"net.prototxt"}');
    expect(await call('inspect', folder('caffe/unitscope.json'))).toMatchObject({ exit: 2, err: expect.stringMatching(/says something of a model and is none[^]*or their folder: '.*caffe'/) });
    mkdirSync(folder('links'));
    symlinkSync(folder('caffe/net.prototxt'), folder('links/net.prototxt'));
    expect(await call('inspect', folder('links'))).toMatchObject({ exit: 4, err: expect.stringMatching(/holds no files[^]*folders in it and links are passed over/) });
    const alone = await call('inspect', folder('stored/other.caffemodel'));
    expect(alone).toMatchObject({ exit: 4, err: expect.stringContaining('Caffe needs its .prototxt too') });
  });

  test('a network of TensorFlow.js: its folder, its model.json, and weights that lie elsewhere', async () => {
    const model = sequence(input('x', 2), layer('Dense', 'd', { units: 3 }));
    const built = build(model, { 'd/kernel': { shape: [2, 3] }, 'd/bias': { shape: [3] } });
    const manifest = (built.json.weightsManifest as Record<string, unknown>[])[0];
    const json = JSON.stringify({ ...built.json, weightsManifest: [{ ...manifest, paths: ['./model.weights.bin'] }] });
    const contents = { 'tfjs/model.json': json, 'tfjs/model.weights.bin': built.bytes, 'tfjs/metadata.json': '{"labels":["a","b","c"]}', 'tfjs-apart/model.json': json, 'tfjs-stored/other.bin': built.bytes, 'tfjs-named/model.weights.bin': built.bytes };
    for (const [path, content] of Object.entries(contents)) {
      mkdirSync(join(folder(path), '..'), { recursive: true });
      writeFileSync(folder(path), content);
    }
    const places = [[folder('tfjs')], [folder('tfjs/model.json')], [folder('tfjs-apart/model.json'), '--weights', folder('tfjs-stored/other.bin')], [folder('tfjs-apart'), '--weights', folder('tfjs-named')]];
    for (const [index, words] of places.entries()) {
      const { exit, out, err } = await call('inspect', '--json', ...words);
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      expect(JSON.parse(out)).toMatchObject({ name: 'net', parameters: 9, layers: [{ name: 'd', op: 'dense', shape: [1, 3] }], labels: index < 2 ? ['a', 'b', 'c'] : null });
    }
    const missing = await call('inspect', folder('tfjs-apart/model.json'));
    expect(missing).toMatchObject({ exit: 4, err: expect.stringMatching(/1 of 1 files of weights is missing: 'model.weights.bin'/) });
  });

  test('what a unit of every layer sees, as data and in the table', async () => {
    const { layers } = JSON.parse((await call('inspect', '--json')).out) as { layers: { name: string; receptiveField: object | null; receptiveFieldReason?: string; receptiveFields?: object }[] };
    expect(layers[0]).toMatchObject({ name: 'conv1', receptiveField: { size: [7, 7], stride: [3, 3], offset: [0, 0] } });
    expect(layers.at(-1)).toMatchObject({ name: 'prob', receptiveField: { size: [96, 96], stride: [0, 0], offset: [47.5, 47.5] } });
    expect(layers[0]).not.toHaveProperty('receptiveFields');
    const { out } = await call('inspect');
    expect(out).toMatch(/layer +op +output +parameters +sees +attributes/);
    expect(out).toMatch(/conv1 +conv2d .* 7 every 3 from 0 /);
    expect(out).toMatch(/prob .* the whole image/);
    const vector = (await call('inspect', writeTiny('vector', tinyNetwork([1, 2, 3, 4])), '--json')).out;
    expect(JSON.parse(vector)).toMatchObject({ layers: [{ receptiveField: null, receptiveFieldReason: 'it sees no image' }] });
  });

  test('people read a table', async () => {
    const { out } = await call('inspect');
    expect(out).toMatch(/^ {2}preprocessing {2}RGB, 0\.\.1, mean /m);
    expect(out).toMatch(/^ {2}conv1 {2}conv2d +1 x 32 x 32 x 32 +4,736 {2}7 every 3 from 0 +stride 3,3; padding 3,3,3,3/m);
    writeFileSync(folder('relu.onnx'), onnxModel({ nodes: [op('Relu')], inputs: { x: [1, 3, 4, 4] }, outputs: ['y'] }));
    expect((await call('inspect', folder('relu.onnx'))).out).toMatch(/preprocessing {2}not stated/);
  });

  test('weights may lie elsewhere, as a file of any name or in a folder', async () => {
    const manifest = edited('apart.json', '"embedded"', '"apart"');
    copyFileSync(weights, folder('other.bin'));
    for (const place of [weights, embedded, folder('other.bin')]) {
      expect((await call('inspect', manifest, '--weights', place)).exit).toBe(0);
    }
  });

  test('labels from a file', async () => {
    writeFileSync(folder('labels.txt'), 'one\ntwo\n');
    const { out } = await call('inspect', '--labels', folder('labels.txt'), '--json');
    expect((JSON.parse(out) as Facts).labels).toEqual(['one', 'two']);
  });

  test('an open input size is asked for, and taken', async () => {
    writeFileSync(folder('open.onnx'), onnxModel({ nodes: [op('Relu')], inputs: { x: ['n', 3, 'h', 'w'] }, outputs: ['y'] }));
    const asked = await call('inspect', folder('open.onnx'));
    expect(asked.exit).toBe(4);
    expect(asked.err).toMatch(/--input-shape 1,3,224,224/);
    const { out } = await call('inspect', folder('open.onnx'), '--input-shape', '1,3,8,9', '--json');
    expect((JSON.parse(out) as Facts).layers[0].shape).toEqual([1, 3, 8, 9]);
  });
});

describe('plan', () => {
  interface PlanData {
    batch: number;
    steps: { pass: string; label: string; kernel: string; shape: number[]; grid: number[]; flops: number; bytes: number }[];
    totals: { steps: number; flops: number; bytes: number; memory: number };
  }

  test('every step with shape, work and bytes, and their sums', async () => {
    const { exit, out } = await start(['plan', '--batch', '2', '--layer', 'conv2', '--backward', 'guided', '--json']);
    expect(exit).toBe(0);
    const { batch, steps, totals } = JSON.parse(out) as PlanData;
    expect(batch).toBe(2);
    expect(new Set(steps.map(({ pass }) => pass))).toEqual(new Set(['forward', 'backward']));
    const conv = steps.find(({ label }) => /^conv2\/conv2d\.forward$/.test(label))!;
    expect(conv).toMatchObject({ shape: [2, 64, 15, 15], flops: 2 * 2 * 64 * 15 * 15 * 16 * 25 });
    expect(totals.steps).toBe(steps.length);
    expect(totals.flops).toBe(steps.reduce((sum, { flops }) => sum + flops, 0));
  });

  test('without a layer, all outputs forward', async () => {
    const { out } = await call('plan');
    expect(out).toMatch(/prob\/softmax\.forward +softmax +1 x 16 /);
    expect(out).not.toMatch(/backward/);
    expect(out).toMatch(/^ {2}memory +\S+ MiB in \d+ buffers[^\n]*\n +1\.\d\d times the \S+ MiB that are alive at one step at most$/m);
  });
});

describe('plan --explain', () => {
  test('the built program runs each step beside its limit', async () => {
    const { exit, out } = await start(['plan', '--explain', '--layer', 'conv2', '--json']);
    expect(exit).toBe(0);
    const { steps, adapter, explanation } = JSON.parse(out) as {
      steps: { label: string }[];
      adapter: string;
      explanation: { steps: { label: string; limitMs: number; timeMs: number; share: number }[]; total: { limitMs: number; timeMs: number; runMs: number } };
    };
    expect(adapter).not.toBe('');
    expect(explanation.steps.map(({ label }) => label)).toEqual(steps.map(({ label }) => label));
    for (const { limitMs, timeMs, share } of explanation.steps) {
      expect(Math.min(limitMs, timeMs)).toBeGreaterThan(0);
      expect(share).toBeCloseTo(limitMs / timeMs, 9);
    }
    expect(explanation.total.limitMs).toBeCloseTo(explanation.steps.reduce((sum, { limitMs }) => sum + limitMs, 0), 9);
  });

  test('people read a table with a line for what is slow', async () => {
    const { exit, out } = await start(['plan', '--explain', '--layer', 'pool1']);
    expect(exit).toBe(0);
    expect(out).toMatch(/^ {2}multiply-adds +\S+ .?FLOP\/s/m);
    expect(out).toMatch(/^ {2}step +kernel +limit +takes +share +bound by$/m);
    expect(out).toMatch(/^ {2}pool1\/max_pool\.forward +max_pool .*%  (arithmetic|memory|dispatch)$/m);
    expect(out).toMatch(/^ {2}forward( +\S+ .?s){2} +\S+ %$/m);
  });
});

describe('an unusable model ends with 4, and the message names file or layer', () => {
  const conv = () => onnxModel({ nodes: [op('Conv', {}, ['x', 'w'])], inputs: { x: [1, 3, 8, 8] }, outputs: ['y'], constants: [floats('w', 4, 3, 3, 3)] });
  const files: Record<string, () => Uint8Array | string> = {
    'empty.onnx': () => '',
    'cut.onnx': () => conv().subarray(0, 200),
    'page.onnx': () => '<!DOCTYPE html><html><body>Not found</body></html>',
    'pointer.onnx': () => 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n',
    'unknown.onnx': () => onnxModel({ nodes: [op('Frobnicate')], inputs: { x: [1, 3, 4, 4] }, outputs: ['y'] }),
    'dims.onnx': () => onnxModel({ nodes: [op('Conv', {}, ['x', 'w'])], inputs: { x: [1, 5, 8, 8] }, outputs: ['y'], constants: [floats('w', 4, 3, 3, 3)] }),
  };

  test.each([
    ['empty.onnx', /empty file/],
    ['cut.onnx', /file '.*cut\.onnx'/],
    ['page.onnx', /web page/],
    ['pointer.onnx', /Git LFS pointer/],
    ['unknown.onnx', /Frobnicate/],
    ['dims.onnx', /layer 'y'[^]*needs 3 channels[^]*file '.*dims\.onnx'/],
  ])('%s', async (name, message) => {
    writeFileSync(folder(name), files[name]());
    const { exit, out, err } = await call('inspect', folder(name));
    expect({ exit, out }).toEqual({ exit: 4, out: '' });
    expect(err).toMatch(message);
    expect(err).toContain(name);
  });

  test.each([
    ['cycle', '"inputs":["data"]', '"inputs":["prob"]', /conv1/],
    ['channels', /"shape": \[\s+1,\s+3,/, '"shape": [1, 4,', /layer 'conv1'/],
    ['op', '"op":"lrn"', '"op":"lrm"', /'lrm'/],
    ['attribute', '"alpha":0.1', '"alhpa":0.1', /attribute 'alhpa'/],
    ['tensor', '"weight":"conv1/weight"', '"weight":"conv9/weight"', /conv9\/weight/],
  ])('a manifest with a wrong %s', async (name, from, to, message) => {
    const { exit, err } = await call('inspect', edited(`${name}.json`, from, to), '--weights', weights);
    expect(exit).toBe(4);
    expect(err).toMatch(message);
    expect(err).toContain(`${name}.json`);
  });

  test('weights that are not there', async () => {
    const { exit, err } = await call('inspect', edited('lonely.json', '"weights.safetensors"', '"gone.safetensors"'));
    expect(exit).toBe(4);
    expect(err).toMatch(/'gone\.safetensors'[^]*is missing/);
  });

  test('a link beside a manifest is not followed', async () => {
    const manifest = edited('linked.json', '"weights.safetensors"', '"link.safetensors"');
    symlinkSync(weights, folder('link.safetensors'));
    expect((await call('inspect', manifest)).exit).toBe(4);
  });

  test('a folder without a network says what is in it', async () => {
    mkdirSync(folder('notes'));
    expect((await call('inspect', folder('notes'))).exit).toBe(4);
    writeFileSync(folder('notes/notes.txt'), 'nothing here');
    const { exit, err } = await call('inspect', folder('notes'));
    expect(exit).toBe(4);
    expect(err).toMatch(/notes\.txt/);
  });
});

test('weights that are not finite are told; --strict refuses them', async () => {
  const place = writeTiny('flawed', tinyNetwork([1, NaN, 2, Infinity]));
  const lenient = await call('inspect', place);
  expect(lenient.exit).toBe(0);
  expect(lenient.out).toMatch(/Notes:\n.*'weight' of layer 'tiny': 2 of 4 numbers are not finite/);
  expect((await call('plan', place)).err).toMatch(/^note: .*not finite/);
  expect(await call('inspect', place, '--strict')).toMatchObject({ exit: 4, err: expect.stringMatching(/layer 'tiny'[^]*--strict/) as string });
});

test('a name that would command the terminal is shown harmless', async () => {
  const { exit, out } = await call('inspect', writeTiny('rude', tinyNetwork([1, 2, 3, 4], '\u001b[31mred\u202e\u009b2J')));
  expect(exit).toBe(0);
  expect(out).toContain('\\u001b[31mred\\u202e\\u009b2J');
  expect([...out].every((letter) => letter === '\n' || letter >= ' ')).toBe(true);
});
