/** Weights from the command line. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodePng, parseRecipe, readPngText, RECIPE_KEYWORD } from '../../../src/index.ts';
import { call, useFolder } from './program.ts';

const folder = useFolder();

interface Facts {
  network: string;
  layers: { layer: string; outputs: number; inputs: number; kernel: number[]; norms: number[]; count: number; drawn?: { shows: string; outputs?: number; inputs?: number } }[];
  files: string[];
}

test('the first filters of the embedded network, in colour', async () => {
  const out = folder('conv1.png');
  const { exit, out: text } = await call('weights', '--out', out);
  expect(exit).toBe(0);
  expect(text).toMatch(/^ {2}conv1 +32 x 3 x 7 x 7 /m);
  expect(text).toMatch(/largest +norm +smallest +norm\n {2}conv1:\d+ +[\d.]+ +conv1:\d+ +[\d.]+\n/);
  const bytes = readFileSync(out);
  const { width, height } = await decodePng(bytes);
  expect([width, height]).toEqual([8 * 116 + 4, 4 * 116 + 4]);
  expect(parseRecipe(readPngText(bytes)[RECIPE_KEYWORD])).toMatchObject({ method: 'weights', settings: { layer: 'conv1', picture: 'filters', scale: 'shared', channels: 'RGB' } });
});

test('a folder of layers, with histograms and norms; numbers alone of all of them', async () => {
  const out = folder('weights/');
  const { exit, out: text } = await call('weights', '--layer', 'conv1', '--layer', 'fc6', '--out', out, '--most', '16', '--json');
  expect(exit).toBe(0);
  const { layers, files } = JSON.parse(text) as Facts;
  expect(layers.map(({ drawn }) => drawn!.shows)).toEqual(['filters', 'kernels']);
  expect(layers[1]).toMatchObject({ layer: 'fc6', outputs: 640, inputs: 96, kernel: [3, 3], drawn: { outputs: 16, inputs: 16 } });
  expect(readdirSync(out).sort()).toEqual(['conv1-histogram.png', 'conv1.png', 'fc6-histogram.png', 'fc6.png', 'norms.json']);
  expect(files).toHaveLength(5);
  expect((JSON.parse(readFileSync(`${out}norms.json`, 'utf8')) as Facts).layers).toEqual(layers);
  expect((await call('weights', '--layer', 'fc6', '--most', '8', '--out', folder('fc6.png'))).out).toMatch(/shown are the first 8 of 640 outputs and 8 of 96 inputs/);

  const all = JSON.parse((await call('weights', '--json')).out) as Facts;
  expect(all.layers.map(({ layer }) => layer)).toEqual(['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'fc6', 'fc7', 'fc8']);
  for (const { outputs, norms } of all.layers) expect(norms).toHaveLength(outputs);
});

test('wrong usage says what would be right', async () => {
  const answers: [string[], RegExp][] = [
    [['--layer', 'relu1'], /'relu1' \(relu\) has no kernels[^]*layers that have: conv1/],
    [['--layer', 'conv11'], /did you mean 'conv1'/],
    [['--layer', 'conv1', '--layer', 'conv2', '--out', 'x.png'], /one picture cannot show 2 layers[^]*end --out with \//],
    [['--out', 'x.jpg'], /must be a \.png file/],
    [['--show', 'filtres', '--out', 'x.png'], /did you mean filters/],
    [['--most', '0'], /--most needs a whole number from 1/],
    [['--layer', 'conv2', '--show', 'filters', '--out', 'x.png'], /kernels of 'conv2' are no colour pictures/],
  ];
  for (const [words, message] of answers) expect(await call('weights', ...words)).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(message) as string });
});
