/** classify, activations and gradient as processes, on the embedded network and on a real one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodePng, readNpy, writeNpy } from '../../../src/index.ts';
import { dataPath } from '../../formats/reference-data.ts';
import { example, start, useFolder } from './program.ts';

const folder = useFolder();

interface Answers {
  images: { image: string; classes?: { index: number; label: string; probability: number }[]; fault?: { code: string } }[];
}

test('classify: a bad picture is reported, the others are named, and the end is 1', async () => {
  writeFileSync(folder('empty.png'), '');
  const pictures = [example('fish'), folder('empty.png'), folder('absent.jpg'), example('car')];
  const { exit, out, err, lingered } = await start(['classify', ...pictures, '--top', '2', '--json']);
  expect(exit).toBe(1);
  expect(lingered).toBeLessThan(2000);
  const { images } = JSON.parse(out) as Answers;
  expect(images.map(({ image }) => image)).toEqual(pictures);
  expect(images.map(({ classes, fault }) => classes?.[0].label ?? fault?.code)).toEqual(['fish', 'image-decode', 'io', 'car']);
  expect(images[0].classes).toHaveLength(2);
  expect(err).toMatch(/image-decode[^]*empty\.png/);
  expect(err).toMatch(/absent\.jpg': it is not there/);
});

test('classify: a real network, its preprocessing and labels named, sees the cat', async () => {
  const { exit, out } = await start([
    'classify', dataPath('models/squeezenet1.1-gluon/squeezenet1.1.onnx'), dataPath('images/prepared/chelsea_224.png'),
    '--preprocess', 'imagenet', '--labels', dataPath('labels/imagenet1000_short.txt'),
  ]);
  expect(exit).toBe(0);
  expect(out).toMatch(/chelsea_224\.png\n +\d+\.\d\d % {2}Egyptian cat +class 285 /);
});

test('activations: one .npy per layer, a sheet, and the same from an exact tensor', async () => {
  const { exit, out } = await start(['activations', example('fish'), '--layer', 'conv1', '--layer', 'fc8', '--out', folder('answers/'), '--sheet', folder('sheet.png')]);
  expect(exit).toBe(0);
  expect(out).toMatch(/^ {2}conv1 +1 x 32 x 32 x 32 /m);
  expect(readNpy(readFileSync(folder('answers/conv1.npy'))).shape).toEqual([1, 32, 32, 32]);
  const scores = readNpy(readFileSync(folder('answers/fc8.npy')));
  expect(scores.shape).toEqual([1, 16]);
  const sheet = await decodePng(readFileSync(folder('sheet.png')));
  expect([sheet.width, sheet.height]).toEqual([6 * 34 + 2, 6 * 34 + 2 + 4 * 34 + 2]);

  const x = { shape: [2, 3, 96, 96], data: Float32Array.from({ length: 2 * 3 * 96 * 96 }, (_, i) => Math.sin(i)) };
  writeFileSync(folder('x.npy'), writeNpy(x));
  const exact = await start(['activations', '--input', folder('x.npy'), '--layer', 'relu2', '--out', folder('relu2.npy'), '--json', '--quiet']);
  expect(exact).toMatchObject({ exit: 0, err: '' });
  const { layers } = JSON.parse(exact.out) as { layers: { layer: string; least: number; greatest: number; mean: number }[] };
  const relu2 = readNpy(readFileSync(folder('relu2.npy')));
  expect(relu2.shape).toEqual([2, 64, 15, 15]);
  expect(layers[0]).toMatchObject({ layer: 'relu2', least: 0, greatest: Math.max(...relu2.data) });
});

test('gradient: numbers, a picture, and the unit that was meant', async () => {
  const { exit, out } = await start([
    'gradient', 'embedded', example('fish'), '--unit', 'conv3:7', '--rule', 'guided', '--out', folder('dx.npy'), '--picture', folder('dx.png'), '--show', 'norm', '--json',
  ]);
  expect(exit).toBe(0);
  const facts = JSON.parse(out) as { unit: string; rule: string; norm: number; scores: number[] };
  expect(facts).toMatchObject({ unit: 'conv3:7@3,3', rule: 'guided' });
  const dx = readNpy(readFileSync(folder('dx.npy')));
  expect(dx.shape).toEqual([1, 3, 96, 96]);
  expect(facts.norm).toBeGreaterThan(0);
  expect(facts.norm).toBeCloseTo(Math.hypot(...dx.data), 6);
  // The centre unit does not see the corners.
  expect(dx.data[0]).toBe(0);
  expect(await decodePng(readFileSync(folder('dx.png')))).toMatchObject({ width: 96, height: 96 });
});
