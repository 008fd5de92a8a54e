import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cacheRoot, cachedFolder, writeFiles } from '../../src/node/cache.ts';
import { readTar } from '../../src/node/tar.ts';

const scratch = mkdtempSync(join(tmpdir(), 'unitscope-tar-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** One entry as the format lays it out: name, mode, size in octal, type; then the data in blocks of 512. */
function entry(name: string, data: string, type = '0', mode = '0000644'): Uint8Array {
  const block = new Uint8Array(512 + Math.ceil(data.length / 512) * 512);
  const put = (offset: number, text: string) => block.set(new TextEncoder().encode(text), offset);
  put(0, name);
  put(100, mode);
  put(124, data.length.toString(8).padStart(11, '0'));
  put(156, type);
  put(512, data);
  return block;
}

const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const text = (data: Uint8Array) => new TextDecoder().decode(data);

test('files come in order with their permissions; folders and links do not', () => {
  const archive = joined(entry('a/', '', '5'), entry('a/b.txt', 'x'.repeat(513), '0', '0000755'), entry('l', '', '2'), entry('c', 'yes'), new Uint8Array(1024));
  const files = [...readTar(archive)];
  expect(files.map(({ path, mode, data }) => [path, mode, data.length])).toEqual([['a/b.txt', 0o755, 513], ['c', 0o644, 3]]);
});

test('a truncated or nonsensical archive is refused', () => {
  expect(() => [...readTar(entry('a', 'x'.repeat(600)).subarray(0, 900))]).toThrow(RangeError);
  const nonsense = entry('a', 'data');
  nonsense.fill(0x7a, 124, 135);
  expect(() => [...readTar(nonsense)]).toThrow(RangeError);
});

test('what the system tar writes is read', () => {
  mkdirSync(join(scratch, 'in', 'deep'), { recursive: true });
  writeFileSync(join(scratch, 'in', 'deep', 'file'), 'content');
  execFileSync('tar', ['cf', join(scratch, 'all.tar'), '-C', join(scratch, 'in'), 'deep']);
  const files = [...readTar(readFileSync(join(scratch, 'all.tar')))];
  expect(files.map(({ path, data }) => [path, text(data)])).toEqual([['deep/file', 'content']]);
});

test('an entry cannot leave its folder', () => {
  for (const path of ['../evil', '/evil', 'a/../../evil', 'a\\..\\..\\evil']) {
    expect(() => writeFiles(scratch, [{ path, mode: 0o644, data: new Uint8Array(1) }])).toThrow(/outside/);
  }
});

test('a cached folder is made once, made again when a file of it is gone, and leaves no draft behind', () => {
  const name = `test-${process.pid}`;
  let times = 0;
  const make = () => cachedFolder(name, ['file'], (folder) => writeFileSync(join(folder, 'file'), String(++times)));
  try {
    const folder = make();
    expect(make()).toBe(folder);
    expect(times).toBe(1);
    rmSync(join(folder, 'file'));
    make();
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('2');
    expect(() => cachedFolder(`${name}-bad`, ['file'], () => { throw new Error('disk full'); })).toThrow(/disk full/);
  } finally {
    rmSync(join(cacheRoot(), name), { recursive: true });
  }
});
