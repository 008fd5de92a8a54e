import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseCatalog } from '../../../src/node/catalog/catalog.ts';
import { fetchFrom } from '../../../src/node/command/fetch.ts';
import { inspect } from '../../../src/node/command/inspect.ts';
import { main } from '../../../src/node/command/main.ts';
import { dataBytes, dataPath } from '../../formats/reference-data.ts';
import { onnxModel, op } from '../../formats/onnx-builder.ts';
import { useFileServer } from '../catalog/file_server.ts';
import { call, start, useFolder } from './program.ts';

const folder = useFolder();
const server = useFileServer();

const model = onnxModel({ nodes: [op('Relu')], inputs: { x: [1, 3, 4, 4] }, outputs: ['y'] });
const labels = new TextEncoder().encode('one\ntwo\n');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const preprocess = { channels: 'BGR', range: 255, mean: [1, 2, 3], std: [1, 1, 1], fit: 'stretch' };
const entry = {
  name: 'net', title: 'A net', format: 'ONNX', model: 'net.onnx', licence: 'MIT', source: 'https://example.org/net', preprocess, preprocessFrom: 'its makers', labels: 'pair',
  accuracy: '50 %', expected: { image: 'https://example.org/cat.png', index: 1, label: 'two', from: 'a dream' }, verified: false, unverified: 'nobody looked',
  files: [{ path: 'net.onnx', urls: ['https://net.invalid/net.onnx'], bytes: model.length, sha256: sha256(model) }],
};
const catalogOf = (...models: object[]) =>
  parseCatalog(JSON.stringify({ format: 'unitscope-catalog', version: 1, redirects: {}, labels: { pair: { path: 'labels.txt', urls: ['https://net.invalid/l.txt'], bytes: labels.length, sha256: sha256(labels) } }, models }), 'c.json');

let out = '';
let count = 0;
beforeEach(() => {
  out = folder(`out-${count++}`);
  server.files.set('/net/net.onnx', { bytes: model });
  server.files.set('/net/labels.txt', { bytes: labels });
});

/** Does something once, when a file has so many bytes. */
function onceWritten(path: string, size: number, act: () => unknown): void {
  const timer = setInterval(() => {
    if (!existsSync(path) || statSync(path).size < size) return;
    clearInterval(timer);
    act();
  }, 20);
}

/** Runs `fetch` over a catalog of these networks, with the server as the mirror. */
async function run(words: readonly string[], models: readonly object[] = [entry], signal = new AbortController().signal) {
  let [text, err] = ['', ''];
  const stdout = { write: (piece: string) => (text += piece) };
  const stderr = { write: (piece: string) => (err += piece) };
  const commands = [fetchFrom(() => catalogOf(...models)), inspect];
  const exit = await main(['fetch', ...words, '--out', out, '--mirror', server.address], commands, { stdout, stderr, environment: {}, signal, version: '0' });
  return { exit, out: text, err };
}

describe('the list', () => {
  test('is a table of what there is', async () => {
    const { exit, out: text, err } = await call('fetch');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(text).toMatch(/^ {2}name +network +format +size +licence +verified$/m);
    expect(text).toMatch(/^ {2}caffenet +CaffeNet, .* Caffe +232\.6 MiB {2}unrestricted use +no$/m);
    expect(text).toMatch(/^ {2}tinyvgg .* 82\.4 KiB {2}MIT +yes$/m);
    expect(text).toMatch(/^ {2}mobilenet-tfjs .* over 1\.8 MiB /m);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(140);
  });

  test('as data it has the addresses, the hashes, the preprocessing, and why something is not verified', async () => {
    const { networks } = JSON.parse((await call('fetch', '--json')).out) as { networks: { name: string; verified: boolean; unverified?: string }[] };
    expect(networks.find(({ name }) => name === 'googlenet')).toMatchObject({
      verified: false, unverified: expect.stringContaining('never downloaded') as string, preprocess: { channels: 'BGR', mean: [104, 117, 123] },
      files: expect.arrayContaining([expect.objectContaining({ digests: expect.objectContaining({ sha1: '405fc5acd08a3bb12de8ee5e23a96bec22f08204' }) as object })]) as object,
    });
  });

  test('a name that is not in it', async () => {
    expect(await call('fetch', 'caffnet')).toMatchObject({ exit: 2, err: expect.stringMatching(/no network 'caffnet'[^]*did you mean 'caffenet'/) as string });
  });
});

