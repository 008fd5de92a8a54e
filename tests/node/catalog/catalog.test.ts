import { describe, expect, test } from 'vitest';
import { UnitscopeError } from '../../../src/errors.ts';
import { checkPreprocess } from '../../../src/index.ts';
import { findEntry, isInside, ownCatalog, parseCatalog, totalBytes } from '../../../src/node/catalog/catalog.ts';
import { fits } from '../../../src/node/catalog/digest.ts';
import { knownEntry } from '../../../src/node/catalog/known.ts';
import { nearest } from '../../../src/node/command/arguments.ts';
import { dataBytes } from '../../formats/reference-data.ts';

describe('the catalog that comes with the program', () => {
  const { entries, redirects } = ownCatalog();

  test('has the networks that people start with', () => {
    expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(['caffenet', 'alexnet', 'googlenet', 'vgg16', 'vgg19', 'squeezenet1.1', 'resnet50-onnx', 'mobilenet-tfjs', 'tinyvgg', 'resnet18-torchvision']));
    expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
  });

  test.each(entries.map((entry) => [entry.name, entry] as const))('%s can be fetched, checked and fed', (_, entry) => {
    for (const { path, urls, bytes, digests } of entry.files) {
      expect(isInside(path)).toBe(true);
      // Whatever is not hashed is said to be unverified.
      if (bytes === undefined || Object.keys(digests).length === 0) expect(entry.unverified).toMatch(/nobody states sizes and hashes/);
      for (const url of urls) expect(new URL(url).pathname.length).toBeGreaterThan(1);
    }
    expect(totalBytes(entry)).toBeGreaterThan(80_000);
    if (entry.preprocess) checkPreprocess(entry.preprocess, 3);
    else expect(entry.preprocessFrom).toMatch(/^not settled/);
    expect(entry.preprocessFrom.length).toBeGreaterThan(20);
    expect(entry.files.map(({ path }) => path)).toContain(entry.model);
    // Networks of Caffe take blue first, in 0..255.
    if (entry.format === 'Caffe') expect(entry.preprocess).toMatchObject({ channels: 'BGR', range: 255, std: [1, 1, 1] });
  });

  test('the hosts that may answer are few', () => {
    const hosts = new Set(entries.flatMap(({ files }) => files.flatMap(({ urls }) => urls.map((url) => new URL(url).hostname))));
    expect([...hosts].sort()).toEqual([
      'dl.caffe.berkeleyvision.org', 'gist.githubusercontent.com', 'github.com', 'huggingface.co', 'raw.githubusercontent.com', 'storage.googleapis.com', 'storage.openvinotoolkit.org', 'www.robots.ox.ac.uk',
    ]);
    for (const host of redirects.keys()) expect(hosts).toContain(host);
  });

  test('what is called verified is the file itself', () => {
    const places: Record<string, string> = { tinyvgg: 'tinyvgg-cnnexplainer', 'squeezenet1.1-fp16': 'squeezenet1.1-fp16-winml' };
    const verified = entries.filter(({ unverified }) => unverified === undefined);
    expect(verified.map(({ name }) => name).sort()).toEqual(Object.keys(places).sort());
    for (const entry of verified) {
      for (const file of entry.files) {
        const content = dataBytes(file.path === 'labels.txt' ? 'labels/imagenet1000_short.txt' : `models/${places[entry.name]}/${file.path}`);
        expect(content.length).toBe(file.bytes);
        expect(fits(content, file.digests), file.path).toBe(true);
        const known = knownEntry({ entries, redirects }, [{ name: 'any name', bytes: content }]);
        if (file.bytes! > 20_000) expect(known?.name).toBe(entry.name);
        else expect(known).toBeUndefined();
      }
    }
  });

  test.each(['caffenet', 'alexnet', 'googlenet'])('the prototxt of %s is that of the reference network with a batch of ten', (name) => {
    const network = name === 'caffenet' ? 'bvlc_reference_caffenet' : `bvlc_${name}`;
    const text = new TextDecoder().decode(dataBytes(`synthetic-weights/${network}/deploy.prototxt`)).replace('dim: 1 dim: 3', 'dim: 10 dim: 3');
    const [file] = entries.find((entry) => entry.name === name)!.files;
    expect(text.length).toBe(file.bytes);
    expect(fits(new TextEncoder().encode(text), file.digests)).toBe(true);
  });

  test('a wrong name is answered with a near one', () => {
    expect(() => findEntry(ownCatalog(), 'cafenet', nearest)).toThrow(/no network 'cafenet'/);
    expect(findEntry(ownCatalog(), 'CaffeNet', nearest).name).toBe('caffenet');
  });

  test('another file of the same size is not known', () => {
    const entry = entries.find(({ name }) => name === 'tinyvgg')!;
    const size = entry.files.find(({ path }) => path !== 'model.json')!.bytes!;
    expect(knownEntry(ownCatalog(), [{ name: 'x', bytes: new Uint8Array(size) }])).toBeUndefined();
  });
});

