/** `unitscope top`: what is in the folder afterwards; one that was stopped or killed goes on to the same bytes. */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodePng, parseRecipe, readPngText, RECIPE_KEYWORD } from '../../../src/index.ts';
import { readWords } from '../../../src/node/command/arguments.ts';
import type { Report } from '../../../src/node/command/command.ts';
import type { Progress } from '../../../src/node/command/progress.ts';
import { top } from '../../../src/node/command/top.ts';
import { call, useFolder } from './program.ts';
import { writeModel, writePictures } from './small_model.ts';

const folder = useFolder();
let [model, images] = ['', ''];
/** How the run ended that nobody disturbed. */
let whole: Awaited<ReturnType<typeof call>>;

beforeAll(async () => {
  model = writeModel(folder('model'));
  images = await writePictures(folder('images'), ['a', 'b'], 6);
  whole = await call('top', ...words('whole'));
});

interface Unit {
  channel: number;
  top: { value: number; picture: string; y: number; x: number; rectangle: { top: number; left: number; height: number; width: number } }[];
}

interface Listing {
  layers: { layer: string; sheets: string[]; units: Unit[] }[];
  broken: { name: string }[];
}

const words = (out: string, ...more: string[]): string[] => [model, '--layer', 'conv2', '--layer', 'fc', '--images', images, '--count', '2', '--out', folder(out), ...more];
const listingIn = (out: string): Listing => JSON.parse(readFileSync(folder(join(out, 'top.json')), 'utf8')) as Listing;
const filesIn = (out: string): Record<string, Buffer> => Object.fromEntries(readdirSync(folder(out)).sort().map((name) => [name, readFileSync(folder(join(out, name)))]));

/** Runs the command with its progress watched, in which it may be stopped. */
function watched(out: string, report: (label: string, done: number, stop: AbortController) => void): Promise<Report> {
  const stop = new AbortController();
  const progress = { report: (label: string, done: number) => report(label, done, stop), note: () => undefined, clear: () => undefined } as unknown as Progress;
  return top.run({ ...readWords(top, words(out)), signal: stop.signal, progress, warn: () => undefined });
}

test('some units: their sheet alone, and the list of all', async () => {
  const { exit } = await call('top', ...words('some', '--units', '2..3'));
  expect(exit).toBe(0);
  expect(Object.keys(filesIn('some'))).toEqual(['conv2-2-3.png', 'fc-2-3.png', 'job.json', 'state.json', 'top.json']);
  expect(listingIn('some').layers.map(({ units }) => units)).toEqual(listingIn('whole').layers.map(({ units }) => units));
  for (const [units, message] of [['6', /conv2 has the units 0 to 5, not 6/], ['3..2', /FROM\.\.TO/], ['a', /FROM\.\.TO/]] as const) {
    const { exit: end, err } = await call('top', ...words('wrong', '--units', units));
    expect([end, err]).toEqual([2, expect.stringMatching(message)]);
  }
});

test('sheets with their recipe, and every best picture by name', async () => {
  const { exit, out, err } = whole;
  expect(exit).toBe(0);
  expect(err.match(/^.*(?=, took)/gm)).toEqual(['pictures: 12 of 12', 'patches of conv2: 12 of 12', 'patches of fc: 14 of 14']);
  expect(out).toMatch(/small, 12 pictures\n +layer +units +never above 0 +strongest answer\n +conv2 +6 +0 +[\d.]+ in unit \d +1 sheet\n +fc +7 +\d/);
  expect(Object.keys(filesIn('whole'))).toEqual(['conv2-0-5.png', 'fc-0-6.png', 'job.json', 'state.json', 'top.json']);

  const { layers, broken } = listingIn('whole');
  expect(broken).toEqual([]);
  expect(layers.map(({ layer, sheets, units }) => [layer, sheets, units.length])).toEqual([['conv2', ['conv2-0-5.png'], 6], ['fc', ['fc-0-6.png'], 7]]);
  for (const { channel, top: best } of layers[0]!.units) {
    expect(best).toHaveLength(2);
    expect(best[0]!.value).toBeGreaterThanOrEqual(best[1]!.value);
    for (const { picture, y, x, rectangle } of best) {
      expect(picture).toMatch(/^[ab]\/[0-5]\.png$/);
      expect(rectangle, `${channel}`).toEqual({ top: 2 * y - 3, left: 2 * x - 3, height: 8, width: 8 });
    }
  }
  const sheet = readFileSync(folder('whole/conv2-0-5.png'));
  expect(parseRecipe(readPngText(sheet)[RECIPE_KEYWORD]!)).toMatchObject({
    network: { name: 'small' }, method: 'top', units: Array.from({ length: 6 }, (_, c) => `conv2:${c}`), iterations: 12, settings: { count: 2, rule: 'guided', layers: ['conv2', 'fc'], pictures: 12 },
  });
  // Two patches of 8 pixels, six times as large, and two beside them: a unit takes 208 x 72 pixels.
  const { width, height } = await decodePng(sheet);
  expect([(width - 8) / 208, (height - 8) / 72]).toEqual([1, 6]);
});

