/**
 * A real network: SqueezeNet's last convolution, before its ReLU, climbed under the four published settings at once.
 * The class is 'mosquito net': noise already looks a little like one, so that the settings which aim at a gain of 2 a
 * step need few of them. It is not the argmax at the start.
 */
import { expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { parsePreprocess } from '../../src/image/preprocess_text.ts';
import { Maximizer, type MaximizeProgress } from '../../src/methods/maximize.ts';
import { PRESETS } from '../../src/methods/settings.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { useEngine } from '../gpu.ts';

const engine = useEngine();

/** Steps within which every preset must have made the unit the argmax of all classes at all places. */
const ENOUGH = 30;
const UNIT = 'conv10_1:669@6,6';

test('the unit becomes the argmax of its layer under each of the four presets', async () => {
  const network = await loadNetwork([{ name: 'SqueezeNet_fp16.onnx', bytes: dataBytes('models/squeezenet1.1-fp16-winml/SqueezeNet_fp16.onnx') }]);
  const maximizer = await Maximizer.create(engine(), network, {
    units: [UNIT],
    settings: [PRESETS[1], PRESETS[2], PRESETS[3], PRESETS[4]],
    preprocess: parsePreprocess('caffe'),
  });
  const first = [0, 0, 0, 0].map(() => -1);
  let last: MaximizeProgress | undefined;
  let start: MaximizeProgress | undefined;
  for await (const progress of maximizer.run()) {
    start ??= progress;
    last = progress;
    progress.images.forEach(({ isArgmax }, n) => {
      if (isArgmax && first[n] === -1) first[n] = progress.step;
    });
    if (first.every((step) => step >= 0) || progress.step >= ENOUGH) break;
  }
  expect(start!.images.map(({ isArgmax }) => isArgmax)).toEqual([false, false, false, false]);
  maximizer.dispose();
  console.log(`argmax first at step ${first.join(', ')} under preset 1, 2, 3, 4; scores ${last!.images.map(({ score }) => score.toFixed(1)).join(', ')}`);
  expect(first.every((step) => step >= 0)).toBe(true);
  last!.images.forEach(({ score, status }, n) => {
    expect(status).toBe('running');
    expect(score).toBeGreaterThan(start!.images[n]!.score);
  });
}, 400_000);