describe('a network', () => {
  test('comes with its labels and a sidecar, and is opened with its preprocessing', async () => {
    const { exit, out: text, err } = await run(['net']);
    expect(exit, err).toBe(0);
    expect(readdirSync(join(out, 'net')).sort()).toEqual(['labels.txt', 'net.onnx', 'unitscope.json']);
    expect(text).toMatch(/net\.onnx +\S+ bytes {2}downloaded {2}SHA-256 is right/);
    expect(text).toMatch(/licence +MIT\n[^]*preprocessing +BGR, 0\.\.255, mean 1 2 3[^]*expected +class 1, two[^]*next: unitscope classify/);
    expect(err).toMatch(/note: net is not verified: nobody looked\nfetch net: \S+ bytes of \S+ bytes/);

    for (const path of [join(out, 'net'), join(out, 'net/net.onnx')]) {
      const facts = JSON.parse((await call('inspect', path, '--json')).out) as { preprocess: object; labels: string[]; notes: string[]; hash: string };
      expect(facts).toMatchObject({ preprocess, labels: ['one', 'two'], notes: [expect.stringContaining('unitscope.json') as string], hash: sha256(model) });
    }
    expect((await call('inspect', join(out, 'net'))).out).toMatch(/preprocessing +BGR[^]*Notes:\n +the preprocessing is that of '.*unitscope\.json'/);
  });

  test('a second time: nothing is asked for, nothing is written', async () => {
    await run(['net']);
    writeFileSync(join(out, 'net/unitscope.json'), readFileSync(join(out, 'net/unitscope.json'), 'utf8').replace('BGR', 'RGB'));
    server.asked.length = 0;
    const { exit, out: text } = await run(['net', '--json']);
    expect(exit).toBe(0);
    expect(server.asked).toEqual([]);
    expect(JSON.parse(text)).toMatchObject({ name: 'net', verified: false, sidecar: 'already there', files: [{ path: 'net.onnx', how: 'already there', checked: 'SHA-256' }, { path: 'labels.txt', how: 'already there' }] });
    expect(readFileSync(join(out, 'net/unitscope.json'), 'utf8')).toContain('RGB');
  });

  test('a file of another content is not replaced', async () => {
    mkdirSync(join(out, 'net'), { recursive: true });
    writeFileSync(join(out, 'net/net.onnx'), 'mine');
    expect(await run(['net'])).toMatchObject({ exit: 1, out: '', err: expect.stringMatching(/is there already and is another file/) as string });
    expect(readFileSync(join(out, 'net/net.onnx'), 'utf8')).toBe('mine');
  });

  test('of which the preprocessing is not settled: it says how to find it', async () => {
    const { preprocess: _, ...open } = { ...entry, preprocessFrom: 'not settled: two say two things' };
    const { out: text } = await run(['net'], [open]);
    expect(text).toMatch(/preprocessing +not settled: two say two things[^]*unitscope preprocess-check/);
    expect((JSON.parse((await call('inspect', join(out, 'net'), '--json')).out) as { preprocess: unknown }).preprocess).toBeNull();
  });

  test('wrong, missing, and cut off by the user', async () => {
    server.files.set('/net/net.onnx', { bytes: model.slice().fill(7) });
    expect(await run(['net'])).toMatchObject({ exit: 1, err: expect.stringMatching(/cannot get the file:\n +http:\S+: this is another file: its SHA-256/) as string });
    expect(readdirSync(join(out, 'net'))).toEqual([]);
    server.files.delete('/net/net.onnx');
    expect(await run(['net'])).toMatchObject({ exit: 1, err: expect.stringContaining('404') as string });

    server.files.set('/net/net.onnx', { bytes: model, stall: 20 });
    const stop = new AbortController();
    onceWritten(join(out, 'net/net.onnx.part'), 20, () => stop.abort());
    const { exit, err } = await run(['net'], [entry], stop.signal);
    expect(exit).toBe(130);
    expect(err).toMatch(/stopped on request \[aborted\]\n {2}hint: what has come is kept/);
    expect(existsSync(join(out, 'net/net.onnx.part'))).toBe(true);
  });

  test('larger than the disk', async () => {
    const huge = { ...entry, files: [{ ...entry.files[0], bytes: 2 ** 33 }, ...Array.from({ length: 2 ** 12 - 1 }, (_, i) => ({ ...entry.files[0], path: `${i}`, bytes: 2 ** 33 }))] };
    expect(await run(['net'], [huge])).toMatchObject({ exit: 1, err: expect.stringMatching(/the files need 32 TiB, \S+ \S+ are free/) as string });
    expect(server.asked).toEqual([]);
  });

  test('whose folder is a link', async () => {
    mkdirSync(folder('elsewhere'), { recursive: true });
    mkdirSync(out);
    symlinkSync(folder('elsewhere'), join(out, 'net'));
    expect(await run(['net'])).toMatchObject({ exit: 1, err: expect.stringContaining('is a link to another place') as string });
    rmSync(join(out, 'net'));
    const deep = { ...entry, model: 'a/net.onnx', files: [{ ...entry.files[0], path: 'a/net.onnx' }] };
    mkdirSync(join(out, 'net'));
    symlinkSync(folder('elsewhere'), join(out, 'net/a'));
    expect(await run(['net'], [deep])).toMatchObject({ exit: 1, err: expect.stringContaining('a folder on the way is a link') as string });
    expect(readdirSync(folder('elsewhere'))).toEqual([]);
  });

  test.each([
    [['net', '--timeout', '0'], /--timeout needs seconds/],
    [['net', '--timeout', 'soon'], /--timeout needs a number/],
  ])('wrong usage: %j', async (words, message) => expect(await run(words)).toMatchObject({ exit: 2, err: expect.stringMatching(message) as string }));

  test('a mirror that is no address', async () => {
    expect(await call('fetch', 'tinyvgg', '--out', out, '--mirror', 'ftp://example.org')).toMatchObject({ exit: 2, err: expect.stringContaining('--mirror http://localhost:8000') as string });
  });
});

