import { expect, test } from 'vitest';
import { classNamed } from '../../../src/node/command/class_name.ts';
import { call, example, start } from './program.ts';

const fish = example('fish');

test('the embedded network sees the fish and the car best as it states itself', async () => {
  const words = ['preprocess-check', fish, example('car'), '--expect', 'fish', '--expect', 'car'];
  const { exit, out, err, lingered } = await start(words);
  expect(exit, err).toBe(0);
  expect(lingered).toBeLessThan(2000);
  expect(out).toMatch(/fish\.png: class \d+, fish\n\S+car\.png: class \d+, car\n/);
  expect(out).toMatch(/^ {2}score {2}order {2}scale .* preset +rank +expected +seen {2}as /m);
  expect(out.split('\n')[3]).toMatch(/^ +\d\.\d\d {2}RGB .* {2}1 +\d+\.\d\d % .* <- stated$/);
  expect(out).toMatch(/^The stated way is the best one\.\n.* as good within 5 %[^]*^best: --preprocess 'channels=RGB;range=1;mean=0\.45;std=0\.22;/m);
});

test('as data: every way, what it is, and what was seen', async () => {
  const { exit, out } = await start(['preprocess-check', fish, '--expect', '1', '--preprocess', 'caffe;fit=stretch', '--json', '-q']);
  expect(exit).toBe(0);
  const { images, stated, trials } = JSON.parse(out) as { images: object[]; stated: object; trials: { stated: boolean; preprocess: object; seen: { expected: { rank: number } }[] }[] };
  expect(images).toEqual([{ image: fish, expected: 1, label: 'fish' }]);
  expect(stated).toMatchObject({ channels: 'BGR', range: 255, fit: 'stretch' });
  expect(trials).toHaveLength(16);
  expect(trials.filter(({ stated: own }) => own).map(({ preprocess }) => preprocess)).toEqual([stated]);
  expect(trials[0].seen[0].expected.rank).toBe(1);
});

test.each<[string[], RegExp]>([
  [[fish], /what the picture shows is not given[^]*--expect/],
  [['embedded', '--expect', '1'], /IMAGE is missing/],
  [[fish, '--expect', '1', '--expect', '2'], /1 picture and 2 classes/],
  [[fish, '--expect', '16'], /no class 16, the network has 0\.\.15/],
  [[fish, '--expect', 'whale'], /no class is called 'whale'/],
  [[fish, '--expect', 'fisch'], /did you mean 'fish'/],
  [[fish, '--expect', 'e'], /\d+ classes are called 'e'[^]*which one\? 0 flower; 2 eye/],
])('wrong usage: %j', async (words, message) => {
  const { exit, out, err } = await call('preprocess-check', ...words);
  expect({ exit, out }).toEqual({ exit: 2, out: '' });
  expect(err).toMatch(message);
});

test.each([
  ['281', 281], ['tabby', 1], ['Tabby Cat', 1], ['tiger cat', 2], ['lynx', 0], ['catamount', 0], ['aTAM', 0], [' 2 ', 2],
])('the class %j is %d', (text, index) => {
  const labels = ['lynx, catamount', 'tabby, tabby cat', 'tiger cat', 'tiger'];
  expect(classNamed(text, text === '281' ? undefined : labels, 1000)).toBe(index);
});

test.each([['tiger c', 2], ['cat', undefined], ['tabby,', 1], ['', undefined]])('a part %j of a label', (text, index) => {
  const find = () => classNamed(text, ['lynx', 'tabby, tabby cat', 'tiger cat', 'tiger'], 4);
  if (index === undefined) expect(find).toThrow();
  else expect(find()).toBe(index);
});

test('a name without labels', () => expect(() => classNamed('tabby', undefined, 10)).toThrow(/no labels to look for 'tabby'/));
