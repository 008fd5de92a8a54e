import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodePng, parseRecipe, readPngText, RECIPE_KEYWORD, type Recipe } from '../../../src/index.ts';
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import { start, useFolder } from './program.ts';

const folder = useFolder();

interface Result {
  hash: string;
  images: { unit: string; seed: number; status: string; score: number; step: number; argmax: number | null; iterations: number; message: string | null }[];
  files: string[];
}

const recipeIn = (path: string): Recipe => parseRecipe(readPngText(readFileSync(path))[RECIPE_KEYWORD]);

/** A climb without regularizers, so that the score of any network rises. */
const STEEP = ['--preset', '1', '--blur-every', '0', '--small-norm', '0'];

test('units and seeds on one sheet, with the recipe in the file', async () => {
  const out = folder('sheet.png');
  const words = ['--unit', 'conv2:3@9,9', '--unit', 'conv1:1', '--seed', '0', '--seed', '7', ...STEEP, '--max-rate', '500', '--iterations', '4'];
  const { exit, out: text, err, lingered } = await start(['maximize', ...words, '--out', out, '--json']);
  expect(exit).toBe(0);
  expect(lingered).toBeLessThan(2000);
  expect(err).toMatch(/conv2, 2 images: 4 of 4, took/);
  const { images, files, hash } = JSON.parse(text) as Result;
  expect(files).toEqual([out]);
  expect(images.map(({ unit, seed, status }) => `${unit} ${seed} ${status}`)).toEqual([
    'conv2:3@9,9 0 done', 'conv2:3@9,9 7 done', 'conv1:1@16,16 0 done', 'conv1:1@16,16 7 done',
  ]);
  for (const { step, iterations } of images) expect([step, iterations]).toEqual([3, 4]);
  const sheet = await decodePng(readFileSync(out));
  expect([sheet.width, sheet.height]).toEqual([2 * 98 + 2, 2 * 98 + 2]);
  expect(recipeIn(out)).toMatchObject({
    network: { name: 'embedded', hash },
    method: 'maximize',
    units: ['conv2:3@9,9', 'conv1:1@16,16'],
    seed: 0,
    iterations: 4,
    settings: { policy: 'progress', maxRate: 500, blurEvery: 0, seeds: [0, 7], start: 'mean_plus_rand', snapshot: 'best' },
  });
});

test('a unit without a gradient and one that is not finite are told; the others are written', async () => {
  // y = relu(w x - 1): unit 0 answers, unit 1 is silent, unit 2 has weights that are not finite.
  const shape = [3, 3, 1, 1];
  const weight = { shape, data: Float32Array.of(100, 100, 100, 0, 0, 0, NaN, 0, 0) };
  const bias = { shape: [3], data: Float32Array.of(100, -1, 0) };
  const one = (name: string, keep: number) => {
    const pick = { shape: [1, 3, 1, 1], data: weight.data.slice(3 * keep, 3 * keep + 3) };
    const conv = { name: `${name}/conv`, output: `${name}/conv`, op: 'conv2d', inputs: ['x'], attributes: {}, weights: { weight: pick, bias: { shape: [1], data: bias.data.slice(keep, keep + 1) } } };
    return [conv, { name, output: name, op: 'relu', inputs: [conv.output], attributes: {}, weights: {} }];
  };
  const preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.5, 0.5], std: [1, 1, 1], fit: 'crop' } as const;
  const nodes = [...one('lively', 0), ...one('silent', 1), ...one('broken', 2)];
  const { json, safetensors } = writeManifest({ name: 'three', inputs: [{ name: 'x', shape: [1, 3, 8, 8] }], outputs: ['lively', 'silent', 'broken'], preprocess, nodes });
  writeFileSync(folder('network.json'), json);
  writeFileSync(folder('weights.safetensors'), safetensors);
  const units = ['lively', 'silent', 'broken'].flatMap((layer) => ['--unit', `${layer}:0`]);
  const { exit, out, err } = await start(['maximize', folder('network.json'), ...units, ...STEEP, '--iterations', '4', '--out', folder('pictures/'), '--json']);
  expect(exit).toBe(1);
  const { images } = JSON.parse(out) as Result;
  expect(images.map(({ status }) => status)).toEqual(['done', 'no gradient', 'not finite']);
  expect(err).toMatch(/note: .*are not finite/);
  expect(err).toMatch(/silent:0@4,4 seed 0: the gradient is 0 from iteration 0 on\n {2}hint: the unit is silent/);
  expect(err).toMatch(/broken:0@4,4 seed 0: numbers are not finite from iteration 0 on/);
  expect(readdirSync(folder('pictures'))).toEqual(['lively-0@4,4-seed0.png']);
  expect(recipeIn(folder('pictures/lively-0@4,4-seed0.png'))).toMatchObject({ units: ['lively:0@4,4'], seed: 0 });
});

test('a batch that is too large for the device is halved', async () => {
  // 600 maps of 64 x 64: 16 images are 150 MiB, one binding holds 128 MiB.
  const weight = { shape: [600, 3, 1, 1], data: new Float32Array(1800).fill(1) };
  const conv = { name: 'wide', output: 'wide', op: 'conv2d', inputs: ['x'], attributes: {}, weights: { weight } };
  const preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.5, 0.5], std: [1, 1, 1], fit: 'crop' } as const;
  const { json, safetensors } = writeManifest({ name: 'wide', inputs: [{ name: 'x', shape: [1, 3, 64, 64] }], outputs: ['wide'], preprocess, nodes: [conv] }, { weightsFile: 'wide.safetensors' });
  writeFileSync(folder('wide.json'), json);
  writeFileSync(folder('wide.safetensors'), safetensors);
  const seeds = Array.from({ length: 16 }, (_, seed) => ['--seed', String(seed)]).flat();
  const { exit, out, err } = await start(['maximize', folder('wide.json'), '--unit', 'wide:599', ...seeds, '--iterations', '1', '--out', folder('wide.png'), '--json']);
  expect(exit).toBe(0);
  expect(err.match(/wide, 8 images: 1 of 1/g)).toHaveLength(2);
  const { images } = JSON.parse(out) as Result;
  expect(images.map(({ seed, status }) => `${seed} ${status}`)).toEqual(images.map((_, seed) => `${seed} done`));
});

test('Ctrl-C writes what there is and ends with 130', async () => {
  const out = folder('stopped.png');
  writeFileSync(out, 'older');
  let asked = false;
  const { exit, out: text, lingered } = await start(['maximize', '--unit', 'conv1:2', '--seed', '3', '--iterations', '1000000', '--out', out, '--json'], {
    watch: (_, child) => {
      if (!asked) child.kill('SIGINT');
      asked = true;
    },
  });
  expect(exit).toBe(130);
  expect(lingered).toBeLessThan(2000);
  const [image] = (JSON.parse(text) as Result).images;
  expect(image.status).toBe('interrupted');
  expect(image.iterations).toBeGreaterThan(0);
  expect(await decodePng(readFileSync(out))).toMatchObject({ width: 96, height: 96 });
  expect(recipeIn(out)).toMatchObject({ seed: 3, iterations: image.iterations, settings: { iterations: 1_000_000 } });
  expect(readdirSync(folder()).filter((name) => name.endsWith('.part'))).toEqual([]);
});
