import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Digests } from '../../../src/node/catalog/digest.ts';
import { download, type Wanted } from '../../../src/node/catalog/download.ts';
import type { Rules } from '../../../src/node/catalog/request.ts';
import { useFolder } from '../command/program.ts';
import { useFileServer } from './file_server.ts';

const folder = useFolder();
const server = useFileServer();

/** 300,000 bytes without a period. */
const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 5);
const sha256 = createHash('sha256').update(bytes).digest('hex');

let place = '';
let count = 0;
beforeEach(() => {
  place = folder(`test-${count++}`);
  mkdirSync(place);
});

interface Options {
  readonly urls?: readonly string[];
  readonly bytes?: number | undefined;
  readonly digests?: Digests;
  readonly rules?: Partial<Rules>;
  readonly report?: (done: number, total?: number) => void;
}

function get(options: Options = {}) {
  const wanted: Wanted = {
    target: join(place, 'net.bin'),
    urls: options.urls ?? [`${server.address}/net.bin`],
    digests: options.digests ?? { sha256 },
    ...('bytes' in options ? options.bytes !== undefined && { bytes: options.bytes } : { bytes: bytes.length }),
  };
  const rules: Rules = { hosts: [], plain: true, patience: 20_000, signal: new AbortController().signal, ...options.rules };
  return download(wanted, () => rules, options.report ?? (() => undefined));
}

const listed = () => readdirSync(place).sort();
const arrived = () => {
  expect(listed()).toEqual(['net.bin']);
  expect(Buffer.compare(readFileSync(join(place, 'net.bin')), bytes)).toBe(0);
};
const host = (more: object = {}) => server.files.set('/net.bin', { bytes, etag: '"one"', ...more });

describe('a file that comes', () => {
  test('whole, with its hash and its progress', async () => {
    host();
    const seen: [number, number?][] = [];
    expect(await get({ report: (done, total) => seen.push([done, total]) })).toEqual({ how: 'downloaded', bytes: bytes.length, checked: 'SHA-256', hash: `SHA-256 ${sha256}` });
    arrived();
    expect(seen[0]).toEqual([0, bytes.length]);
    expect(seen.at(-1)).toEqual([bytes.length, bytes.length]);
    expect(seen.length).toBeGreaterThan(2);
  });

  test('of which nothing is known: its hash is told, and that nothing was compared', async () => {
    host({ chunked: true });
    expect(await get({ bytes: undefined, digests: {} })).toMatchObject({ how: 'downloaded', checked: '', hash: `SHA-256 ${sha256}` });
    arrived();
  });

  test('with every hash that publishers state', async () => {
    host();
    const digests = Object.fromEntries(['sha1', 'md5', 'sha384'].map((name) => [name, createHash(name).update(bytes).digest('hex')]));
    expect(await get({ digests })).toMatchObject({ checked: 'SHA-384' });
    arrived();
  });

  test('from the second address, where the first has nothing', async () => {
    host();
    expect(await get({ urls: [`${server.address}/gone.bin`, `${server.address}/net.bin`] })).toMatchObject({ how: 'downloaded' });
    arrived();
  });

  test('through a redirect on one host', async () => {
    host();
    server.files.set('/old.bin', { bytes, location: '/net.bin' });
    expect(await get({ urls: [`${server.address}/old.bin`] })).toMatchObject({ how: 'downloaded' });
    arrived();
  });
});

