import { expect, test } from 'vitest';
import type { Preprocess, Tensor } from '../../src/network/network.ts';
import { createImage } from '../../src/image/image.ts';
import type { Image } from '../../src/image/image.ts';
import { contrastStretch, deprocess, normalizedGradient } from '../../src/image/deprocess.ts';
import { decodePng } from '../../src/image/png.ts';
import { meanColor, pixelBounds, preprocess, stackImages } from '../../src/image/preprocess.ts';
import { parsePreprocess, PREPROCESS_PRESETS } from '../../src/image/preprocess_text.ts';
import { hashBytes } from '../../src/image/recipe.ts';
import { dataBytes, dataJson } from '../formats/reference-data.ts';

const { imagenet, caffe, signed, unit, raw } = PREPROCESS_PRESETS;

/** Recorded inputs: network/image and how its picture becomes x. */
const RECORDED: [string, Preprocess][] = [
  ['squeezenet1.1-gluon/chelsea', imagenet],
  ['squeezenet1.1-gluon/cat', imagenet],
  ['squeezenet1.1-gluon/coffee', imagenet],
  ['squeezenet1.1-fp16-winml/chelsea', caffe],
  ['squeezenet1.0-deepcompression/coffee', caffe],
  ['mobilenet_v1_0.25_224/chelsea', signed],
  ['mobilenet_v1_0.25_224/coffee', signed],
  ['tinyvgg-cnnexplainer/tiny_boat_1', unit],
  ['tinyvgg-cnnexplainer/tiny_panda_1', unit],
  ['resnet20-cifar10/chelsea', imagenet],
  ['resnet20-cifar10/tiny_boat_1', imagenet],
  ['mnist-cntk-winml/mnist_digit5', PREPROCESS_PRESETS['gray-raw']],
  ['lenet-caffe-v2/mnist_digit5', parsePreprocess('gray-unit;range=0.99609375')],
];

test.each(RECORDED)('%s: the input is the recorded one to the bit', async (name, how) => {
  const recorded = dataJson<Record<string, string>>(`golden/${name}/result.json`);
  const image = await decodePng(dataBytes(recorded['prepared_image'] ?? ''));
  const channels = how.channels === 'gray' ? 1 : 3;
  const x = preprocess(image, how, [1, channels, image.height, image.width]);
  expect(await hashBytes(new Uint8Array(x.data.buffer))).toBe(recorded['input_sha256_of_float32_le']);
});

/** 256 x 1: every pixel value, different in each channel. */
function ramp(): Image {
  const image = createImage(256, 1, [0, 0, 0]);
  for (let i = 0; i < 256; i++) image.data.set([i, 255 - i, (i * 7) % 256], i * 4);
  return image;
}

test.each(Object.entries(PREPROCESS_PRESETS))('%s: every pixel value survives the way there and back', (_, how) => {
  const isGray = how.channels === 'gray';
  const image = ramp();
  if (isGray) for (let i = 0; i < 256; i++) image.data.set([i, i, i], i * 4);
  const x = preprocess(image, how, [1, isGray ? 1 : 3, 1, 256]);
  expect(deprocess(x, how)).toEqual(image);
  const { low, high } = pixelBounds(how, isGray ? 1 : 3);
  low.forEach((bound, c) => {
    const plane = x.data.subarray(c * 256, (c + 1) * 256);
    expect([Math.min(...plane), Math.max(...plane)]).toEqual([bound, high[c]]);
  });
});

test('the planes come in the order of the network', () => {
  const image = createImage(1, 1, [10, 20, 30]);
  expect([...preprocess(image, raw, [1, 3, 1, 1]).data]).toEqual([10, 20, 30]);
  expect([...preprocess(image, caffe, [1, 3, 1, 1]).data]).toEqual([30 - 104, 20 - 117, 10 - 123]);
  // BT.601: 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15
  expect([...preprocess(image, PREPROCESS_PRESETS['gray-raw'], [1, 1, 1, 1]).data]).toEqual([18]);
});

test('transparent pixels become the mean colour, x = 0', () => {
  const image = createImage(2, 1, [50, 60, 70]);
  image.data[7] = 0;
  expect(meanColor(caffe)).toEqual([123, 117, 104]);
  expect([...preprocess(image, caffe, [1, 3, 1, 2]).data]).toEqual([70 - 104, 0, 60 - 117, 0, 50 - 123, 0]);
  expect(meanColor(signed)).toEqual([127.5, 127.5, 127.5]);
});

test('bounds of the presets', () => {
  expect(pixelBounds(caffe, 3)).toEqual({ low: [-104, -117, -123], high: [151, 138, 132] });
  expect(pixelBounds(signed, 3)).toEqual({ low: [-1, -1, -1], high: [1, 1, 1] });
});

