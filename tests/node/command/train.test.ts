/** `unitscope train` and `diagnose`: what is in the folder afterwards, and that a training which was stopped goes on to the same bits. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadNetwork } from '../../../src/formats/loader.ts';
import { readTrainingLog } from '../../../src/formats/training/log.ts';
import { createImage, encodePng, shapesOf, SCENE_CLASSES } from '../../../src/index.ts';
import { commands } from '../../../src/node/command/index.ts';
import { main } from '../../../src/node/command/main.ts';
import { numbers } from '../../ops/reference.ts';
import { call, useFolder } from './program.ts';

const folder = useFolder();

const TINY = {
  name: 'tiny',
  input: [3, 8, 8],
  layers: [{ conv: 4, kernel: 3, padding: 1 }, 'relu', { max_pool: 2 }, { dropout: 0.3 }, { dense: 3 }, 'softmax'],
  optimizer: { kind: 'adam' },
  schedule: { kind: 'cosine', rate: 0.03, floor: 0.1, warmup: 2 },
  smoothing: 0.1,
  batch: 6,
  epochs: 3,
  seed: 7,
  data: { folder: 'pictures' },
  held_out: { images: 6, seed: 1 },
  log: 4,
  checkpoint: 5,
};

/** Three classes of noisy pictures, each of its own colour, 10 of each. */
async function pictures(): Promise<void> {
  if (existsSync(folder('pictures'))) return;
  const { uniform } = numbers(3);
  for (const [label, name] of ['blue', 'green', 'red'].entries()) {
    mkdirSync(folder(`pictures/${name}`), { recursive: true });
    for (let n = 0; n < 10; n++) {
      const image = createImage(8, 8);
      for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : (i % 4 === 2 - label ? 150 : 60) + uniform(-50, 50);
      writeFileSync(folder(`pictures/${name}/${n}.png`), await encodePng(image));
    }
  }
}

async function described(name: string, more: object = {}): Promise<string> {
  await pictures();
  writeFileSync(folder(name), JSON.stringify({ ...TINY, ...more }));
  return folder(name);
}

const bytes = (...path: string[]): Buffer => readFileSync(join(folder(), ...path));
const logOf = (out: string) => readTrainingLog(bytes(out, 'log.jsonl').toString(), 'log.jsonl');

/** The log without what a clock says. */
const timeless = (out: string): unknown => ({ ...logOf(out), steps: logOf(out).steps.map((step) => ({ ...step, imagesPerSecond: 0 })) });

async function trained(description: string, out: string, ...words: string[]): Promise<{ exit: number | null; out: string; err: string }> {
  return call('train', description, '--out', folder(out), '--quiet', ...words);
}

/** Runs a training that is asked to stop as soon as there is a line of its log. */
async function interrupted(description: string, out: string): Promise<{ exit: number; text: string }> {
  const stop = new AbortController();
  let text = '';
  const watch = setInterval(() => {
    if (existsSync(folder(`${out}/log.jsonl`)) && bytes(out, 'log.jsonl').includes('"step"')) stop.abort();
  }, 1);
  const screen = { write: (part: string) => (text += part) };
  const exit = await main(['train', description, '--out', folder(out), '--quiet'], commands, { stdout: screen, stderr: screen, environment: {}, signal: stop.signal, version: '0' });
  clearInterval(watch);
  return { exit, text };
}

