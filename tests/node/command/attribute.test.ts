/** attribute as a process, on the embedded network, and its wrong usage. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodePng, parseRecipe, readNpy, readPngText, RECIPE_KEYWORD } from '../../../src/index.ts';
import { call, example, start, useFolder } from './program.ts';

const folder = useFolder();
const fish = example('fish');

interface Facts {
  readonly unit: string;
  readonly class: string | null;
  readonly score: number;
  readonly evidence: string | null;
  readonly norm: number;
  readonly completeness: { readonly sum: number; readonly difference: number; readonly gap: number } | null;
}

test('grad-cam of the class that the network names, over the picture, with its recipe', async () => {
  const { exit, out, err } = await start(['attribute', fish, '--method', 'grad-cam', '--picture', folder('cam.png'), '--out', folder('cam.npy'), '--json']);
  expect({ exit, err }).toMatchObject({ exit: 0, err: '' });
  const facts = JSON.parse(out) as Facts;
  expect(facts).toMatchObject({ method: 'grad-cam', class: 'fish', mode: null, completeness: null, shape: [1, 1, 96, 96] });
  const cam = readNpy(readFileSync(folder('cam.npy')));
  expect(cam.shape).toEqual([1, 1, 96, 96]);
  expect(Math.min(...cam.data)).toBeGreaterThanOrEqual(0);
  expect(facts.norm).toBeCloseTo(Math.hypot(...cam.data), 4);
  expect(await decodePng(readFileSync(folder('cam.png')))).toMatchObject({ width: 96, height: 96 });
  const recipe = parseRecipe(readPngText(readFileSync(folder('cam.png')))[RECIPE_KEYWORD]);
  expect(recipe).toMatchObject({ method: 'attribute', units: [facts.unit], settings: { form: 'grad-cam', evidence: facts.evidence, show: 'overlay' } });
});

test('integrated gradients say by how much they miss the score', async () => {
  const { exit, out, err } = await start(['attribute', 'embedded', fish, '--unit', 'fc8:3', '--method', 'integrated', '--steps', '30', '--baseline', 'blur']);
  expect(exit).toBe(0);
  expect(err).toMatch(/integrated: 32 of 32/);
  expect(out).toMatch(/unit +fc8:3\n/);
  expect(out).toMatch(/backward +mask, switches, lrn true\n/);
  const [sum, difference, gap] = ['sum', 'score - baseline', 'relative gap'].map((name) => Number(new RegExp(`${name} +(\\S+)`).exec(out)![1]));
  expect(Math.abs(sum - difference)).toBeLessThan(0.1 * Math.abs(difference) + 0.05);
  expect(gap).toBeCloseTo(Math.abs(sum - difference) / Math.abs(difference), 2);
});

describe('wrong usage ends with 2 before any work', () => {
  test.each<[string[], RegExp]>([
    [['attribute', fish, '--method', 'gradcam'], /did you mean grad-cam\?/],
    [['attribute', fish, '--rule', 'guidded'], /did you mean guided\? the choices are saliency/],
    [['attribute', fish, '--mask', 'yes'], /--mask cannot be 'yes'[^]*on, off/],
    [['attribute', fish, '--lrn', 'none'], /the choices are true, identity/],
    [['attribute', fish, '--method', 'grad-cam', '--rectify', 'on'], /--rectify is of no use to grad-cam/],
    [['attribute', fish, '--method', 'grad-cam', '--layer', 'fc6'], /'fc6' is .* no maps/],
    [['attribute', fish, '--method', 'grad-cam', '--layer', 'conv33'], /did you mean 'conv3'/],
    [['attribute', fish, '--channel-activations'], /--unit LAYER:CHANNEL/],
    [['attribute', fish, '--channel-activations', '--unit', 'conv3:1@2,2'], /leave out the place/],
    [['attribute', fish, '--unit', 'conv3:96'], /channels 0\.\.95/],
    [['attribute', fish, '--samples', '0'], /--samples needs a whole number from 1/],
    [['attribute', fish, '--baseline', 'grey'], /the choices are zero, black, white, blur/],
    [['attribute', fish, '--show', 'heat'], /the choices are raw, grey, norm, norm-blur, overlay/],
    [['attribute', fish, '--full', '0'], /--full needs a percentile/],
    [['attribute', fish, '--picture', 'why.jpg'], /must be a \.png file/],
    [['attribute', '--unit', 'fc8:1'], /IMAGE is missing/],
  ])('%j', async (words, message) => {
    const { exit, out, err } = await call(...words);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err.replaceAll('\n', ' ')).toMatch(message);
  });
});
