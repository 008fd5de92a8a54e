/** `unitscope search`: what is in the folder afterwards, and that it is the same whatever came between. */
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodePng, parseRecipe, readPngText, RECIPE_KEYWORD, searchTrials } from '../../../src/index.ts';
import { filesIn, stopped } from './job_run.ts';
import { call, useFolder } from './program.ts';
import { writeTinyNetwork } from './tiny_network.ts';

const folder = useFolder();

interface Summary {
  chosen: number[];
  trials: { trial: number; status: string; score: number | null; rank: number; of: number; probability: number; variation: number; sparsity: number; distance: number; file: string; settings: object; sweep?: { regularizer: string; strength: number } }[];
}

const summaryOf = (out: string): Summary => JSON.parse(readFileSync(folder(`${out}/search.json`), 'utf8')) as Summary;
const recipeIn = (path: string) => parseRecipe(readPngText(readFileSync(path))[RECIPE_KEYWORD]!);

test('trials, a sheet, a page and all numbers; the same bytes after a stop and after damage', async () => {
  const net = writeTinyNetwork(folder());
  const words = (out: string): string[] => ['search', net, '--unit', 'fc:1', '--trials', '6', '--iterations', '40', '--batch', '2', '--seed', '5', '--out', folder(out)];
  const { exit, out, err } = await call(...words('whole'), '--json');
  expect({ exit, err }).toMatchObject({ exit: 0, err: expect.stringMatching(/trials: 100 % of 100 %, 6 of 6 kept, took/) as string });
  const names = Array.from({ length: 6 }, (_, n) => [`trial-000${n}.json`, `trial-000${n}.png`]).flat();
  expect(readdirSync(folder('whole')).sort()).toEqual([...names, 'index.html', 'job.json', 'search.json', 'sheet.png'].sort());

  const { trials, chosen } = summaryOf('whole');
  expect(JSON.parse(out)).toMatchObject({ unit: 'fc:1', chosen, trials });
  expect(trials.map(({ settings }) => settings)).toEqual(searchTrials({ seed: 5, trials: 6, iterations: 40 }).map(({ settings }) => settings));
  expect(trials.every(({ status, rank, of, probability, sparsity, distance }) => status === 'done' && rank >= 1 && of === 4 && probability > 0 && sparsity >= 0 && distance > 0)).toBe(true);
  expect(new Set(chosen).size).toBe(4);
  const { adapter, version, ...recipe } = recipeIn(folder('whole/trial-0003.png'));
  expect(recipe).toMatchObject({ method: 'maximize', units: ['fc:1'], seed: 5, iterations: 40, settings: { ...trials[3]!.settings, start: 'mean_plus_rand' } });
  expect(recipeIn(folder('whole/sheet.png'))).toMatchObject({ method: 'search', adapter, version, settings: { trials: 6, iterations: 40, seed: 5 } });
  // Frames of 2 pixels and a strip of 9 below each picture; 3 x 2 cells with gaps of 2.
  expect(await decodePng(readFileSync(folder('whole/sheet.png')))).toMatchObject({ width: 3 * 18 + 2, height: 2 * 27 + 2 });
  const page = readFileSync(folder('whole/index.html'), 'utf8');
  expect(page).toContain('tiny &lt;net&gt;');
  expect(page.match(/data-trial="\d+"><path/g)).toHaveLength(6);

  // Stopped after the first trials.
  const cut = await stopped(words('parts'), folder('parts'), /^trial-.*json$/);
  expect(cut).toMatchObject({ exit: 130, text: expect.stringMatching(/stopped: \d of 6 trials are in .*\n +hint: the same command goes on/) as string });
  const early = filesIn(folder('parts'));
  const kept = Object.keys(early).filter((name) => /^trial-.*json$/.test(name));
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(6);
  for (const name of Object.keys(early)) expect(filesIn(folder('whole'))[name]).toBe(early[name]);

  // One of them is cut, something else lies beside them; then it goes on.
  truncateSync(folder(`parts/${kept[0]!.replace('json', 'png')}`), 60);
  writeFileSync(folder('parts/notes.txt'), 'mine');
  const mended = await call(...words('parts'));
  expect(mended).toMatchObject({ exit: 0, err: expect.stringMatching(/^trial-000\d is damaged or of something else: it is made again\n/) as string });
  expect(filesIn(folder('parts'))).toEqual({ ...filesIn(folder('whole')), 'notes.txt': Buffer.from('mine').toString('hex') });

  // Nothing is left to do, and another search is not mixed in.
  expect(await call(...words('whole'))).toMatchObject({ exit: 0, err: '' });
  const other = await call(...words('whole'), '--seed', '6');
  expect(other).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(/holds another job/) as string });
});

test('a sweep is a row for each regularizer', async () => {
  const net = writeTinyNetwork(folder());
  expect((await call('search', net, '--unit', 'fc:0', '--sweep', '--steps', '2', '--iterations', '3', '--out', folder('sweep'))).exit).toBe(0);
  const { trials, chosen } = summaryOf('sweep');
  expect(chosen).toBeUndefined();
  expect(trials.map(({ sweep }) => `${sweep!.regularizer} ${sweep!.strength}`)).toEqual(['decay 0', 'decay 1', 'blur 0', 'blur 1', 'absContribution 0', 'absContribution 1', 'smallNorm 0', 'smallNorm 1']);
  const { width, height } = await decodePng(readFileSync(folder('sweep/sheet.png')));
  expect([width, height]).toEqual([71 + 10 + 2 * 18 + 2, 4 * 27 + 2]);
});

describe('wrong usage ends with 2 before any work', () => {
  test.each<[string[], RegExp]>([
    [['--out', 'x'], /no unit is given/],
    [['--unit', 'fc8:2'], /no folder is given[^]*--out FOLDER/],
    [['--unit', 'fc8:16', '--out', 'x'], /channels 0\.\.15/],
    [['--unit', 'fc9:1', '--out', 'x'], /did you mean 'fc/],
    [['--unit', 'fc8:2', '--out', 'x', '--trials', '0'], /--trials needs a whole number from 1 to 2000/],
    [['--unit', 'fc8:2', '--out', 'x', '--iterations', '0'], /--iterations needs a whole number from 1/],
    [['--unit', 'fc8:2', '--out', 'x', '--batch', '0'], /--batch needs a whole number from 1/],
    [['--unit', 'fc8:2', '--out', 'x', '--seed', '-1'], /--seed needs a whole number from 0/],
    [['--unit', 'fc8:2', '--out', 'x', '--sweep', '--trials', '3'], /--trials or --sweep, not both/],
    [['--unit', 'fc8:2', '--out', 'x', '--steps', '3'], /--steps is for --sweep/],
    [['--unit', 'fc8:2', '--out', 'x', '--sweep', '--steps', '1'], /--steps needs a whole number from 2/],
    [['--unit', 'fc8:2', '--out', 'package.json'], /'package\.json' is no folder/],
  ])('%j', async (words, message) => {
    const { exit, out, err } = await call('search', ...words);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toMatch(message);
  });

  test('a folder of something else', async () => {
    mkdirSync(folder('mine'));
    writeFileSync(folder('mine/letter.txt'), 'dear');
    expect(await call('search', '--unit', 'fc8:2', '--out', folder('mine'))).toMatchObject({ exit: 2, err: expect.stringMatching(/has files of something else/) as string });
    expect(readdirSync(folder('mine'))).toEqual(['letter.txt']);
  });
});