describe('a connection that is cut', () => {
  test('the rest is asked for at once', async () => {
    host({ cut: 100_000, cuts: 2 });
    expect(await get()).toMatchObject({ how: 'resumed', checked: 'SHA-256' });
    arrived();
    expect(server.asked).toMatchObject([{ status: 200 }, { status: 206, range: expect.stringMatching(/^bytes=\d+-$/) as string, ifRange: '"one"' }, { status: 206 }]);
  });

  test('again and again: the part stays, and the next run goes on from there', async () => {
    host({ cut: 50_000 });
    await expect(get()).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/the connection (was cut|ended)/) as string, hint: expect.stringMatching(/KiB are kept: the same command goes on/) as string });
    expect(listed()).toEqual(['net.bin.part', 'net.bin.part.json']);
    const { size } = statSync(join(place, 'net.bin.part'));
    expect(size).toBeGreaterThanOrEqual(50_000);
    server.asked.length = 0;
    host();
    expect(await get()).toMatchObject({ how: 'resumed' });
    arrived();
    expect(server.asked).toEqual([{ url: '/net.bin', status: 206, range: `bytes=${size}-`, ifRange: '"one"' }]);
  });

  test('a server without ETag is asked by date', async () => {
    host({ etag: undefined, cut: 100_000, cuts: 1 });
    expect(await get()).toMatchObject({ how: 'resumed' });
    expect(server.asked[1]).toMatchObject({ status: 206, ifRange: 'Mon, 01 Jan 2024 00:00:00 GMT' });
  });

  test('the file there has changed meanwhile: it comes whole', async () => {
    host({ bytes: bytes.slice().reverse(), cut: 100_000 });
    await expect(get()).rejects.toMatchObject({ code: 'io' });
    server.asked.length = 0;
    host({ etag: '"two"' });
    expect(await get()).toMatchObject({ how: 'downloaded' });
    expect(server.asked).toMatchObject([{ status: 200 }]);
    arrived();
  });

  test('a server without ranges: it comes whole', async () => {
    host({ whole: true, cut: 100_000, cuts: 1 });
    expect(await get()).toMatchObject({ how: 'downloaded' });
    expect(server.asked).toMatchObject([{ status: 200 }, { status: 200, range: expect.stringMatching(/^bytes=\d+-$/) as string }]);
    arrived();
  });

  test('a part of another file is found out, and the file comes whole', async () => {
    host();
    writeFileSync(join(place, 'net.bin.part'), 'something else');
    expect(await get()).toMatchObject({ how: 'downloaded' });
    arrived();
    expect(server.asked).toMatchObject([{ status: 206 }, { status: 200 }]);
  });

  test('without a hash a part of unknown origin is not built upon', async () => {
    host();
    writeFileSync(join(place, 'net.bin.part'), 'something else');
    await get({ digests: {} });
    arrived();
    expect(server.asked).toMatchObject([{ status: 200 }]);
  });

  test('a part that is whole already needs no server', async () => {
    writeFileSync(join(place, 'net.bin.part'), bytes);
    expect(await get()).toMatchObject({ how: 'resumed' });
    arrived();
    expect(server.asked).toEqual([]);
  });

  test('a part that is too long is thrown away', async () => {
    host();
    writeFileSync(join(place, 'net.bin.part'), Buffer.concat([bytes, bytes]));
    expect(await get()).toMatchObject({ how: 'downloaded' });
    arrived();
  });
});

describe('a wrong file leaves nothing', () => {
  test.each<[string, object, Options, RegExp]>([
    ['hash', { bytes: bytes.slice().reverse() }, {}, /another file: its SHA-256 is [0-9a-f]{64}, the catalog says [0-9a-f]{64}/],
    ['size, told before', { bytes: bytes.slice(1) }, {}, /has 299999 bytes, the catalog says 300000/],
    ['size, too long', { bytes: Buffer.concat([bytes, bytes]), chunked: true }, {}, /more than the 300000 bytes/],
    ['page in its place', { bytes: Buffer.from('<!doctype html><title>Sign in</title>'), chunked: true }, { bytes: undefined }, /another file[^]*it is a web page/],
    ['pointer in its place, of which nothing is known', { bytes: Buffer.from('version https://git-lfs.github.com/spec/v1\n') }, { bytes: undefined, digests: {} }, /a Git LFS pointer in place of the file/],
  ])('%s', async (_, hosted, options, message) => {
    host(hosted);
    await expect(get(options)).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(message) as string });
    expect(listed()).toEqual([]);
  });

  test('too short, and no more comes: the part stays', async () => {
    host({ bytes: bytes.slice(0, 1000), chunked: true });
    await expect(get()).rejects.toMatchObject({ message: expect.stringContaining('ended after 1000 of 300000') as string });
    expect(listed()).toEqual(['net.bin.part', 'net.bin.part.json']);
  });
});