const entry = {
  name: 'net', title: 'Net', format: 'ONNX', model: 'net.onnx', licence: 'MIT', source: 'https://example.org', preprocessFrom: 'nobody', verified: true,
  files: [{ path: 'net.onnx', urls: ['https://example.org/net.onnx'], bytes: 10, sha256: 'a'.repeat(64) }],
};
const catalogOf = (...models: object[]) => JSON.stringify({ format: 'unitscope-catalog', version: 1, redirects: {}, labels: {}, models });
const fileOf = (file: object) => catalogOf({ ...entry, files: [{ ...entry.files[0], ...file }] });

describe('a catalog is read as the file of a stranger', () => {
  test('one that is right', () => expect(parseCatalog(catalogOf(entry), 'c.json').entries[0]).toMatchObject({ name: 'net', files: [{ digests: { sha256: 'a'.repeat(64) } }] }));

  test.each<[string, string, RegExp]>([
    ['no JSON', '{', /JSON/],
    ['another version', JSON.stringify({ format: 'unitscope-catalog', version: 2 }), /version/],
    ['a name with a slash', catalogOf({ ...entry, name: '../net' }), /models\[0\]\.name/],
    ['one name twice', catalogOf(entry, entry), /stands there twice/],
    ['a path upwards', fileOf({ path: '../net.onnx' }), /files\[0\]\.path: '\.\.\/net\.onnx' may lead out/],
    ['a path from the root', fileOf({ path: '/net.onnx' }), /may lead out/],
    ['a path of Windows', fileOf({ path: 'C:\\net.onnx' }), /may lead out/],
    ['a hidden file', fileOf({ path: '.bashrc' }), /may lead out/],
    ['two files of one path', catalogOf({ ...entry, files: [entry.files[0], { ...entry.files[0], path: 'NET.onnx' }] }), /two files have one path/],
    ['another scheme', fileOf({ urls: ['file:///etc/passwd'] }), /must be an address of http or https/],
    ['http without a hash', fileOf({ urls: ['http://example.org/net.onnx'], sha256: undefined }), /must be https where no hash is known/],
    ['http with a weak hash', fileOf({ urls: ['http://example.org/net.onnx'], sha256: undefined, md5: 'a'.repeat(32) }), /must be https/],
    ['no address', fileOf({ urls: [] }), /must name an address/],
    ['a cut hash', fileOf({ sha256: 'abc' }), /64 hexadecimal digits/],
    ['a size that is none', fileOf({ bytes: -1 }), /must be a size/],
    ['a size beyond all', fileOf({ bytes: 2 ** 40 }), /must be a size/],
    ['an unknown field', fileOf({ sha255: 'a' }), /sha255: is unknown/],
    ['a model that is no file', catalogOf({ ...entry, model: 'other.onnx' }), /'other\.onnx' is none of the files/],
    ['labels that are nowhere', catalogOf({ ...entry, labels: 'animals' }), /no list 'animals'/],
    ['not verified, without a reason', catalogOf({ ...entry, verified: false }), /must say why/],
    ['a preprocessing with two means', catalogOf({ ...entry, preprocess: { channels: 'RGB', range: 1, mean: [0, 0], std: [1, 1, 1], fit: 'crop' } }), /preprocess\.mean: must have 3 numbers/],
  ])('%s is refused', (_, text, message) => {
    expect(() => parseCatalog(text, 'c.json')).toThrow(message);
    expect(() => parseCatalog(text, 'c.json')).toThrow(UnitscopeError);
  });
});

test.each([['a/b.onnx', true], ['model.safetensors', true], ['a b.txt', true], ['a//b', false], ['a/', false], ['a/../b', false], ['a\u0000b', false], ['nul', false], ['COM1.txt', false], ['a.', false], ['a ', false], ['x'.repeat(300), false], ['é', false]])(
  'the path %j stays inside: %s',
  (path, expected) => expect(isInside(path)).toBe(expected),
);
