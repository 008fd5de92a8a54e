/** The file of measured kernels: kept whole, mended where it is damaged, never in the way. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { emptyRecord, KERNELS_VERSION, type KernelRecord } from '../../src/index.ts';
import { KernelFile } from '../../src/node/kernel_file.ts';
import { useFolder } from './command/program.ts';

const folder = useFolder();
const record = (adapter: string, variant = 'direct'): KernelRecord => ({ ...emptyRecord(adapter), factors: { direct: 1 }, measured: { shape: { variant, times: { [variant]: 0.5 } } } });

function open(name: string): { file: KernelFile; path: string; warnings: string[] } {
  const warnings: string[] = [];
  const path = folder(name);
  return { file: new KernelFile((text) => warnings.push(text), path), path, warnings };
}

test('records are kept by adapter, the newest of each', async () => {
  const { file, path, warnings } = open('kept.json');
  expect([await file.load('a'), await file.list(), existsSync(path)]).toEqual([undefined, [], false]);
  await file.save(record('a'));
  await file.save(record('b'));
  await file.save(record('a', 'depthwise'));
  expect(await open('kept.json').file.list()).toEqual([record('b'), record('a', 'depthwise')]);
  expect(await file.load('b')).toEqual(record('b'));
  await file.clear('a');
  await file.clear('nobody');
  expect(await file.list()).toEqual([record('b')]);
  expect(warnings).toEqual([]);
});

describe('a damaged file is told of once, and mended with what is whole', () => {
  test.each<[string, string, KernelRecord[], RegExp]>([
    ['empty.json', '', [], /no JSON/],
    ['cut.json', JSON.stringify({ records: [record('a')] }).slice(0, -9), [], /no JSON/],
    ['other.json', '{"kernels": []}', [], /no list/],
    ['null.json', 'null', [], /no list/],
    ['half.json', JSON.stringify({ records: [record('a'), { ...record('b'), factors: { direct: -1 } }, 7] }), [record('a')], /factor/],
  ])('%s', async (name, content, left, fault) => {
    const { file, path, warnings } = open(name);
    writeFileSync(path, content);
    expect(await file.list()).toEqual(left);
    expect(await file.list()).toEqual(left);
    expect(warnings).toEqual([expect.stringMatching(fault)]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ records: left });
  });
});

test('a record of other kernels is no damage, and goes with the next one that is kept', async () => {
  const { file, path, warnings } = open('old.json');
  writeFileSync(path, JSON.stringify({ records: [{ ...record('a'), version: KERNELS_VERSION - 1, factors: 'of another kind' }] }));
  expect([await file.load('a'), warnings]).toEqual([undefined, []]);
  await file.save(record('b'));
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ records: [record('b')] });
});

test('what cannot be read is told of; what cannot be written throws', async () => {
  const { file, path, warnings } = open('folder.json');
  mkdirSync(path);
  expect(await file.list()).toEqual([]);
  expect(warnings).toEqual([expect.stringMatching(/out of reach/)]);
  await expect(file.save(record('a'))).rejects.toMatchObject({ code: 'io' });
});
