import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodePng, parseRecipe, readNpy, readPngText, RECIPE_KEYWORD } from '../../../src/index.ts';
import { call, example, start, useFolder } from './program.ts';

const folder = useFolder();
const fish = example('fish');

interface Result {
  unit: string; label: string; score: number; patch: number; stride: number; tops: number[]; lefts: number[]; scores: number[];
  worst: { top: number; left: number; score: number; drop: number }; ms: number; files: string[];
}

test('the picture, the heat over it and the covered place; the scores; the recipe', async () => {
  const words = ['occlude', fish, '--patch', '24', '--stride', '24', '--batch', '6', '--fill', 'blur', '--out', folder('why.png'), '--npy', folder('why.npy'), '--json'];
  const { exit, out, err } = await start(words);
  expect(exit, err).toBe(0);
  expect(err).toMatch(/places: 16 of 16, took/);
  const { unit, label, score, tops, lefts, scores, worst, files } = JSON.parse(out) as Result;
  expect([unit, label]).toEqual(['prob:1', 'fish']);
  expect([tops, lefts]).toEqual([[0, 24, 48, 72], [0, 24, 48, 72]]);
  expect(scores).toHaveLength(16);
  expect(worst.score).toBe(Math.min(...scores));
  expect(worst.drop).toBeCloseTo(score - worst.score, 6);
  expect(files).toEqual([folder('why.npy'), folder('why.png')]);
  const npy = readNpy(readFileSync(folder('why.npy')));
  expect([npy.shape, [...npy.data]]).toEqual([[4, 4], scores]);
  expect(await decodePng(readFileSync(folder('why.png')))).toMatchObject({ width: 8 + 3 * (288 + 8) });
  expect(parseRecipe(readPngText(readFileSync(folder('why.png')))[RECIPE_KEYWORD])).toMatchObject({ method: 'occlude', units: ['prob:1'], iterations: 16, settings: { patch: 24, stride: 24, fill: 'blur', show: 'drop' } });
});

test.each<[string[], RegExp]>([
  [[], /IMAGE is missing/],
  [[fish, '--fill', 'gray'], /--fill cannot be 'gray'[^]*mean, zero, blur, noise/],
  [[fish, '--patch', '0'], /--patch needs a whole number from 1/],
  [[fish, '--class', 'whale'], /no class is called 'whale'/],
  [[fish, '--class', 'fish', '--unit', 'fc8:1'], /--class or --unit, not both/],
  [[fish, '--show', 'heat'], /drop, score/],
  [[fish, '--out', 'why.jpg'], /'why\.jpg' must be a \.png file/],
  [[fish, '--spread', 'cubic'], /bilinear, nearest/],
])('wrong usage: %j', async (words, message) => {
  const { exit, out, err } = await call('occlude', ...words);
  expect({ exit, out }).toEqual({ exit: 2, out: '' });
  expect(err).toMatch(message);
});
