/** Folders of long jobs: whose they are, what is in them, what is refused. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hashBytes } from '../../../src/index.ts';
import { JobFolder } from '../../../src/node/command/job_folder.ts';
import { useFolder } from './program.ts';

const folder = useFolder();
const job = JSON.stringify({ method: 'count', to: 3 });
const bytes = Uint8Array.of(1, 2, 3);

test('a new folder says what its job is, and is gone on with', async () => {
  const path = folder('deep/new');
  const first = await JobFolder.open(path, job);
  expect(readFileSync(folder('deep/new/job.json'), 'utf8')).toBe(`${job}\n`);
  expect(first.hash).toBe(await hashBytes(new TextEncoder().encode(job)));
  expect(first.has('one.bin')).toBe(false);
  await first.write('one.bin', bytes);
  expect(first.has('one.bin')).toBe(true);

  const second = await JobFolder.open(path, job);
  expect([second.has('one.bin'), second.has('two.bin'), second.hash]).toEqual([true, false, first.hash]);
  expect(new Uint8Array(await second.read('one.bin'))).toEqual(bytes);
  await expect(second.read('two.bin')).rejects.toMatchObject({ code: 'io' });
  await second.write('one.bin', Uint8Array.of(4));
  expect([...readFileSync(second.file('one.bin'))]).toEqual([4]);
});

test('an empty folder is taken, with hidden files too; pieces that a kill left unfinished are none', async () => {
  mkdirSync(folder('empty'));
  writeFileSync(folder('empty/.DS_Store'), '');
  writeFileSync(folder('empty/.one.bin.1a2b.part'), 'half');
  const opened = await JobFolder.open(folder('empty'), job);
  expect([opened.has('one.bin'), opened.has('.one.bin.1a2b.part')]).toEqual([false, false]);
  expect(readdirSync(folder('empty')).sort()).toEqual(['.DS_Store', '.one.bin.1a2b.part', 'job.json']);
});

test('another job, files of something else, and what is no folder are refused, and left as they are', async () => {
  await JobFolder.open(folder('taken'), job);
  await expect(JobFolder.open(folder('taken'), `${job} `)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/holds another job/) as string });
  expect(readFileSync(folder('taken/job.json'), 'utf8')).toBe(`${job}\n`);
  mkdirSync(folder('others'));
  writeFileSync(folder('others/letter.txt'), 'dear');
  await expect(JobFolder.open(folder('others'), job)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/files of something else/) as string });
  expect(readdirSync(folder('others'))).toEqual(['letter.txt']);
  await expect(JobFolder.open(folder('others/letter.txt'), job)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/is no folder/) as string });
  await expect(JobFolder.open(folder('others/letter.txt/x'), job)).rejects.toMatchObject({ code: 'io' });
});

test('a piece that cannot be written is typed and is not there', async () => {
  const opened = await JobFolder.open(folder('full'), job);
  mkdirSync(folder('full/one.bin/inside'), { recursive: true });
  await expect(opened.write('one.bin', bytes)).rejects.toMatchObject({ code: 'io' });
  expect(opened.has('one.bin')).toBe(false);
  expect(readdirSync(folder('full')).sort()).toEqual(['job.json', 'one.bin']);
});
