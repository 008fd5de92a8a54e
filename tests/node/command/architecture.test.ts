/** Weights alone from the command line: recognised, or with the architecture that is named. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { architectureCalled } from '../../../src/formats/architectures/weights.ts';
import { fileOf, tensorsOf } from '../../formats/architectures/files.ts';
import { dataBytes, dataPath } from '../../formats/reference-data.ts';
import { call, useFolder } from './program.ts';

const folder = useFolder();
const resnet20 = 'models/resnet20-cifar10/resnet20-cifar10.safetensors';
const squeezenet = architectureCalled('squeezenet1_1');

describe('weights alone', () => {
  test('are recognised: a file, and a folder with other files in it', async () => {
    const file = await call('inspect', '--json', dataPath(resnet20));
    expect({ exit: file.exit, err: file.err }).toEqual({ exit: 0, err: '' });
    expect(JSON.parse(file.out)).toMatchObject({
      name: 'resnet20',
      hash: createHash('sha256').update(dataBytes(resnet20)).digest('hex'),
      inputs: [{ name: 'x', shape: [1, 3, 32, 32] }],
      outputs: [{ name: 'linear', shape: [1, 10] }],
      notes: expect.arrayContaining(['the tensors are those of resnet20']) as string[],
    });
    mkdirSync(folder('hub'));
    writeFileSync(folder('hub/config.json'), '{"architecture": "resnet20"}');
    writeFileSync(folder('hub/model.safetensors'), dataBytes(resnet20));
    expect((await call('inspect', '--json', folder('hub'))).out).toBe(file.out);
  });

  test('--architecture names the graph, for images of any size', async () => {
    writeFileSync(folder('w.safetensors'), fileOf(tensorsOf(squeezenet, 4)));
    const { exit, out, err } = await call('plan', folder('w.safetensors'), '--architecture', 'squeezenet1_1', '--input-shape', '1,3,64,64', '--json');
    expect({ exit, err }).toEqual({ exit: 0, err: "note: no preprocessing is stated: with 4 classes these are not torchvision's ImageNet weights\n" });
    expect(JSON.parse(out)).toMatchObject({ network: 'squeezenet1_1', batch: 1 });
  });

  test('that do not suit end with 4, a name that is none and a size that is none with 2', async () => {
    writeFileSync(folder('w.safetensors'), fileOf(tensorsOf(squeezenet, 4)));
    const other = await call('inspect', folder('w.safetensors'), '--architecture', 'squeezenet1_0');
    expect(other).toMatchObject({ exit: 4, err: expect.stringMatching(/not those of squeezenet1_0: \d+ missing[^]*missing: 'features\.[^]*w\.safetensors/) as string });
    const unknown = await call('inspect', folder('w.safetensors'), '--architecture', 'squeezenet');
    expect(unknown).toMatchObject({ exit: 2, err: expect.stringMatching(/did you mean 'squeezenet1_0'/) as string });
    const size = await call('inspect', folder('w.safetensors'), '--input-shape', '1,1,64,64');
    expect(size).toMatchObject({ exit: 2, err: expect.stringContaining('--input-shape 1,3,224,224') as string });
    writeFileSync(folder('strange.safetensors'), fileOf(new Map([['layer0.w', [3, 4]]])));
    const strange = await call('inspect', folder('strange.safetensors'));
    expect(strange).toMatchObject({ exit: 4, err: expect.stringMatching(/weights without a manifest[^]*built in: alexnet/) as string });
    const whole = await call('inspect', '--architecture', 'resnet18');
    expect(whole).toMatchObject({ exit: 2, err: expect.stringMatching(/says itself what its layers are[^]*leave out --architecture/) as string });
  });
});
