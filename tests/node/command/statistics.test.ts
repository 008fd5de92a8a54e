/** `unitscope statistics`: the report, its numbers, and what is refused. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readNpy, type Network } from '../../../src/index.ts';
import { plainNetwork } from '../../methods/plain_network.ts';
import { readWords } from '../../../src/node/command/arguments.ts';
import type { Report } from '../../../src/node/command/command.ts';
import type { Progress } from '../../../src/node/command/progress.ts';
import { statistics } from '../../../src/node/command/statistics.ts';
import { call, useFolder } from './program.ts';
import { writeModel, writePictures } from './small_model.ts';

const folder = useFolder();
let [model, images] = ['', ''];

/** conv1:2 has a bias that no picture overcomes. */
const withDead = (): Network =>
  plainNetwork((layer) => {
    const { weight, bias } = layer.weights;
    return layer.name === 'conv1' ? { ...layer, weights: { weight, bias: { ...bias!, data: bias!.data.map((b, c) => (c === 2 ? -1e6 : b)) } } } : layer;
  });

beforeAll(async () => {
  model = writeModel(folder('model'), withDead());
  images = await writePictures(folder('images'), ['a', 'b'], 5);
  writeFileSync(join(images, 'b/broken.png'), 'junk');
});

interface Facts {
  pictures: number;
  classes: { measure: string; labels: string[]; counts: number[] };
  broken: { name: string }[];
  layers: { layer: string; dead: number[]; units: { mean: number; max: number; silent: number; histogram: { from: number; to: number; counts: number[] } }[] }[];
}

test('dead units are named; numbers, histograms and class means are files', async () => {
  const out = folder('out');
  const { exit, out: text, err } = await call('statistics', model, '--layer', 'relu1', '--layer', 'fc', '--images', images, '--out', out);
  expect(exit).toBe(1);
  expect(err).toMatch(/broken\.png/);
  expect(text).toMatch(/^small, 10 pictures\n +layer +units +dead[^]*\n +relu1 +4 +1 +0 +1 [^]*relu1: 1 of 4 units dead: 2\n1 picture could not be read:\n +b\/broken\.png: [^]*wrote /);
  expect(readdirSync(out).sort()).toEqual(['fc-classes.npy', 'fc-histogram.npy', 'job.json', 'relu1-classes.npy', 'relu1-histogram.npy', 'report.txt', 'state.json', 'statistics.json']);
  expect(text.startsWith(readFileSync(join(out, 'report.txt'), 'utf8').trimEnd())).toBe(true);

  const { pictures, classes, broken, layers } = JSON.parse(readFileSync(join(out, 'statistics.json'), 'utf8')) as Facts;
  expect({ pictures, classes, broken: broken.map(({ name }) => name) }).toEqual({ pictures: 10, classes: { measure: 'max', labels: ['a', 'b'], counts: [5, 5] }, broken: ['b/broken.png'] });
  const [relu1, fc] = layers;
  expect([relu1!.layer, relu1!.dead, fc!.dead]).toEqual(['relu1', [2], []]);
  expect(relu1!.units[2]).toMatchObject({ mean: 0, max: 0, silent: 1, histogram: { from: 0, to: 2 ** -20, counts: [1200, ...new Array<number>(63).fill(0)] } });
  const histogram = readNpy(readFileSync(join(out, 'fc-histogram.npy')));
  expect(histogram.shape).toEqual([7, 64]);
  expect([...histogram.data.subarray(64, 128)]).toEqual(fc!.units[1]!.histogram.counts);
  const means = readNpy(readFileSync(join(out, 'fc-classes.npy')));
  expect(means.shape).toEqual([7, 2]);
  fc!.units.forEach(({ mean }, c) => expect((means.data[2 * c]! + means.data[2 * c + 1]!) / 2).toBeCloseTo(mean, 3));
});

/** Runs the command with its progress watched, in which it may be stopped. */
function watched(out: string, report: (done: number, stop: AbortController) => void): Promise<Report> {
  const stop = new AbortController();
  const progress = { report: (_: string, done: number) => report(done, stop), note: () => undefined, clear: () => undefined } as unknown as Progress;
  const words = [model, '--layer', 'conv1', '--layer', 'fc', '--images', join(images), '--out', out];
  return statistics.run({ ...readWords(statistics, words), signal: stop.signal, progress, warn: () => undefined });
}

test('one that was stopped goes on to the same bytes; a damaged state and another job are refused', async () => {
  const whole = await watched(folder('whole'), () => undefined);
  const half = folder('half');
  let before = 0;
  await expect(watched(half, (done, stop) => done > 0 && stop.abort())).rejects.toMatchObject({ code: 'aborted' });
  const state = JSON.parse(readFileSync(join(half, 'state.json'), 'utf8')) as { next: number };
  expect(state.next).toBeGreaterThan(0);
  expect(state.next).toBeLessThan(11);
  expect(readdirSync(half).sort()).toEqual(['job.json', 'state.json']);
  const resumed = await watched(half, (done) => (before ||= done));
  expect(before).toBe(state.next);
  for (const name of readdirSync(folder('whole'))) expect(readFileSync(join(half, name)).equals(readFileSync(join(folder('whole'), name))), name).toBe(true);
  expect(resumed.text.replaceAll(half, '')).toBe(whole.text.replaceAll(folder('whole'), ''));
  // What is finished is only shown again.
  let seen = 0;
  await watched(half, () => seen++);
  expect(seen).toBeLessThanOrEqual(2);

  const text = readFileSync(join(half, 'state.json'), 'utf8');
  for (const [from, to] of [['"next":', '"next":-'], ['"signed":', '"sign":'], ['{', '']] as const) {
    writeFileSync(join(half, 'state.json'), text.replace(from, to));
    await expect(watched(half, () => undefined)).rejects.toMatchObject({ code: 'io', message: expect.stringContaining('is damaged') as string });
  }
  expect((await call('statistics', model, '--layer', 'fc', '--images', images, '--out', half)).err).toMatch(/holds another job/);
});

test('a program gets the facts without the numbers of every unit', async () => {
  const { exit, out } = await call('statistics', model, '--layer', 'all', '--images', join(images, 'a'), '--classes', 'mean', '--out', folder('plain'), '--json', '--quiet');
  expect(exit).toBe(0);
  const facts = JSON.parse(out) as { layers: unknown[]; files: string[]; classes: { measure: string; labels: string[] } };
  expect(facts.layers).toMatchObject([{ layer: 'conv1', units: 4, dead: [2] }, { layer: 'conv2', units: 6 }, { layer: 'fc', units: 7 }]);
  expect(facts.classes).toMatchObject({ measure: 'mean', labels: [] });
  expect(facts.files.map((file) => file.slice(folder('plain/').length)).sort()).toEqual(['conv1-histogram.npy', 'conv2-histogram.npy', 'fc-histogram.npy', 'report.txt', 'statistics.json']);
});

test.each<[string[], RegExp]>([
  [['--scenes', '1', '--out', 'x'], /no layer is given/],
  [['--layer', 'conv1', '--scenes', '1'], /no folder is given/],
  [['--layer', 'conv1', '--out', 'x'], /no pictures are given/],
  [['--layer', 'conv1', '--scenes', '1', '--out', 'package.json'], /'package\.json' is no folder/],
  [['--layer', 'conv1', '--scenes', '1', '--out', 'x', '--classes', 'maximum'], /the choices are max, mean/],
])('wrong usage ends with 2 before any work: %j', async (more, message) => {
  expect(await call('statistics', model, ...more)).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(message) as string });
});
