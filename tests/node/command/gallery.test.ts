/** `unitscope gallery`: a page of methods, which goes on where it was and shows what failed. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createImage, encodePng } from '../../../src/index.ts';
import { readWords } from '../../../src/node/command/arguments.ts';
import type { Call } from '../../../src/node/command/command.ts';
import { linesOf } from '../../../src/node/command/gallery/lines.ts';
import { loadModel } from '../../../src/node/command/model.ts';
import { call, useFolder } from './program.ts';
import { writeTinyNetwork } from './tiny_network.ts';

const folder = useFolder();

async function photo(name: string): Promise<string> {
  const image = createImage(12, 12);
  image.data.forEach((_, i) => (image.data[i] = i % 4 === 3 ? 255 : (37 * i) % 251));
  writeFileSync(folder(name), await encodePng(image));
  return folder(name);
}

interface Result {
  readonly lines: readonly { readonly name: string; readonly line: string; readonly failed: boolean; readonly files: readonly string[] }[];
  readonly page: string;
}

test('some lines, on a page with the commands that make them again; begun again, nothing is done twice', async () => {
  const words = ['gallery', writeTinyNetwork(folder()), await photo('a & b.png'), '--iterations', '3', '--only', 'weights', '--only', 'gradient', '--only', 'preset 1', '--out', folder('page'), '--json'];
  const first = await call(...words);
  expect(first.exit, first.err).toBe(0);
  const { lines, page } = JSON.parse(first.out) as Result;
  expect(lines.map(({ name }) => name)).toEqual([
    'a_b-gradient', 'a_b-gradient x input', 'a_b-integrated gradients', 'weights.png', 'maximize-preset1.png',
  ]);
  for (const { files, failed } of lines) {
    expect(failed).toBe(false);
    for (const file of files) expect(existsSync(folder(`page/${file}`)), file).toBe(true);
  }
  const text = readFileSync(page, 'utf8');
  expect(text).toContain('tiny &lt;net&gt;');
  expect(text).toContain('a &amp; b.png');
  expect(text.match(/<figure/g)).toHaveLength(5);
  const made = statSync(folder('page/weights.png')).mtimeMs;
  expect((await call(...words)).exit).toBe(0);
  expect(statSync(folder('page/weights.png')).mtimeMs).toBe(made);
  expect(readFileSync(page, 'utf8')).toBe(text);
});

test('a line that fails is shown as failed, the others are there, and the end is 1', async () => {
  const { exit, out, err } = await call('gallery', writeTinyNetwork(folder()), await photo('c.png'), '--images', folder('none'), '--iterations', '2', '--only', 'weights', '--only', 'statistics', '--out', folder('half'));
  expect(exit).toBe(1);
  expect(err).toMatch(/statistics and dead units: .*none/);
  expect(out).toMatch(/1 of 2 are there/);
  expect(readFileSync(folder('half/index.html'), 'utf8')).toContain('class="failed"');
});

test('every line is one that its command understands', async () => {
  const { network } = await loadModel({ values: {}, flags: new Set(), lists: {}, warn: () => undefined } as unknown as Call, undefined);
  for (const model of ['embedded', 'other.onnx']) {
    const lines = linesOf({ network, model, folder: 'out', pictures: ['a', 'b'].map((name) => ({ path: `${name}.png`, name, top: 2 })), many: ['--images', 'photos'], iterations: 10 });
    expect(new Set(lines.map(({ command }) => command.name)).size).toBeGreaterThan(10);
    for (const { title, command, words } of lines) {
      expect(() => readWords(command, [...words]), title).not.toThrow();
      expect(readWords(command, [...words]).operands.length, title).toBeLessThanOrEqual(command.operands!.length);
    }
  }
});

describe('wrong usage', () => {
  test.each<[string[], RegExp]>([
    [[], /no folder is given/],
    [['--out', 'x', '--only', 'nothing'], /--only nothing leaves nothing/],
    [['--out', 'x', '--images', 'a', '--scenes', '2'], /--images or --scenes, not both/],
    [['--out', 'x', '--iterations', '0'], /--iterations needs a whole number/],
  ])('%j', async (words, message) => {
    const { exit, err } = await call('gallery', writeTinyNetwork(folder()), await photo('d.png'), ...words.map((word) => (word === 'x' ? folder('x') : word)));
    expect(exit).toBe(2);
    expect(err).toMatch(message);
  });
});