describe('a folder of pictures', () => {
  test('is learnt, and all of it is in the folder', async () => {
    const ending = await trained(await described('tiny.json'), 'whole');
    expect({ exit: ending.exit, err: ending.err }).toEqual({ exit: 0, err: '' });
    expect(readdirSync(folder('whole')).sort()).toEqual(['confusion.json', 'confusion.txt', 'log.jsonl', 'log.txt', 'network.json', 'state.safetensors', 'training.json', 'weights.safetensors']);
    expect(ending.out).toMatch(/^learnt in 12 steps: [^]*held-out pictures: \d+\.\d % of 6 right\n +is \/ taken for +blue +green +red +right\n/);

    const { steps, labels, heldOut } = logOf('whole');
    expect(labels).toEqual(['blue', 'green', 'red']);
    expect(steps.map(({ step }) => step)).toEqual([4, 8, 12]);
    expect([...steps[2].layers.keys()]).toEqual(['conv1', 'fc2']);
    expect(steps[2].layers.get('conv1')).toMatchObject({ nonFinite: 0, units: 4, gradient: expect.any(Number) as number });
    expect(steps[2].loss).toBeLessThan(steps[0].loss);
    expect(steps[0].rate).toBeGreaterThan(steps[2].rate);
    expect(heldOut!.confusion!.flat().reduce((a, b) => a + b, 0)).toBe(6);
    expect(heldOut!.accuracy).toBeGreaterThan(0.6);
    expect(bytes('whole', 'log.txt').toString()).toMatch(/^tiny: 3 classes \(blue, green, red\), 12 steps of 6 pictures\nstep 4 {2}loss \d/);

    const network = await loadNetwork(['network.json', 'weights.safetensors'].map((name) => ({ name, bytes: new Uint8Array(bytes('whole', name)) })));
    expect(network.nodes.map(({ name }) => name)).toEqual(['conv1', 'relu1', 'pool1', 'fc2', 'prob']);
    expect(network).toMatchObject({ labels: ['blue', 'green', 'red'], preprocess: { channels: 'RGB' } });
    expect(shapesOf(network).get('prob')).toEqual([1, 3]);
  });

  test('stopped at a step, it goes on to the same bits, in the end in half precision', async () => {
    const description = await described('tiny.json');
    expect((await trained(description, 'parts', '--steps', '7')).out).toMatch(/^stopped after step 7 of 12; go on with: unitscope train \S+ --out \S+ --resume/);
    // What a crash leaves: a draft, a line behind the checkpoint, and one that was cut.
    writeFileSync(folder('parts/log.jsonl'), `${bytes('parts', 'log.jsonl').toString()}${bytes('whole', 'log.jsonl').toString().split('\n')[3]}\n{"step": 1`);
    expect((await trained(description, 'parts', '--resume', '--precision', 'f16')).exit).toBe(0);
    for (const file of ['state.safetensors', 'network.json', 'confusion.json', 'confusion.txt']) expect(bytes('parts', file).equals(bytes('whole', file)), file).toBe(true);
    expect(bytes('parts', 'weights.safetensors').length).toBeLessThan(0.8 * bytes('whole', 'weights.safetensors').length);
    const [parts, whole] = [logOf('parts'), logOf('whole')];
    expect(parts.steps.map(({ step }) => step)).toEqual([4, 7, 8, 12]);
    expect(parts.steps.at(-1)).toEqual({ ...whole.steps.at(-1), imagesPerSecond: parts.steps.at(-1)!.imagesPerSecond });
  });

  test('stopped by Ctrl-C, it keeps what was learnt and goes on to the same bits', async () => {
    const description = await described('tiny.json');
    const { exit, text } = await interrupted(description, 'stopped');
    expect(exit).toBe(130);
    expect(text).toMatch(/^stopped after step \d+ of 12; go on with: .* --resume/);
    await trained(description, 'stopped', '--resume');
    expect(bytes('stopped', 'state.safetensors').equals(bytes('whole', 'state.safetensors'))).toBe(true);
    expect(timeless('stopped')).toEqual(timeless('whole'));
  });

  test('is not mixed with another training', async () => {
    const other = await described('other.json', { seed: 8, decay: 0.1 });
    expect(await trained(other, 'whole')).toMatchObject({ exit: 2, err: expect.stringMatching(/was begun in '.*whole' already[^]*--resume goes on/) as string });
    expect(await trained(other, 'whole', '--resume')).toMatchObject({ exit: 2, err: expect.stringMatching(/begun with another description: decay, seed differ/) as string });
    expect(await trained(other, 'never', '--resume')).toMatchObject({ exit: 2, err: expect.stringMatching(/no training was begun/) as string });
    writeFileSync(folder('pictures/red/more.png'), bytes('pictures/red/0.png'));
    const more = await trained(folder('tiny.json'), 'whole', '--resume');
    rmSync(folder('pictures/red/more.png'));
    expect(more).toMatchObject({ exit: 2, err: expect.stringMatching(/pictures differ/) as string });
    mkdirSync(folder('network'));
    writeFileSync(folder('network/network.json'), '{}');
    expect(await trained(other, 'network')).toMatchObject({ exit: 2, err: expect.stringMatching(/holds another network/) as string });
  });

  test('whose state is damaged is refused', async () => {
    truncateSync(folder('stopped/state.safetensors'), 300);
    expect((await trained(await described('tiny.json'), 'stopped', '--resume')).exit).toBe(4);
  });
});