test('images are stacked along the batch axis', () => {
  const a: Tensor = { shape: [1, 1, 1, 2], data: Float32Array.of(1, 2) };
  const b: Tensor = { shape: [2, 1, 1, 2], data: Float32Array.of(3, 4, 5, 6) };
  expect(stackImages([a, b])).toEqual({ shape: [3, 1, 1, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  expect(() => stackImages([])).toThrow(/no image/);
  expect(() => stackImages([a, { shape: [1, 2, 1, 1], data: new Float32Array(2) }])).toThrow(/cannot stack/);
});

test.each<[Partial<Preprocess>, RegExp, string]>([
  [{ mean: [1, 2] }, /mean needs 3 number/, 'mean'],
  [{ std: [1, 0, 1] }, /std must be above 0/, 'std'],
  [{ range: 0 }, /range must be above 0/, 'range'],
  [{ channels: 'gray' }, /input has 3 channel/, 'channels'],
  [{ channels: 'constructor' as 'RGB' }, /must be RGB/, 'channels'],
  [{ fit: 'squash' as 'crop' }, /fit must be/, 'fit'],
])('%o is refused', (wrong, message, attribute) => {
  const attempt = () => preprocess(createImage(1, 1), { ...imagenet, ...wrong }, [1, 3, 1, 1]);
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(expect.objectContaining({ code: 'usage', address: { attribute } }));
});

test('an input that is no picture is refused', () => {
  expect(() => preprocess(createImage(1, 1), imagenet, [1, 3])).toThrow(/\[N, C, H, W\]/);
});

test('preprocessing as text', () => {
  expect(parsePreprocess('imagenet')).toEqual(imagenet);
  expect(parsePreprocess(' channels=BGR; range=255; mean=104,117,123; std=1 ')).toEqual(caffe);
  expect(parsePreprocess('mean=0.5;fit=stretch', imagenet)).toEqual({ ...imagenet, mean: [0.5, 0.5, 0.5], fit: 'stretch' });
  expect(parsePreprocess('caffe;fit=stretch', imagenet)).toEqual({ ...caffe, fit: 'stretch' });
  expect(parsePreprocess('{"range": 255, "std": [58, 57, 57.5]}', imagenet)).toEqual({
    ...imagenet,
    range: 255,
    std: [58, 57, 57.5],
  });
  expect(parsePreprocess(JSON.stringify(signed))).toEqual(signed);
});

test.each([
  ['imagenets', 'preset'],
  ['toString', 'preset'],
  ['', 'preset'],
  ['channels=RGB;range=1;mean=0', 'std'],
  ['range=1;mean=0;std=1', 'channels'],
  ['imagenet;std=0', 'std'],
  ['imagenet;std=1,2', 'std'],
  ['imagenet;mean=1,,2', 'mean'],
  ['imagenet;mean=a', 'mean'],
  ['imagenet;range=1,2', 'range'],
  ['imagenet;range=', 'range'],
  ['imagenet;channels=gray', 'mean'],
  ['imagenet;channels=rgb', 'channels'],
  ['imagenet;fit=squash', 'fit'],
  ['imagenet;crop', "part 'crop'"],
  ['imagenet;scale=2', "field 'scale'"],
  ['{"channels": "RGB", "range": 1, "mean": null}', 'mean'],
])("'%s' is refused with the name of the field", (text, attribute) => {
  expect(() => parsePreprocess(text)).toThrow(expect.objectContaining({ code: 'usage', address: { attribute } }));
});

test('broken JSON is refused', () => {
  expect(() => parsePreprocess('{"mean":')).toThrow(expect.objectContaining({ code: 'usage' }));
});

test('contrast stretching puts 0 at mid grey and the largest deviation at the end', () => {
  const x: Tensor = { shape: [1, 3, 1, 2], data: Float32Array.of(0, 2, 0, -1, 0, 0) };
  expect([...contrastStretch(x, caffe).data]).toEqual([128, 128, 128, 255, 128, 64, 255, 255]);
  const zero: Tensor = { shape: [2, 3, 1, 1], data: Float32Array.of(9, 9, 9, 0, 0, 0) };
  expect([...contrastStretch(zero, caffe, 1).data]).toEqual([128, 128, 128, 255]);
  // Deviations in pixels: 1 * 0.229 and 1 * 0.2, so the second channel is weaker.
  const units: Tensor = { shape: [1, 3, 1, 1], data: Float32Array.of(1, 1, 0) };
  expect([...contrastStretch(units, { ...imagenet, std: [0.4, 0.2, 1] }).data]).toEqual([255, 191, 128, 255]);
});

test('deprocess clamps and picks its image', () => {
  const x: Tensor = { shape: [2, 1, 1, 2], data: Float32Array.of(0, 0, -5, 300) };
  expect([...deprocess(x, PREPROCESS_PRESETS['gray-raw'], 1).data]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  expect(() => deprocess(x, PREPROCESS_PRESETS['gray-raw'], 2)).toThrow(/no image 2 in a batch of 2/);
  expect(() => deprocess({ shape: [1, 3], data: new Float32Array(3) }, raw)).toThrow(/\[N, C, H, W\]/);
});

test('gradients as colour, grey and strength', () => {
  const dx: Tensor = { shape: [1, 3, 1, 2], data: Float32Array.of(4, 0, 0, 0, -2, 0) };
  expect([...normalizedGradient(dx, raw, { mode: 'raw' }).data]).toEqual([255, 128, 64, 255, 128, 128, 128, 255]);
  expect([...normalizedGradient(dx, caffe, { mode: 'raw' }).data.subarray(0, 4)]).toEqual([64, 128, 255, 255]);
  expect([...normalizedGradient(dx, raw, { mode: 'grey' }).data]).toEqual([255, 255, 255, 255, 128, 128, 128, 255]);
  const norm = normalizedGradient(dx, raw, { mode: 'norm', map: 'grey' });
  expect([...norm.data]).toEqual([255, 255, 255, 255, 0, 0, 0, 255]);
});
