/** Maps of pictures from the command line. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createImage, decodePng, embed, EMBED_DEFAULTS, embedThrough, encodePng, parseRecipe, readNpy, readPngText, RECIPE_KEYWORD } from '../../../src/index.ts';
import { openEmbeddingThread } from '../../../src/node/embedding_thread.ts';
import { blobs } from '../../analysis/planted.ts';
import { call, start, useFolder } from './program.ts';

const folder = useFolder();

interface PointFile {
  classes: string[];
  points: { name: string; label: string; x: number; y: number; column?: number; row?: number }[];
}

/** Two classes of four pictures in two colours each, and a picture that is none. */
async function pictures(): Promise<string> {
  const root = folder('pictures');
  for (const [label, name] of ['cold', 'warm'].entries()) {
    mkdirSync(`${root}/${name}`, { recursive: true });
    for (let n = 0; n < 4; n++) writeFileSync(`${root}/${name}/${n}.png`, await encodePng(createImage(20, 20, label === 0 ? [20, 60 + 8 * n, 220] : [220, 60 + 8 * n, 20])));
  }
  writeFileSync(`${root}/warm/cut.png`, 'no picture');
  return root;
}

test('a map, its points, their neighbours and features; a broken picture is named in the end; the same seed gives the same bytes', async () => {
  const root = await pictures();
  const run = (out: string, ...words: string[]) => call('embed', '--images', root, '--layer', 'relu1', '--no-tune', '--iterations', '60', '--out', out, '--json', ...words);
  const [first, again] = [folder('first'), folder('again')];
  const { exit, out, err } = await run(first);
  expect(exit).toBe(1);
  expect(err).toMatch(/image-decode[^]*cut\.png/);
  const facts = JSON.parse(out) as Record<string, unknown>;
  expect(facts).toMatchObject({ layer: 'relu1', layout: 'tsne', pool: 'mean', pictures: 8, features: [8, 32], iterations: 60, sameClass: { layer: 1 }, broken: [{ name: 'warm/cut.png', code: 'image-decode' }] });
  expect(facts.perplexity).toBeCloseTo(7 / 3, 12);
  expect(readdirSync(first).sort()).toEqual(['features.npy', 'map.png', 'neighbours.json', 'points.json']);

  const { classes, points } = JSON.parse(readFileSync(`${first}/points.json`, 'utf8')) as PointFile;
  expect(classes).toEqual(['cold', 'warm']);
  expect(points.map(({ name, label }) => `${name} ${label}`)).toEqual(['cold', 'warm'].flatMap((name) => [0, 1, 2, 3].map((n) => `${name}/${n}.png ${name}`)));
  const { neighbours } = JSON.parse(readFileSync(`${first}/neighbours.json`, 'utf8')) as { neighbours: { name: string; nearest: { name: string; distance: number }[] }[] };
  expect(neighbours[0].nearest.map(({ name }) => name)).toEqual(['cold/1.png', 'cold/2.png', 'cold/3.png', ...neighbours[0].nearest.slice(3).map(({ name }) => name)]);
  expect(neighbours[0].nearest).toHaveLength(5);
  const features = readNpy(readFileSync(`${first}/features.npy`));
  expect(features.shape).toEqual([8, 32]);
  const distance = Math.sqrt(Array.from({ length: 32 }, (_, k) => (features.data[k] - features.data[32 + k]) ** 2).reduce((a, b) => a + b));
  expect(neighbours[0].nearest[0].distance).toBeCloseTo(distance, 6);

  const bytes = readFileSync(`${first}/map.png`);
  expect((await decodePng(bytes)).width).toBeGreaterThanOrEqual(700);
  expect(parseRecipe(readPngText(bytes)[RECIPE_KEYWORD])).toMatchObject({ method: 'embed', seed: 0, iterations: 60, settings: { layer: 'relu1', layout: 'tsne', pooling: 'mean', grid: false } });

  await run(again);
  for (const name of readdirSync(first)) expect(readFileSync(`${again}/${name}`).equals(readFileSync(`${first}/${name}`)), name).toBe(true);
});

