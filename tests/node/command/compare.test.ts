import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodePng, parseRecipe, readPngText, RECIPE_KEYWORD } from '../../../src/index.ts';
import { call, example, start, useFolder } from './program.ts';

const folder = useFolder();
const twin = (name: string): string => join(import.meta.dirname, '../../../models/twins', name);

interface Result {
  structure: { onlyA: object[]; onlyB: object[]; changed: object[]; same: number };
  weights: { layer: string; role: string; relative: number }[];
  preferred: Record<'a' | 'b', { unit: string; seed: number; status: string; score: number }[]>;
  maps: { layer: string; map: string; range: [number, number] }[];
}

test('twins: the same layers with other weights, side by side', async () => {
  const words = ['compare', twin('dead'), twin('dead-repaired'), '--unit', 'fc5:8', '--image', example('fish'), '--layer', 'relu1', '--iterations', '3', '--out', folder('twins.png'), '--json'];
  const { exit, out, err } = await start(words);
  expect(exit, err).toBe(0);
  const { structure, weights, preferred, maps } = JSON.parse(out) as Result;
  expect(structure).toEqual({ onlyA: [], onlyB: [], changed: [], same: 13 });
  expect(weights.map(({ layer, role }) => `${layer} ${role}`)).toEqual(['conv1', 'conv2', 'conv3', 'fc4', 'fc5'].flatMap((layer) => [`${layer} weight`, `${layer} bias`]));
  for (const { relative } of weights) expect(relative).toBeGreaterThan(0);
  expect([...preferred.a, ...preferred.b].map(({ unit, seed }) => `${unit} ${seed}`)).toEqual(['fc5:8 0', 'fc5:8 0']);
  expect(maps).toMatchObject([{ layer: 'relu1', map: 'ember', range: [0, expect.any(Number) as number] }]);
  expect((await decodePng(readFileSync(folder('twins.png')))).width).toBeGreaterThan(2 * 192);
  expect(parseRecipe(readPngText(readFileSync(folder('twins.png')))[RECIPE_KEYWORD])).toMatchObject({ method: 'compare', units: ['fc5:8'], settings: { other: { name: 'dead-repaired' }, seeds: [0] } });
});

test('two architectures, in words alone: nothing is asked of a GPU', async () => {
  const { exit, out } = await call('compare', twin('faded'), twin('faded-repaired'));
  expect(exit).toBe(0);
  expect(out).toMatch(/^A is faded, B is faded-repaired\n\d+ layers are built alike\n[^]*only in B \(\d+\)\n[^]*weights\n +layer +of +shape +\|A\|/);
});

test.each<[string[], RegExp]>([
  [[twin('dead')], /MODEL_B is missing/],
  [[twin('dead'), 'embedded', '--unit', 'fc9:1', '--out', 'x.png'], /in 'dead': the network has no layer 'fc9'/],
  [[twin('dead'), twin('faded'), '--out', 'x.png'], /nothing is named that a picture could show/],
  [[twin('dead'), twin('faded'), '--unit', 'conv1:1'], /--out FILE\.png/],
  [[twin('dead'), twin('faded'), '--image', example('fish'), '--out', 'x.png'], /no layer is given/],
  [[twin('dead'), twin('faded'), '--unit', 'conv1:1', '--layer', 'conv77', '--out', 'x.png'], /no layer 'conv77'/],
])('wrong usage: %j', async (words, message) => {
  const { exit, out, err } = await call('compare', ...words);
  expect({ exit, out }).toEqual({ exit: 2, out: '' });
  expect(err).toMatch(message);
});
