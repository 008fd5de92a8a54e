/** Pieces of a job: found again when they are whole, and only then. */
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { JobFolder } from '../../../src/node/command/job_folder.ts';
import { findPieces, jobKey, keepPiece, type Kinds } from '../../../src/node/command/pieces.ts';
import { useFolder } from './program.ts';

const folder = useFolder();

interface Facts {
  readonly status: string;
  readonly score: number | null;
}

const KINDS: Kinds<Facts> = { status: 'string', score: 'number?' };
const { signal } = new AbortController();

test('a piece with its picture, one without, and all that is damaged', async () => {
  const out = folder('job');
  const made = await JobFolder.open(out, '{}');
  const picture = Uint8Array.of(1, 2, 3);
  const places = ['whole', 'bare', 'absent', 'cut', 'gone', 'torn', 'foreign', 'typed', 'list'].map((name) => ({ name, key: `key of ${name}` }));
  for (const place of places) if (place.name !== 'absent') await keepPiece(made, place, { status: 'done', score: place.name === 'bare' ? null : 2.5 }, place.name === 'bare' ? undefined : picture);
  truncateSync(`${out}/cut.png`, 2);
  rmSync(`${out}/gone.png`);
  truncateSync(`${out}/torn.json`, 9);
  await keepPiece(made, { name: 'foreign', key: 'another' }, { status: 'done', score: 1 }, picture);
  await keepPiece(made, { name: 'typed', key: 'key of typed' }, { status: 'done', score: 'high' }, picture);
  writeFileSync(`${out}/list.json`, '[]');

  const warnings: string[] = [];
  const find = async (pictures: boolean) => findPieces(await JobFolder.open(out, '{}'), places, KINDS, { pictures, signal, warn: (text) => warnings.push(text.split(' ')[0]!) });
  expect([...(await find(true))]).toEqual([
    [places[0], { facts: { status: 'done', score: 2.5 }, pictured: true, picture }],
    [places[1], { facts: { status: 'done', score: null }, pictured: false }],
  ]);
  expect(warnings).toEqual(['cut', 'gone', 'torn', 'foreign', 'typed', 'list']);
  expect((await find(false)).get(places[0]!)).toEqual({ facts: { status: 'done', score: 2.5 }, pictured: true });
  const stop = AbortSignal.abort();
  await expect(findPieces(made, places, KINDS, { pictures: true, signal: stop, warn: () => undefined })).rejects.toMatchObject({ code: 'aborted' });
});

test('a key is that of network, method, unit, settings and seed, in whatever order, and of nothing else', async () => {
  const hash = 'ab'.repeat(32);
  const recipe = { network: { name: 'net', hash }, method: 'maximize', units: ['fc:1'], settings: { rate: 1, decay: 0 }, seed: 3 };
  const key = await jobKey(recipe);
  expect(await jobKey({ ...recipe, network: { name: 'other', hash }, settings: { decay: 0, rate: 1 } })).toBe(key);
  const others = [{ network: { name: 'net', hash: 'cd'.repeat(32) } }, { method: 'invert' }, { units: ['fc:2'] }, { settings: { rate: 2, decay: 0 } }, { seed: 4 }];
  const keys = await Promise.all(others.map((change) => jobKey({ ...recipe, ...change })));
  expect(new Set([key, ...keys]).size).toBe(6);
});