describe('the built program', () => {
  beforeEach(() => {
    for (const file of ['model.json', 'group1-shard1of1.bin']) server.files.set(`/tinyvgg/${file}`, { bytes: dataBytes(`models/tinyvgg-cnnexplainer/${file}`) });
  });

  test('fetches a real network from a mirror, and ends', async () => {
    const { exit, out: text, err, lingered } = await start(['fetch', 'tinyvgg', '--out', out], { environment: { UNITSCOPE_MIRROR: `${server.address}/` } });
    expect({ exit, err }).toMatchObject({ exit: 0, err: expect.stringMatching(/^fetch tinyvgg: 82\.4 KiB of 82\.4 KiB, took .* s\n$/) as string });
    expect(text).toMatch(/model\.json +4\.6 KiB {2}downloaded {2}SHA-256 is right\n +group1-shard1of1\.bin +77\.8 KiB {2}downloaded/);
    expect(lingered).toBeLessThan(2000);
  });

  test('Ctrl-C ends it with the part kept, and the next run goes on from there', async () => {
    server.files.set('/tinyvgg/group1-shard1of1.bin', { bytes: dataBytes('models/tinyvgg-cnnexplainer/group1-shard1of1.bin'), stall: 50_000 });
    const words = ['fetch', 'tinyvgg', '--out', out, '--mirror', server.address];
    const part = join(out, 'tinyvgg/group1-shard1of1.bin.part');
    const { exit, err } = await start(words, { started: (child) => onceWritten(part, 50_000, () => child.kill('SIGINT')) });
    expect({ exit, err }).toMatchObject({ exit: 130, err: expect.stringContaining('the same command goes on from there') as string });
    server.files.set('/tinyvgg/group1-shard1of1.bin', { bytes: dataBytes('models/tinyvgg-cnnexplainer/group1-shard1of1.bin') });
    server.asked.length = 0;
    const again = await start(words);
    expect(again).toMatchObject({ exit: 0, out: expect.stringMatching(/group1-shard1of1\.bin +77\.8 KiB {2}resumed/) as string });
    expect(server.asked).toMatchObject([{ url: '/tinyvgg/group1-shard1of1.bin', status: 206, range: 'bytes=50000-' }]);
  });

  test('on a disk that takes no more: a message, and the part stays', async () => {
    const program = join(import.meta.dirname, '../../../dist/node/unitscope.js');
    const words = ['-c', 'ulimit -f 16; exec "$0" "$@"', process.execPath, program, 'fetch', 'tinyvgg', '--out', out, '--mirror', server.address];
    const { exit, err } = await new Promise<{ exit: unknown; err: string }>((resolve) => execFile('bash', words, (error, _, stderr) => resolve({ exit: error?.code, err: stderr })));
    expect({ exit, err }).toMatchObject({ exit: 1, err: expect.stringMatching(/cannot write '.*group1-shard1of1\.bin\.part': it is larger than you may write \[io\][^]*make room/) as string });
    expect(readdirSync(join(out, 'tinyvgg')).sort()).toEqual(['group1-shard1of1.bin.part', 'group1-shard1of1.bin.part.json', 'model.json']);
  });

  test('a network whose weights the catalog knows needs no sidecar', async () => {
    const { exit, out: text } = await start(['inspect', dataPath('models/squeezenet1.1-fp16-winml/SqueezeNet_fp16.onnx')]);
    expect(exit).toBe(0);
    expect(text).toMatch(/preprocessing {2}BGR, 0\.\.255, mean 104 117 123, std 1 1 1, crop\n[^]*known from the catalog, where this is 'squeezenet1\.1-fp16'/);
    const { out: named } = await start(['inspect', dataPath('models/tinyvgg-cnnexplainer/model.json')]);
    expect(named).toMatch(/labels +10: lifeboat, ladybug, [^]*the names of the classes are known from the catalog, where this is 'tinyvgg'/);
  });
});
