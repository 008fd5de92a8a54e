import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodePng, fitImage, parseRecipe, readPngText, RECIPE_KEYWORD } from '../../../src/index.ts';
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import { call, example, start, useFolder } from './program.ts';

const folder = useFolder();
const fish = example('fish');

interface Attacked {
  targeted: boolean; before: { top: { label: string } }; smallest: number | null;
  pictures: { epsilon: number; succeeded: boolean; top: { label: string }; probability: number; stored: { top: { label: string }; probability: number }; change: { max: number } }[];
  files: string[];
}

test('a fish is taken for something else after a few levels; a file of it too', async () => {
  const words = ['fool', fish, '--eps', '8,1', '--steps', '4', '--out', folder('fooled.png'), '--result', folder('result.png'), '--json'];
  const { exit, out, err } = await start(words);
  expect(exit, err).toBe(0);
  expect(err).toMatch(/steps: 4 of 4, . of 2 fooled, took/);
  const { targeted, before, pictures, smallest, files } = JSON.parse(out) as Attacked;
  expect([targeted, before.top.label]).toEqual([false, 'fish']);
  expect(pictures.map(({ epsilon }) => epsilon)).toEqual([1, 8]);
  for (const { epsilon, change } of pictures) expect(change.max).toBe(epsilon);
  const [, most] = pictures;
  expect(most.succeeded).toBe(true);
  expect(most.top.label).not.toBe('fish');
  expect(most.stored.top.label).toBe(most.top.label);
  expect([1, 8]).toContain(smallest);
  expect(files).toEqual([folder('fooled.png'), folder('result.png')]);
  // Whole levels: the file is the picture to the bit.
  const other = await decodePng(readFileSync(folder('result.png')));
  const one = fitImage(await decodePng(readFileSync(fish)), other.width, other.height, 'crop');
  const moved = one.data.reduce((most, value, i) => Math.max(most, Math.abs(value - other.data[i])), 0);
  expect(moved).toBe(smallest);
  const recipe = parseRecipe(readPngText(readFileSync(folder('result.png')))[RECIPE_KEYWORD]);
  expect(recipe).toMatchObject({ method: 'fool', iterations: 4, settings: { way: 'pgd', class: null, epsilons: [8, 1], loss: 'cross-entropy' } });
});

test('noise becomes a class that no person sees in it', async () => {
  const weight = { shape: [3, 192], data: Float32Array.from({ length: 3 * 192 }, (_, i) => 0.1 * Math.sin(0.7 * i * i)) };
  const nodes = [{ name: 'scores', output: 'scores', op: 'dense', inputs: ['x'], attributes: {}, weights: { weight } }];
  const preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], fit: 'crop' } as const;
  const { json, safetensors } = writeManifest({ name: 'linear', inputs: [{ name: 'x', shape: [1, 3, 8, 8] }], outputs: ['scores'], preprocess, labels: ['ant', 'bee', 'cat'], nodes });
  writeFileSync(folder('network.json'), json);
  writeFileSync(folder('weights.safetensors'), safetensors);
  const { exit, out, err } = await start(['fool', folder('network.json'), '--class', 'bee', '--iterations', '400', '--out', folder('noise.png')]);
  expect(exit, err).toBe(0);
  expect(out).toMatch(/class +bee\n +probability +\d+\.\d % before, (9\d|100)\.\d % after; .*\n +iterations +\d+, confident\n/);
  expect(await decodePng(readFileSync(folder('noise.png')))).toMatchObject({ width: 8 + 3 * (224 + 8) });
});

test.each<[string[], RegExp]>([
  [[], /no class is given[^]*--class/],
  [['--way', 'pgd', '--class', 'car'], /IMAGE is missing[^]*--way ascent/],
  [[fish, '--eps', '0'], /--eps needs a number above 0 and up to 255, got '0'/],
  [[fish, '--eps', '1,,2'], /--eps needs a number, got ''/],
  [[fish, '--way', 'fgsn'], /did you mean fgsm/],
  [[fish, '--class', 'whale'], /no class is called 'whale'/],
  [[fish, '--loss', 'hinge'], /cross-entropy, margin/],
  [['--class', 'car', '--confidence', '1'], /--confidence needs a number above 0 and below 1/],
  [['--class', 'car', '--out', 'x.jpg'], /must be a \.png file/],
])('wrong usage: %j', async (words, message) => {
  const { exit, out, err } = await call('fool', ...words);
  expect({ exit, out }).toEqual({ exit: 2, out: '' });
  expect(err).toMatch(message);
});