test('the program makes the map in a thread of its own, to the same bytes', async () => {
  const words = ['embed', '--scenes', '3', '--layer', 'relu1', '--no-tune', '--iterations', '60', '--perplexity', '10'];
  const outside = await start([...words, '--out', folder('thread')]);
  expect(outside).toMatchObject({ exit: 0 });
  expect((await call(...words, '--out', folder('here'))).exit).toBe(0);
  for (const name of ['map.png', 'points.json']) expect(readFileSync(folder(`thread/${name}`)).equals(readFileSync(folder(`here/${name}`))), name).toBe(true);

  expect(openEmbeddingThread()).toBeUndefined(); // sources are no program
  const thread = openEmbeddingThread(new URL('../../../dist/node/unitscope.js', import.meta.url).href)!;
  const { points } = blobs();
  const maps: Float64Array[] = [];
  for await (const { map } of embedThrough(thread, points, { ...EMBED_DEFAULTS, layout: 'pca' })) if (map) maps.push(map);
  thread.close();
  for await (const { map } of embed(points, { ...EMBED_DEFAULTS, layout: 'pca' })) if (map) expect(maps.at(-1)).toEqual(map);
});

test('in rows and columns by UMAP', async () => {
  const root = await pictures();
  const { exit } = await call('embed', '--images', `${root}/cold`, '--layer', 'conv1', '--no-tune', '--method', 'umap', '--metric', 'cosine', '--pool', 'max', '--grid', '--iterations', '20', '--out', folder('grid'));
  expect(exit).toBe(0);
  const { points } = JSON.parse(readFileSync(folder('grid/points.json'), 'utf8')) as PointFile;
  expect(points.map(({ column, row }) => `${column} ${row}`).sort()).toEqual(['0 0', '0 1', '1 0', '1 1']);
  expect(points.every(({ label }) => label === null)).toBe(true);
  const { width, height } = await decodePng(readFileSync(folder('grid/map.png')));
  expect([width, height]).toEqual([2 * 104 + 8, 2 * 104 + 8]);
});

test('wrong usage ends with 2 before any work, and says what would be right', async () => {
  writeFileSync(folder('file'), '');
  mkdirSync(folder('empty'));
  const answers: [string[], RegExp][] = [
    [['--scenes', '4', '--out', 'x'], /no layer is given[^]*--layer fc8/],
    [['--scenes', '4', '--layer', 'fc77', '--out', 'x'], /did you mean 'fc7'/],
    [['--scenes', '4', '--layer', 'fc7'], /no folder is given/],
    [['--scenes', '4', '--layer', 'fc7', '--out', folder('file')], /is no folder/],
    [['--layer', 'fc7', '--out', 'x'], /no pictures are given/],
    [['--images', folder('empty'), '--layer', 'fc7', '--out', 'x'], /has no pictures/],
    [['--scenes', '4', '--layer', 'fc7', '--out', 'x', '--method', 'tnse'], /did you mean tsne/],
    [['--scenes', '4', '--layer', 'fc7', '--out', 'x', '--pool', 'min'], /--pool cannot be 'min'/],
    [['--scenes', '4', '--layer', 'fc7', '--out', 'x', '--neighbours', '1'], /--neighbours needs a whole number from 2/],
    [['--scenes', '1000', '--layer', 'fc7', '--out', 'x', '--no-tune'], /t-SNE lays out up to 4096 pictures, there are 16000/],
    [['--scenes', '200', '--layer', 'fc7', '--out', 'x', '--grid', '--no-tune'], /a grid holds up to 2048 pictures, there are 3200/],
    [['--scenes', '4', '--layer', 'fc7', '--out', 'x', '--perplexity', '0', '--no-tune'], /perplexity must be from 1 on/],
  ];
  for (const [words, message] of answers) expect(await call('embed', ...words), words.join(' ')).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(message) as string });
});
