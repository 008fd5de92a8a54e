/** Our own form: round trip, and a path in every message. */
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { readManifest, writeManifest } from '../../src/formats/manifest/network.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { Network } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { diamond, tensor } from '../network/graphs.ts';

const full: Network = {
  ...diamond(),
  preprocess: { channels: 'BGR', range: 255, mean: [104, 117, 123], std: [1, 1, 1], fit: 'crop' },
  labels: ['cat', 'dog'],
};

function errorOf(read: () => unknown): UnitscopeError {
  try {
    read();
  } catch (error) {
    if (error instanceof UnitscopeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

type Editable = Record<string, unknown> & { nodes: Record<string, unknown>[]; inputs: Record<string, unknown>[]; preprocess: Record<string, unknown> };

/** The manifest of `full` after an edit of its JSON. */
function edited(edit: (manifest: Editable) => void): string {
  const manifest = JSON.parse(writeManifest(full).json) as Editable;
  edit(manifest);
  return JSON.stringify(manifest);
}

const tensors = readSafetensors(writeManifest(full).safetensors).tensors;

describe('manifest', () => {
  it('writes a tensor that layers share once', () => {
    const shared = tensor([2, 2]);
    const layer = (name: string, from: string) => ({ name, output: name, op: 'dense', inputs: [from], attributes: {}, weights: { weight: shared } });
    const network: Network = { name: 'twice', inputs: [{ name: 'x', shape: [1, 2] }], outputs: ['b'], nodes: [layer('a', 'x'), layer('b', 'a')] };
    const { json, safetensors } = writeManifest(network);
    const written = readSafetensors(safetensors).tensors;
    expect([...written.keys()]).toEqual(['a/weight']);
    expect(readManifest(json, written)).toEqual(network);
  });

  it('brings the same network back', () => {
    const { json, safetensors } = writeManifest(full);
    expect(readManifest(json, readSafetensors(safetensors).tensors)).toEqual(full);
  });

  it('brings the nearest numbers back at half precision', () => {
    const { json, safetensors } = writeManifest(full, { precision: 'f16' });
    const read = readManifest(json, readSafetensors(safetensors).tensors);
    expect(safetensors.length).toBeLessThan(writeManifest(full).safetensors.length - 90);
    full.nodes[0]!.weights.weight!.data.forEach((value, i) => {
      expect(Math.abs(read.nodes[0]!.weights.weight!.data[i]! - value)).toBeLessThanOrEqual(2 ** -12);
    });
  });

  it('makes a network that the ops accept', () => {
    expect(shapesOf(readManifest(writeManifest(full).json, tensors)).get('sum')).toEqual([1, 2, 4, 4]);
  });

  it('takes tensors made in memory without copying them', () => {
    const made = new Map([...tensors].map(([name, { shape }]) => [name, tensor(shape)]));
    const read = readManifest(writeManifest(full).json, made);
    expect(read.nodes[0]!.weights.weight).toBe(made.get('conv/weight'));
  });

  it('lists all missing tensors at once', () => {
    const error = errorOf(() => readManifest(writeManifest(full).json, new Map([['conv/weigth', tensor([1])]])));
    expect(error.code).toBe('model-invalid');
    expect(error.message).toBe("2 tensors are missing in the weights: 'conv/weight', 'conv/bias'");
    expect(error.hint).toContain("'conv/weigth'");
  });

  it.each<[string, (manifest: Editable) => void, RegExp]>([
    ['another format', (m) => (m.format = 'onnx'), /^format: 'onnx' is none of unitscope/],
    ['a later version', (m) => (m.version = 2), /^version: is 2/],
    ['a missing name', (m) => delete m.name, /^name: must be a text, nothing is there/],
    ['an empty name', (m) => (m.name = ''), /^name: must not be empty/],
    ['weights in another folder', (m) => (m.weights = '../secret'), /^weights: must be a file name without folders/],
    ['an unknown key', (m) => (m.lables = []), /^lables: is unknown/],
    ['inputs that are no list', (m) => (m.inputs = {} as never), /^inputs: must be a list, an object is there/],
    ['an input without a shape', (m) => delete m.inputs[0]!.shape, /^inputs\[0\]\.shape: must be a list/],
    ['a size of 0', (m) => (m.inputs[0]!.shape = [1, 0, 4, 4]), /^inputs\[0\]\.shape\[1\]: must be a whole number above 0/],
    ['a size in quotes', (m) => (m.inputs[0]!.shape = [1, '3', 4, 4]), /^inputs\[0\]\.shape\[1\]: must be a finite number, the text '3'/],
    ['channels of another kind', (m) => (m.preprocess.channels = 'rgb'), /^preprocess\.channels: 'rgb' is none of RGB, BGR, gray/],
    ['two means', (m) => (m.preprocess.mean = [1, 2]), /^preprocess\.mean: must have 3 numbers for BGR/],
    ['a std of 0', (m) => (m.preprocess.std = [1, 0, 1]), /^preprocess\.std: must be above 0/],
    ['a range of 0', (m) => (m.preprocess.range = 0), /^preprocess\.range: must be above 0/],
    ['labels that are no texts', (m) => (m.labels = ['a', 3]), /^labels\[1\]: must be a text, number 3/],
    ['a node that is no object', (m) => (m.nodes[1] = [] as never), /^nodes\[1\]: must be an object, a list is there/],
    ['a node without an op', (m) => delete m.nodes[1]!.op, /^nodes\[1\]\.op: must be a text/],
    ['an unknown key of a node', (m) => (m.nodes[2]!.input = []), /^nodes\[2\]\.input: is unknown/],
    ['an attribute that is an object', (m) => (m.nodes[0]!.attributes = { stride: {} }), /^nodes\[0\]\.attributes\.stride: must be a finite number, an object/],
    ['an attribute with a text inside', (m) => (m.nodes[0]!.attributes = { stride: [1, 'a'] }), /^nodes\[0\]\.attributes\.stride\[1\]/],
    ['an attribute that is null', (m) => (m.nodes[0]!.attributes = { stride: null }), /^nodes\[0\]\.attributes\.stride: must be a finite number, null/],
    ['a weight that is no name', (m) => (m.nodes[0]!.weights = { weight: 3 }), /^nodes\[0\]\.weights\.weight: must be a text/],
  ])('refuses %s', (_, edit, message) => {
    const error = errorOf(() => readManifest(edited(edit), tensors, { file: 'net.json' }));
    expect(error.code).toBe('model-format');
    expect(error.message).toMatch(message);
    expect(error.address.file).toBe('net.json');
  });

  it('says which key was meant', () => {
    expect(errorOf(() => readManifest(edited((m) => (m.lables = [])), tensors)).hint).toContain("'labels'");
    expect(errorOf(() => readManifest(edited((m) => (m.nodes[0]!.atributes = {})), tensors)).hint).toContain("'attributes'");
  });

  it('refuses an attribute beyond the range of numbers', () => {
    const json = writeManifest(full).json.replace('"groups":1', '"groups":1e999');
    expect(errorOf(() => readManifest(json, tensors)).message).toMatch(/^nodes\[0\]\.attributes\.groups: must be a finite number/);
  });

  it('keeps hostile names what they are', () => {
    const json = edited((m) => (m.nodes[0]!.weights = JSON.parse('{"__proto__": "conv/weight"}') as object));
    expect(Object.keys(readManifest(json, tensors).nodes[0]!.weights)).toEqual(['__proto__']);
  });

  it('checks the graph as every loader does', () => {
    const json = edited((m) => (m.nodes[1]!.inputs = ['sum']));
    expect(errorOf(() => readManifest(json, tensors)).message).toMatch(/cycle/);
    const cut = new Map([...tensors, ['conv/bias', { shape: [3], data: new Float32Array(2) }]]);
    expect(errorOf(() => readManifest(writeManifest(full).json, cut))).toMatchObject({ code: 'model-invalid', address: { layer: 'conv' } });
  });
});
