/** `unitscope atlas`: every unit once, whoever makes it and however often it is stopped. */
import { cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodePng, parseRecipe, readPngText, RECIPE_KEYWORD } from '../../../src/index.ts';
import { filesIn, stopped } from './job_run.ts';
import { call, useFolder } from './program.ts';
import { ODD_LAYER, writeTinyNetwork } from './tiny_network.ts';

const folder = useFolder();

interface Entry {
  unit: string;
  channel: number;
  status: string;
  score: number | null;
  argmax: number | null;
  isArgmax: boolean;
  iterations: number;
  file: string | null;
}

const layersOf = (out: string): { layer: string; shape: number[]; units: Entry[] }[] => (JSON.parse(readFileSync(folder(`${out}/atlas.json`), 'utf8')) as { layers: { layer: string; shape: number[]; units: Entry[] }[] }).layers;

test('two parts copied into one folder are the whole, though one was stopped and damaged', async () => {
  const net = writeTinyNetwork(folder());
  const words = (out: string, ...more: string[]): string[] => ['atlas', net, '--layers', `${ODD_LAYER},fc`, '--preset', '1', '--max-rate', '1e6', '--iterations', '12', '--batch', '2', '--out', folder(out), ...more];
  const { exit, out, err } = await call(...words('whole'), '--json');
  expect({ exit, err }).toMatchObject({ exit: 0, err: expect.stringMatching(/units: 8 of 8, fc, took/) as string });
  const layers = layersOf('whole');
  expect(layers.map(({ layer, shape, units }) => [layer, shape, units.length])).toEqual([[ODD_LAYER, [4, 12, 12], 4], ['fc', [4, 1, 1], 4]]);
  const units = layers.flatMap((layer) => layer.units);
  expect(units.map(({ unit }) => unit)).toEqual([...[0, 1, 2, 3].map((n) => `${ODD_LAYER}:${n}@6,6`), ...[0, 1, 2, 3].map((n) => `fc:${n}`)]);
  // A unit that is silent is told, and is no failure.
  expect(units[1]).toEqual({ unit: `${ODD_LAYER}:1@6,6`, channel: 1, status: 'no gradient', score: 0, step: 0, argmax: null, isArgmax: false, iterations: 1, file: null });
  expect(units.slice(4).every(({ status, iterations, score }) => status === 'done' && iterations === 12 && Number.isFinite(score))).toBe(true);
  const silent = units.filter(({ status }) => status === 'no gradient').length;
  const argmax = units.slice(4).filter(({ isArgmax }) => isArgmax).length;
  expect(argmax).toBeGreaterThan(0);
  expect(JSON.parse(out)).toMatchObject({ units: 8, finished: 8, layers: [{ layer: ODD_LAYER, units: 4, silent, open: 0 }, { layer: 'fc', pictures: 4, argmax }] });

  const { file } = units[5]!;
  expect(file).toMatch(/^fc-1-[0-9a-f]{16}\.png$/);
  const bytes = readFileSync(folder(`whole/${file}`));
  expect(await decodePng(bytes)).toMatchObject({ width: 12, height: 12 });
  expect(parseRecipe(readPngText(bytes)[RECIPE_KEYWORD]!)).toMatchObject({ method: 'maximize', units: ['fc:1'], seed: 0, iterations: 12, settings: { maxRate: 1e6, smallNorm: 50, start: 'mean_plus_rand', snapshot: 'best' } });
  const page = readFileSync(folder('whole/index.html'), 'utf8');
  expect(page).not.toContain(ODD_LAYER);
  expect(page).toContain('&lt;i&gt;&quot;re&amp;lu&#39; <small>4 × 12 × 12');
  expect(page.match(/loading="lazy"/g)).toHaveLength(units.filter((own) => own.file !== null).length);

  // The second part is stopped after its first units; one of them is cut; then it goes on.
  const finished = (): string[] => readdirSync(folder('part2')).filter((name) => /[0-9a-f]{16}\.json$/.test(name));
  const cut = await stopped(words('part2', '--shard', '2/2'), folder('part2'), /-[0-9a-f]{16}\.json$/);
  expect(cut.exit).toBe(130);
  expect(finished().length).toBeGreaterThan(0);
  expect(finished().length).toBeLessThan(4);
  expect(layersOf('part2').flatMap((layer) => layer.units).filter(({ status }) => status === 'open')).toHaveLength(8 - finished().length);
  truncateSync(folder(`part2/${finished()[0]}`), 5);
  const mended = await call(...words('part2', '--shard', '2/2'));
  expect(mended).toMatchObject({ exit: 0, err: expect.stringMatching(/is damaged or of something else: it is made again\n/) as string });
  expect((await call(...words('part1', '--shard', '1/2'))).exit).toBe(0);
  expect(layersOf('part1').flatMap((layer) => layer.units).filter(({ status }) => status === 'open')).toHaveLength(4);

  for (const part of ['part1', 'part2']) cpSync(folder(part), folder('union'), { recursive: true });
  const united = await call(...words('union'));
  expect(united).toMatchObject({ exit: 0, err: '', out: expect.stringMatching(/8 of 8 units are finished/) as string });
  expect(filesIn(folder('union'))).toEqual(filesIn(folder('whole')));
});

test('weights that are not finite are a failure, with an entry', async () => {
  mkdirSync(folder('broken'));
  const net = writeTinyNetwork(folder('broken'));
  const weights = readFileSync(folder('broken/weights.safetensors'));
  const header = Number(weights.readBigUInt64LE());
  const { fc } = Object.fromEntries(Object.entries(JSON.parse(weights.subarray(8, 8 + header).toString()) as Record<string, { data_offsets: [number, number] }>).map(([name, { data_offsets }]) => [name.split('/')[0], data_offsets]));
  weights.writeFloatLE(NaN, 8 + header + fc![0]);
  writeFileSync(folder('broken/weights.safetensors'), weights);
  const { exit } = await call('atlas', net, '--layers', 'fc', '--iterations', '2', '--out', folder('broken/atlas'));
  expect(exit).toBe(1);
  const [{ units }] = layersOf('broken/atlas');
  expect(units.map(({ status, file }) => [status, file])).toEqual(Array(4).fill(['not finite', null]));
});

describe('wrong usage ends with 2 before any work', () => {
  test.each<[string[], RegExp]>([
    [['--out', 'x'], /no layer is given[^]*'conv1', 'conv2'/],
    [['--layers', 'all'], /no folder is given/],
    [['--layers', 'conv1,konv', '--out', 'x'], /no layer 'konv'/],
    [['--layers', 'conv1', '--out', 'x', '--method', 'invert'], /--method cannot be 'invert'[^]*maximize/],
    [['--layers', 'conv1', '--out', 'x', '--shard', '3/2'], /--shard needs I\/N with I from 1 to N, got '3\/2'/],
    [['--layers', 'conv1', '--out', 'x', '--shard', '0/2'], /--shard needs/],
    [['--layers', 'conv1', '--out', 'x', '--shard', 'half'], /--shard needs/],
    [['--layers', 'conv1', '--out', 'x', '--batch', '0'], /--batch needs a whole number/],
    [['--layers', 'conv1', '--out', 'x', '--preset', '9'], /--preset needs a whole number from 1 to 4/],
    [['--layers', 'conv1', '--out', 'x', '--start', 'zero'], /mean_plus_rand, randu, mean/],
    [['--layers', 'conv1', '--out', 'package.json'], /'package\.json' is no folder/],
  ])('%j', async (words, message) => {
    const { exit, out, err } = await call('atlas', ...words);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toMatch(message);
  });
});
