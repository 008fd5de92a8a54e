import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodePng, parseRecipe, readPngText, RECIPE_KEYWORD, writeNpy, type Recipe } from '../../../src/index.ts';
import { call, example, start, useFolder } from './program.ts';

const folder = useFolder();

const recipeIn = (path: string): Recipe => parseRecipe(readPngText(readFileSync(path))[RECIPE_KEYWORD]);

interface Result {
  hash: string;
  images: { objective: string; seed: number; status: string; first: number; score: number; steps: number; message: string | null }[];
  files: string[];
}

test('objectives and seeds on one sheet, with the recipe in the file', async () => {
  const [out, vector] = [folder('sheet.png'), folder('direction.npy')];
  writeFileSync(vector, writeNpy({ shape: [32], data: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)) }));
  const sum = `channel conv1:3 - 0.5*direction conv1 '${vector}'`;
  const words = ['--objective', 'conv1:1', '--objective', sum, '--seed', '4', '--seed', '7', '--steps', '3', '--rate', '0.1', '--transforms', 'none', '--out', out, '--json'];
  const { exit, out: text, err } = await start(['synthesize', ...words]);
  expect(err).toMatch(/4 images: 3 of 3, took/);
  expect(exit).toBe(0);
  const { images, files, hash } = JSON.parse(text) as Result;
  expect(files).toEqual([out]);
  expect(images.map(({ objective, seed, status, steps }) => [objective, seed, status, steps])).toEqual([['conv1:1', 4, 'done', 3], ['conv1:1', 7, 'done', 3], [sum, 4, 'done', 3], [sum, 7, 'done', 3]]);
  for (const { first, score } of images) expect(score).toBeGreaterThan(first);
  expect(await decodePng(readFileSync(out))).toMatchObject({ width: 2 * 98 + 2, height: 2 * 98 + 2 });
  const vectors = { 'direction.npy': expect.stringMatching(/^[0-9a-f]{64}$/) as string };
  expect(recipeIn(out)).toMatchObject({
    network: { name: 'embedded', hash },
    method: 'synthesize',
    units: ['conv1:1', sum],
    seed: 4,
    iterations: 3,
    settings: { parameterization: 'fourier', transforms: 'none', optimizer: 'adam', rate: 0.1, steps: 3, seeds: [4, 7], vectors },
  });
});

test('a dream starts at its picture, of any size that the layer takes', async () => {
  const out = folder('dream.png');
  const { exit, err } = await start(['synthesize', '--style', 'deepdream', '--start', example('fish'), '--size', '72', '--objective', 'conv1', '--steps', '2', '--out', out]);
  expect(err).toMatch(/conv1 seed 0: 2 of 2/);
  expect(exit).toBe(0);
  expect(await decodePng(readFileSync(out))).toMatchObject({ width: 72, height: 72 });
  expect(recipeIn(out).settings).toMatchObject({ parameterization: 'pixels', optimizer: 'ascent', start: 'fish.png', size: 72 });
});

test('the code of a picture becomes another picture', async () => {
  const out = folder('inverse.png');
  const words = ['invert', example('fish'), '--with', example('car'), '--layer', 'conv1', '--steps', '8', '--restarts', '2', '--seed', '3', '--out', out, '--json'];
  const { exit, out: text, err } = await start(words);
  expect(err).toMatch(/conv1: 8 of 8, error \d+\.\d %/);
  expect(exit).toBe(0);
  const { layers, pictures } = JSON.parse(text) as { layers: { layer: string; error: number; errors: number[] }[]; pictures: { name: string }[] };
  expect(layers).toEqual([{ layer: 'conv1', error: Math.min(...layers[0]!.errors), errors: [expect.any(Number), expect.any(Number)] as unknown as number[], variation: 1, rate: 0.004 }]);
  expect(pictures.map(({ name }) => name)).toEqual(['fish.png', 'car.png']);
  expect(await decodePng(readFileSync(out))).toMatchObject({ width: 96, height: 96 });
  expect(recipeIn(out)).toMatchObject({ method: 'invert', units: ['conv1'], seed: 3, iterations: 8, settings: { restarts: 2, rate: [0.004], variation: [1] } });
});

describe('wrong usage ends with 2 before any work, and says what would be right', () => {
  const to = ['--out', 'x.png'];
  test.each<[string[], RegExp]>([
    [['synthesize', ...to], /no objective is given/],
    [['synthesize', '--objective', 'conv3:1'], /--out FILE\.png/],
    [['synthesize', '--objective', 'conv33:1', ...to], /did you mean 'conv3'/],
    [['synthesize', '--objective', 'conv3:1 conv2', ...to], /'conv2' where \+ or - is expected at character 9/],
    [['synthesize', '--objective', 'conv3', ...to, '--style', 'dream'], /did you mean deepdream/],
    [['synthesize', '--objective', 'conv3', ...to, '--transforms', 'lucidd'], /did you mean lucid/],
    [['synthesize', '--objective', 'conv3', ...to, '--steps', '0'], /steps must be a whole number from 1/],
    [['synthesize', '--objective', 'conv3', ...to, '--start', example('fish')], /only pixels can start at a picture[^]*deepdream/],
    [['synthesize', '--objective', 'diversity conv3', ...to], /1 seed is given[^]*--seed/],
    [['synthesize', '--objective', 'fc6', '--size', '64', ...to], /no picture of 64 x 64 fits/],
    [['synthesize', '--objective', 'direction conv3 no.npy', ...to], /cannot read 'no\.npy'/],
    [['invert', example('fish'), ...to], /no layer is given/],
    [['invert', '--layer', 'conv3', ...to], /IMAGE is missing/],
    [['invert', example('fish'), '--layer', 'conv33', ...to], /did you mean 'conv3'/],
    [['invert', example('fish'), '--layer', 'conv3', ...to, '--beta', '0.1'], /beta must be a number from 1/],
  ])('%j', async (words, message) => {
    const { exit, out, err } = await call(...words);
    expect(err.replaceAll('\n', ' ')).toMatch(message);
    expect({ exit, out }).toEqual({ exit: /cannot read/.test(err) ? 1 : 2, out: '' });
  });
});