describe('a server that is of no use', () => {
  test.each<[string, object, RegExp]>([
    ['404', { status: 404 }, /the answer is 404: the file is not there/],
    ['500', { status: 500 }, /the answer is 500/],
    ['another host', { location: 'https://elsewhere.example/net.bin' }, /sends us on to 'elsewhere\.example', which the catalog does not know/],
    ['plain http elsewhere', { location: 'http://elsewhere.example/net.bin' }, /which is not https/],
    ['a file on this machine', { location: 'file:///etc/passwd' }, /which is not https/],
    ['a host with a password', { location: 'https://user:secret@known.example/net.bin' }, /the catalog does not know/],
    ['a host that only ends alike', { location: 'https://evilhosts.example/net.bin' }, /the catalog does not know/],
    ['nowhere', { location: 'http://[' }, /sends us on to nowhere/],
    ['itself, for ever', { location: '/net.bin' }, /more than 5 times/],
    ['silence before the answer', { stall: -1 }, /it was silent for 0\.4 s/],
    ['silence in the middle', { stall: 1000 }, /it was silent for 0\.4 s/],
  ])('%s', async (_, hosted, message) => {
    host(hosted);
    await expect(get({ rules: { hosts: ['known.example', '.hosts.example'], patience: 'stall' in hosted ? 400 : 20_000 } })).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(message) as string });
    expect(existsSync(join(place, 'net.bin'))).toBe(false);
  });

  test('a known host is gone to (and is not there)', async () => {
    host({ location: 'https://below.hosts.invalid/net.bin' });
    await expect(get({ rules: { hosts: ['.hosts.invalid'] } })).rejects.toMatchObject({ message: expect.not.stringContaining('does not know') as string });
  });

  test('http may not send us on to http, where it is no mirror', async () => {
    host();
    server.files.set('/old.bin', { bytes, location: '/net.bin' });
    await expect(get({ urls: [`${server.address}/old.bin`], rules: { plain: false } })).rejects.toMatchObject({ message: expect.stringContaining('which is not https') as string });
  });

  test('nobody listens; what every address did is told', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const urls = [`http://127.0.0.1:${port}/net.bin`, `${server.address}/gone.bin`];
    await expect(get({ urls })).rejects.toMatchObject({ message: expect.stringMatching(/net\.bin: it refuses the connection[^]*gone\.bin: the answer is 404/) as string });
  });
});

describe('what is on the disk already', () => {
  test('the file itself: nothing is asked for', async () => {
    writeFileSync(join(place, 'net.bin'), bytes);
    expect(await get()).toMatchObject({ how: 'already there', checked: 'SHA-256' });
    expect(server.asked).toEqual([]);
  });

  test.each<[string, () => void, RegExp]>([
    ['a file of another size', () => writeFileSync(join(place, 'net.bin'), 'mine'), /is another file: it has 4 bytes, not 300000/],
    ['a file of another content', () => writeFileSync(join(place, 'net.bin'), bytes.slice().reverse()), /is another file: its SHA-256 is/],
    ['a folder', () => mkdirSync(join(place, 'net.bin')), /is no ordinary file/],
    ['a link', () => symlinkSync('/etc/hostname', join(place, 'net.bin')), /is no ordinary file/],
  ])('%s is left as it is', async (_, make, message) => {
    make();
    await expect(get()).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(message) as string, hint: expect.stringContaining('left as it is') as string });
    expect(listed()).toEqual(['net.bin']);
    expect(server.asked).toEqual([]);
  });

  test('a link in place of the part is not written through', async () => {
    host();
    writeFileSync(folder('victim'), 'mine');
    symlinkSync(folder('victim'), join(place, 'net.bin.part'));
    await expect(get()).rejects.toMatchObject({ code: 'io', message: expect.stringContaining('no ordinary file') as string });
    expect(readFileSync(folder('victim'), 'utf8')).toBe('mine');
  });

  test('a file that appears meanwhile is not replaced', async () => {
    host();
    await expect(get({ report: () => writeFileSync(join(place, 'net.bin'), 'mine') })).rejects.toMatchObject({ code: 'io' });
    expect(readFileSync(join(place, 'net.bin'), 'utf8')).toBe('mine');
  });
});

test('a request to stop keeps what has come', async () => {
  host({ stall: 100_000 });
  const stop = new AbortController();
  const report = (done: number) => void (done >= 100_000 && stop.abort());
  await expect(get({ report, rules: { signal: stop.signal } })).rejects.toMatchObject({ code: 'aborted' });
  expect(readFileSync(join(place, 'net.bin.part'))).toHaveLength(100_000);
  host();
  expect(await get()).toMatchObject({ how: 'resumed' });
  arrived();
});
