import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { writeNpy } from '../../../src/index.ts';
import { onnxModel, op } from '../../formats/onnx-builder.ts';
import { call, example, start, useFolder } from './program.ts';

const folder = useFolder();
const fish = example('fish');

describe('wrong usage ends with 2 before any work, and says what would be right', () => {
  test.each<[string[], RegExp]>([
    [['classify'], /IMAGE is missing[^]*--input/],
    [['classify', fish, '--topp', '3'], /did you mean --top\?/],
    [['classify', fish, '--top', 'three'], /--top needs a number, got 'three'/],
    [['classify', fish, '--top', '0'], /--top needs a whole number from 1/],
    [['classify', fish, '--preprocess', 'imagnet'], /presets: imagenet, caffe/],
    [['classify', fish, '--preprocess', 'gray-unit'], /gray, but the network's input has 3/],
    [['inspect', 'no/such/model.onnx'], /no model 'no\/such\/model\.onnx'[^]*'embedded'/],
    [['inspect', 'packag.json'], /did you mean 'package\.json'/],
    [['inspect', 'embedded', 'more'], /unexpected 'more'/],
    [['inspect', '--input-shape', '1,x'], /--input-shape needs whole numbers from 1 on with commas between them, got '1,x'[^]*--input-shape 1,3,224,224/],
    [['plan', '--backward', 'guidded'], /did you mean guided\? the choices are gradient/],
    [['plan', '--layer', 'conv33'], /did you mean 'conv3'/],
    [['plan', '--batch', '1.5'], /whole number/],
    [['bench'], /nothing to measure is given[^]*--ceilings/],
    [['activations', fish], /no layer is given[^]*--layer/],
    [['activations', fish, '--layer', 'relu9'], /no layer 'relu9'[^]*did you mean 'relu/],
    [['activations', fish, '--layer', 'conv1', '--layer', 'conv2', '--out', 'x.npy'], /one file cannot hold 2 layers[^]*end --out with \//],
    [['activations', fish, '--layer', 'conv1', '--out', 'x.txt'], /'x\.txt' must be a \.npy file/],
    [['activations', '--layer', 'conv1'], /IMAGE is missing/],
    [['activations', fish, '--layer', 'conv1', '--input', 'x.npy'], /a picture or --input, not both/],
    [['gradient', fish], /no unit is given/],
    [['gradient', fish, '--unit', 'conv3'], /LAYER:CHANNEL/],
    [['gradient', fish, '--unit', 'conv3:96'], /channels 0\.\.95/],
    [['gradient', fish, '--unit', 'conv3:1', '--rule', 'deconv'], /did you mean deconvnet/],
    [['maximize', '--unit', 'fc6:1'], /--out FILE\.png/],
    [['maximize', '--out', 'x.png'], /no unit is given/],
    [['maximize', '--unit', 'fc66:1', '--out', 'x.png'], /did you mean 'fc6'/],
    [['maximize', '--unit', 'fc6:1', '--out', 'x.png', '--preset', '5'], /--preset needs a whole number from 1 to 4/],
    [['maximize', '--unit', 'fc6:1', '--out', 'x.png', '--decay', '2'], /decay must be a share from 0 to 1, got 2/],
    [['maximize', '--unit', 'fc6:1', '--out', 'x.png', '--policy', 'constand'], /did you mean constant/],
    [['maximize', '--unit', 'fc6:1', '--out', 'x.png', '--start', 'zero'], /mean_plus_rand, randu, mean/],
    [['maximize', '--unit', 'fc6:1', '--out', 'x.png', '--seed', '-1'], /--seed needs a whole number from 0/],
    [['maximize', '--unit', 'fc6:1', '--out', 'x.png', '--blur-raduis', '1'], /did you mean --blur-radius/],
  ])('%j', async (words, message) => {
    const { exit, out, err } = await call(...words);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err.replaceAll('\n', ' ')).toMatch(message);
  });

  test('a picture for a network that does not state its preprocessing', async () => {
    writeFileSync(folder('relu.onnx'), onnxModel({ nodes: [op('Relu')], inputs: { x: [1, 3, 4, 4] }, outputs: ['y'] }));
    const { exit, err } = await call('activations', folder('relu.onnx'), fish, '--layer', 'y');
    expect(exit).toBe(2);
    expect(err).toMatch(/does not say how a picture becomes its input[^]*imagenet, caffe, unit/);
  });

  test('a tensor of another shape', async () => {
    writeFileSync(folder('small.npy'), writeNpy({ shape: [1, 3, 8, 8], data: new Float32Array(192) }));
    const { exit, err } = await call('activations', '--layer', 'conv1', '--input', folder('small.npy'));
    expect(exit).toBe(2);
    expect(err).toMatch(/is \[1,3,8,8\], the network takes \[N, 3, 96, 96\]/);
  });
});

describe('what is wrong with files ends with 1', () => {
  test('a folder that is not there is told before the work', async () => {
    const { exit, err } = await call('maximize', '--unit', 'fc6:1', '--out', folder('nowhere/x.png'));
    expect(exit).toBe(1);
    expect(err).toMatch(/cannot write '.*nowhere': it is not there \[io\]/);
  });

  test('a folder in place of a picture', async () => {
    mkdirSync(folder('odd.png'));
    expect((await call('activations', fish, '--layer', 'conv1', '--sheet', folder('odd.png'))).exit).toBe(1);
  });

  test('a picture and a tensor that cannot be read', async () => {
    writeFileSync(folder('junk.png'), 'junk');
    writeFileSync(folder('junk.npy'), 'junk');
    const picture = await call('activations', folder('junk.png'), '--layer', 'conv1');
    expect(picture).toMatchObject({ exit: 1, err: expect.stringMatching(/image-decode[^]*junk\.png/) as string });
    const tensor = await call('activations', '--input', folder('junk.npy'), '--layer', 'conv1');
    expect(tensor).toMatchObject({ exit: 1, err: expect.stringMatching(/image-decode[^]*junk\.npy/) as string });
  });
});

test('the built program: wrong usage is 2, an unusable model 4, no adapter 3', async () => {
  expect((await start(['maximize', '--unit', 'fc66:1', '--out', folder('x.png')])).exit).toBe(2);
  writeFileSync(folder('page.onnx'), '<html></html>');
  expect((await start(['classify', folder('page.onnx'), fish])).exit).toBe(4);
  const nothing = { UNITSCOPE_DRIVER: 'system', VK_DRIVER_FILES: '/dev/null', VK_ICD_FILENAMES: '/dev/null' };
  const { exit, out, err } = await start(['classify', fish], { environment: nothing });
  expect({ exit, out }).toEqual({ exit: 3, out: '' });
  expect(err).toMatch(/no-adapter[^]*unitscope doctor/);
});