describe('started again', () => {
  test('a folder that is done is done', async () => {
    const before = filesIn('whole');
    const sheet = statSync(folder('whole/fc-0-6.png')).mtimeMs;
    expect(await call('top', ...words('whole'))).toEqual({ ...whole, err: '' });
    expect(filesIn('whole')).toEqual(before);
    expect(statSync(folder('whole/fc-0-6.png')).mtimeMs).toBe(sheet);
  });

  test('one that was stopped among the pictures goes on to the same bytes', async () => {
    await expect(watched('stopped', (_, done, stop) => done === 8 && stop.abort())).rejects.toMatchObject({ code: 'aborted' });
    expect(JSON.parse(readFileSync(folder('stopped/state.json'), 'utf8'))).toMatchObject({ next: 8 });
    const seen: string[] = [];
    await watched('stopped', (label, done) => seen.push(`${label} ${done}`));
    expect(seen.filter((text) => text.startsWith('pictures'))).toEqual(['pictures 8', 'pictures 12']);
    expect(filesIn('stopped')).toEqual(filesIn('whole'));
  });

  test('one that was killed among the patches draws only the sheets that are missing', async () => {
    await expect(
      watched('killed', (label) => {
        if (label === 'patches of fc') throw new Error('killed');
      }),
    ).rejects.toThrow('killed');
    const drawn = statSync(folder('killed/conv2-0-5.png')).mtimeMs;
    expect(readdirSync(folder('killed')).sort()).toEqual(['conv2-0-5.png', 'job.json', 'state.json']);
    await watched('killed', () => undefined);
    expect(filesIn('killed')).toEqual(filesIn('whole'));
    expect(statSync(folder('killed/conv2-0-5.png')).mtimeMs).toBe(drawn);
  });

  test('another job, and a state that nobody has written, are refused', async () => {
    expect(await call('top', ...words('whole'), '--rule', 'deconvnet')).toMatchObject({ exit: 2, err: expect.stringMatching(/holds another job[^]*job\.json/) as string });
    cpSync(folder('whole'), folder('damaged'), { recursive: true });
    const state = readFileSync(folder('damaged/state.json'), 'utf8');
    const wrong = [state.slice(0, -9), state.replace(/"next":12/, '"next":13'), state.replace('"lists":{"conv2":[', '"lists":{"conv2":[1,2,3,'), state.replace(/"conv2":\[(\d+),\d+/, '"conv2":[$1,12'), 'null'];
    for (const text of wrong) {
      writeFileSync(folder('damaged/state.json'), text);
      expect(await call('top', ...words('damaged'))).toMatchObject({ exit: 1, err: expect.stringMatching(/state\.json' is damaged/) as string });
    }
  });
});

test('broken pictures are named, the others go on, and the end is 1, the second time too', async () => {
  const holes = await writePictures(folder('holes'), ['a'], 3);
  for (const name of ['a/1x.png', 'a/9.jpg']) writeFileSync(join(holes, name), 'junk');
  const own = [model, '--layer', 'relu2', '--images', holes, '--count', '4', '--rule', 'none', '--out', folder('rest')];
  const first = await call('top', ...own);
  expect(first).toMatchObject({ exit: 1, out: expect.stringMatching(/2 pictures could not be read:\n +a\/1x\.png: .*\n +a\/9\.jpg: /) as string, err: expect.stringMatching(/image-decode[^]*1x\.png/) as string });
  const { broken, layers } = listingIn('rest');
  expect(broken.map(({ name }) => name)).toEqual(['a/1x.png', 'a/9.jpg']);
  expect(layers[0]!.units[0]!.top.map(({ picture }) => picture).sort()).toEqual(['a/0.png', 'a/1.png', 'a/2.png']);
  const second = await call('top', ...own);
  expect([second.exit, second.out]).toEqual([1, first.out]);

  // Where none can be read there is nothing to draw.
  mkdirSync(folder('none'));
  writeFileSync(folder('none/x.png'), 'junk');
  expect((await call('top', model, '--layer', 'fc', '--images', folder('none'), '--out', folder('nothing'))).exit).toBe(1);
  expect(Object.keys(filesIn('nothing'))).toEqual(['job.json', 'state.json', 'top.json']);
});

test.each<[string[], RegExp]>([
  [['--images', 'x', '--out', 'x'], /no layer is given[^]*'all'/],
  [['--layer', 'conv3', '--images', 'x', '--out', 'x'], /did you mean 'conv[12]'/],
  [['--layer', 'conv1', '--images', 'x'], /no folder is given[^]*--out/],
  [['--layer', 'conv1', '--out', 'x'], /no pictures are given/],
  [['--layer', 'conv1', '--images', 'src', '--scenes', '2', '--out', 'x'], /--images or --scenes, not both/],
  [['--layer', 'conv1', '--images', 'src', '--out', 'x'], /'src' has no pictures/],
  [['--layer', 'conv1', '--scenes', '2', '--out', 'package.json'], /'package\.json' is no folder/],
  [['--layer', 'conv1', '--scenes', '2', '--out', 'x', '--count', '0'], /--count needs a whole number from 1 to 100/],
  [['--layer', 'conv1', '--scenes', '2', '--out', 'x', '--rule', 'guidded'], /did you mean guided/],
])('wrong usage ends with 2 before any work: %j', async (more, message) => {
  expect(await call('top', model, ...more)).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(message) as string });
});
