import { describe, expect, test } from 'vitest';
import { architectureCalled } from '../../src/formats/architectures/weights.ts';
import { loadNetwork } from '../../src/formats/loader.ts';
import { readSidecar, writeSidecar } from '../../src/formats/sidecar.ts';
import { encodeText } from '../../src/formats/text.ts';
import type { Preprocess } from '../../src/network/network.ts';
import { fileOf, tensorsOf } from './architectures/files.ts';
import { onnxModel, op } from './onnx-builder.ts';

const model = { name: 'folder/net.onnx', bytes: onnxModel({ nodes: [op('Relu')], inputs: { x: [1, 3, 4, 4] }, outputs: ['y'] }) };
const preprocess = { channels: 'RGB', range: 1, mean: [0, 0, 0], std: [1, 1, 1], fit: 'crop' } as const;
const sidecar = (text: string) => ({ name: 'folder/unitscope.json', bytes: encodeText(text) });

describe('a sidecar', () => {
  test('says what the model file does not', async () => {
    const text = writeSidecar({ model: 'net.onnx', title: 'Net', source: 'here', licence: 'MIT', preprocess, labels: 'names.txt' });
    const network = await loadNetwork([model, sidecar(text), { name: 'names.txt', bytes: encodeText('one\r\ntwo\n') }]);
    expect(network).toMatchObject({ preprocess, labels: ['one', 'two'], notes: ["the preprocessing is that of 'folder/unitscope.json'"] });
    expect(readSidecar(text, 'x')).toMatchObject({ title: 'Net', licence: 'MIT' });
  });

  test('may hold the labels itself, and nothing else', async () => {
    const network = await loadNetwork([model, sidecar(writeSidecar({ model: 'net.onnx', labels: ['a', 'b'] }))]);
    expect(network.labels).toEqual(['a', 'b']);
    expect(network.preprocess).toBeUndefined();
  });

  test('of another model says nothing of this one', async () => {
    const network = await loadNetwork([model, sidecar(writeSidecar({ model: 'other.onnx', preprocess }))]);
    expect(network.preprocess).toBeUndefined();
    expect(network.notes).toEqual(["'folder/unitscope.json' is not used: it speaks of 'other.onnx', and this is 'net.onnx'"]);
  });

  test('whose list of classes is not there says so', async () => {
    const network = await loadNetwork([model, sidecar(writeSidecar({ model: 'net.onnx', labels: 'names.txt' }))]);
    expect(network.notes).toEqual(["the names of the classes, 'names.txt' by 'folder/unitscope.json', are not among the files"]);
  });

  test('overrules what is assumed of weights alone, and only repeats it where it says the same', async () => {
    const { training } = architectureCalled('resnet20')!;
    const weights = { name: 'w.safetensors', bytes: fileOf(tensorsOf(architectureCalled('resnet20')!)) };
    const load = (own: Preprocess) => loadNetwork([weights, sidecar(writeSidecar({ model: 'w.safetensors', preprocess: own }))]);
    const other = await load(preprocess);
    expect(other.preprocess).toEqual(preprocess);
    expect(other.notes!.at(-1)).toBe("the preprocessing is that of 'folder/unitscope.json'");
    const same = await load(training.preprocess);
    expect(same.notes!.join()).not.toMatch(/unitscope.json/);
  });

  test('does not overrule the model', async () => {
    const manifest = { format: 'unitscope', version: 1, name: 'net', inputs: [{ name: 'x', shape: [1, 3, 4, 4] }], outputs: ['y'], preprocess: { ...preprocess, range: 255 }, labels: ['own'], nodes: [{ name: 'y', op: 'relu', inputs: ['x'] }] };
    const network = await loadNetwork([{ name: 'net.json', bytes: encodeText(JSON.stringify(manifest)) }, sidecar(writeSidecar({ model: 'net.json', preprocess, labels: ['other'] }))]);
    expect(network).toMatchObject({ preprocess: { range: 255 }, labels: ['own'], notes: ["the preprocessing is that of 'net.json' itself, not that of 'folder/unitscope.json'"] });
  });

  test.each<[string, RegExp]>([
    ['{', /JSON/],
    ['{"format":"unitscope-sidecar"}', /model: must be a text/],
    ['{"format":"something"}', /none of unitscope-sidecar/],
    ['{"format":"unitscope-sidecar","model":"net.onnx","preproces":{}}', /preproces: is unknown/],
    ['{"format":"unitscope-sidecar","model":"net.onnx","preprocess":{"channels":"RGB","range":0,"mean":[0,0,0],"std":[1,1,1],"fit":"crop"}}', /preprocess\.range: must be above 0/],
  ])('%s is refused', async (text, message) => {
    await expect(loadNetwork([model, sidecar(text)])).rejects.toMatchObject({ code: 'model-format', message: expect.stringMatching(message) as string });
  });
});
