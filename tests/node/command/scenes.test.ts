/** The procedural world from the command line. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodePng } from '../../../src/index.ts';
import { call, useFolder } from './program.ts';

const folder = useFolder();

test('a folder of classes and a labelled sheet', async () => {
  const [out, sheet] = [folder('world'), folder('sheet.png')];
  const words = ['scenes', '--classes', 'dots,sun', '--count', '3', '--seed', '40', '--size', '24', '--columns', '2', '--out', out, '--sheet', sheet];
  const first = await call(...words, '--json');
  expect(first).toMatchObject({ exit: 0, err: expect.stringMatching(/scenes: 6 of 6, took/) as string });
  expect(JSON.parse(first.out)).toMatchObject({ classes: ['sun', 'dots'], count: 3, seed: 40, size: 24, sheet });
  expect(readdirSync(out).sort()).toEqual(['dots', 'sun']);
  for (const name of ['dots', 'sun']) expect(readdirSync(`${out}/${name}`).sort()).toEqual(['40.png', '41.png', '42.png']);
  const pictures = await Promise.all([40, 41].map(async (seed) => decodePng(readFileSync(`${out}/sun/${seed}.png`))));
  expect(pictures.map(({ width, height }) => [width, height])).toEqual([[24, 24], [24, 24]]);
  expect(pictures[0]!.data).not.toEqual(pictures[1]!.data);

  // Two rows for each class, two pictures in a row, names at the left; the first picture is that of the folder.
  const { width, height, data } = await decodePng(readFileSync(sheet));
  const left = 4 * 6 * 2 - 2 + 20;
  expect([width, height]).toEqual([left + 2 * 26 + 2, 4 * 26 + 2]);
  const at = (x: number, y: number): number[] => [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)];
  for (let y = 0; y < 24; y++) for (let x = 0; x < 24; x++) expect(at(left + 2 + x, 2 + y)).toEqual([...pictures[0]!.data.slice(4 * (24 * y + x), 4 * (24 * y + x) + 3)]);
  const inked = (from: number, to: number): boolean => Array.from({ length: (to - from) * left }, (_, i) => at(i % left, from + Math.floor(i / left))).some(([red]) => red! > 200);
  expect([inked(2, 26), inked(28, 52), inked(54, 78), inked(80, 104)]).toEqual([true, false, true, false]);

  // Nothing is written over unless asked for; the same seeds give the same files.
  const bytes = readFileSync(`${out}/sun/41.png`);
  const refused = await call(...words);
  expect(refused).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(/40\.png' is there already[^]*--force/) as string });
  writeFileSync(`${out}/sun/41.png`, 'old');
  expect((await call(...words, '--force')).exit).toBe(0);
  expect(readFileSync(`${out}/sun/41.png`).equals(bytes)).toBe(true);
});

describe('wrong usage ends with 2 before any work, and says what would be right', () => {
  test.each<[string[], RegExp]>([
    [[], /no place is given[^]*--out FOLDER/],
    [['--sheet', 'x.jpg'], /must be a \.png file/],
    [['--out', 'x', '--classes', 'flower,fisch'], /--classes cannot be 'fisch'[^]*did you mean fish/],
    [['--out', 'x', '--classes', ''], /--classes cannot be ''/],
    [['--out', 'x', '--count', '0'], /--count needs a whole number from 1/],
    [['--out', 'x', '--seed', '4294967290'], /--seed needs a whole number from 0 to 4294967288/],
    [['--out', 'x', '--size', '2000'], /--size needs a whole number from 16 to 1024/],
    [['--sheet', 'x.png', '--size', '1024', '--count', '8'], /sheet of 16 x 8 pictures of 1024 pixels is too large/],
    [['--out', 'package.json'], /'package\.json' is no folder/],
  ])('%j', async (words, message) => {
    expect(await call('scenes', ...words)).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(message) as string });
    expect(existsSync('x')).toBe(false);
  });

  test('a sheet that is there already', async () => {
    writeFileSync(folder('there.png'), '');
    mkdirSync(folder('there'));
    expect(await call('scenes', '--sheet', folder('there.png'), '--out', folder('there'))).toMatchObject({ exit: 2, err: expect.stringMatching(/there\.png' is there already/) as string });
  });
});