test('numbers that are not finite stop it, and it says where', async () => {
  const wild = await described('wild.json', { optimizer: { kind: 'sgd', momentum: 0.9 }, schedule: { rate: 1e30 }, checkpoint: 100 });
  const { exit, out } = await trained(wild, 'wild');
  expect(exit).toBe(1);
  expect(out).toMatch(/^stopped at step \d+: numbers are not finite; no checkpoint was written before\n[^]*loss or gradients became NaN or infinite at step \d+, first in the \w+ of (conv1|fc2)/);
  expect(logOf('wild').halt).toMatchObject({ layer: expect.stringMatching(/conv1|fc2/) as string });
  expect(existsSync(folder('wild/network.json'))).toBe(false);
  const told = await call('diagnose', folder('wild/'));
  expect(told).toMatchObject({ exit: 0, out: expect.stringMatching(/^tiny, \d+ lines? of log up to step \d+\nloss or gradients became NaN/) as string });
  const data = await call('diagnose', '--json', folder('wild/log.jsonl'));
  expect(JSON.parse(data.out)).toMatchObject({ training: 'tiny', findings: [{ kind: 'not-finite' }] });
});

test('scenes are drawn and learnt from', async () => {
  const scenes = { classes: SCENE_CLASSES.slice(0, 2), images: 12 };
  const description = await described('scenes.json', { input: [3, 16, 16], layers: [{ conv: 2, kernel: 5, stride: 2 }, 'relu', { dense: 2 }], batch: 4, epochs: 2, data: { scenes }, held_out: { images: 4 } });
  const { exit, out } = await trained(description, 'scenes', '--json');
  expect(exit).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ steps: { done: 6, total: 6 }, heldOut: { images: 4 }, parameters: 2 * 3 * 25 + 2 + 2 * 2 * 36 + 2 });
});

test.each<[string, object, RegExp]>([
  ['typing.json', { bach: 6 }, /bach is unknown \(did you mean 'batch'/],
  ['large.json', { layers: [{ conv: 4, kernel: 9 }, { dense: 3 }] }, /layers\[0\] \(conv1\) does not fit an input of \[3, 8, 8\]: a 9x9 kernel/],
  ['groups.json', { layers: [{ conv: 4, kernel: 3, groups: 2 }, { dense: 3 }] }, /2 groups do not divide 3 channels/],
  ['huge.json', { layers: [{ dense: 300 }, { dense: 65536 }, { dense: 3 }] }, /layer 'fc2' has 19660800 weights, more than the 16777215/],
  ['outputs.json', { layers: [{ dense: 4 }] }, /the network has 4 outputs, '.*pictures' has 3 folders/],
  ['few.json', { batch: 30, held_out: { images: 30 } }, /has 30 pictures: too few/],
  ['nowhere.json', { data: { folder: 'nowhere' } }, /cannot read '.*nowhere': it is not there/],
])('%s is refused before there is a folder', async (name, more, message) => {
  const { exit, err } = await trained(await described(name, more), 'refused');
  expect(err).toMatch(message);
  expect(exit).toBe(name === 'nowhere.json' ? 1 : 2);
  expect(existsSync(folder('refused'))).toBe(false);
});

test('no place for it, and no log, are told', async () => {
  expect(await call('train', await described('tiny.json'))).toMatchObject({ exit: 2, err: expect.stringMatching(/--out FOLDER/) as string });
  expect(await call('diagnose', folder('tiny.json'))).toMatchObject({ exit: 2, err: expect.stringMatching(/no log of a training/) as string });
});
