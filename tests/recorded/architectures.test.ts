/**
 * Trained weights in built-in graphs against what an independent implementation recorded of the same networks: every layer,
 * and the gradient of a class. The recordings call their layers otherwise, in the same order.
 */
import { afterAll, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { decodeText } from '../../src/formats/text.ts';
import { parsePreprocess } from '../../src/image/preprocess_text.ts';
import { classLayers, feed } from '../../src/methods/activations.ts';
import { oneHot } from '../../src/methods/gradient.ts';
import { parseUnit } from '../../src/methods/unit.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { useEngine } from '../gpu.ts';
import { gradientDeviation, layerDeviation, recordedInput, recordedUnit, recording, type RecordedGradient, type Recording } from './recording.ts';

const engine = useEngine();

/** Images in which no ReLU turns on or off by rounding, which would show in the gradient. */
const CASES = [
  { golden: 'resnet20-cifar10', image: 'chelsea', file: 'resnet20-cifar10/resnet20-cifar10', name: 'resnet20', preprocess: 'imagenet', unrecorded: /\.slice$/ },
  { golden: 'squeezenet1.1-gluon', image: 'cat', file: 'squeezenet1.1-gluon/squeezenet1.1', name: 'squeezenet1_1', preprocess: 'imagenet', unrecorded: /^$/ },
  { golden: 'tinyvgg-cnnexplainer', image: 'tiny_panda_1', file: 'tinyvgg-cnnexplainer/tiny_vgg', name: 'tiny_vgg', preprocess: 'unit', unrecorded: /^$/ },
  { golden: 'mobilenet_v1_0.25_224', image: 'coffee', file: 'mobilenet_v1_0.25_224/mobilenet_v1_0.25_224_keras', name: 'mobilenet_v1_0.25', preprocess: 'signed', unrecorded: /^dropout$/ },
] as const;

const load = (file: string): Promise<Network> => loadNetwork([{ name: 'weights.safetensors', bytes: dataBytes(`models/${file}.safetensors`) }]);
const largest = ({ data }: Tensor): number => data.reduce((best, value, i) => (value > data[best]! ? i : best), 0);

/** The recorded gradient of the class that an image shows, and that class. */
const gradientOf = ({ gradients }: Recording): RecordedGradient => gradients.find(({ target, mode }) => target === 'logit' && mode === 'grad')!;
const classOf = ({ what }: RecordedGradient): number => Number(recordedUnit(what).split(':')[1]);

const report: string[] = [];
afterAll(() => console.log(['deviations (layers: 1 = the tolerance):', ...report].join('\n  ')));

test.each(CASES)('$golden: every layer, nothing fused, and the gradient of the class', async ({ golden, image, file, name: architecture, preprocess, unrecorded }) => {
  const network = await load(file);
  expect([network.name, network.preprocess]).toEqual([architecture, parsePreprocess(preprocess)]);
  const r = recording(golden, image);
  const ours = network.nodes.filter(({ name }) => !unrecorded.test(name)).map(({ name }) => name);
  const shapes = shapesOf(network);
  expect(ours.map((name) => shapes.get(name))).toEqual(r.layers.map(({ shape }) => shape));

  const from = classLayers(network).logits;
  const runner = await Runner.create(engine(), compile(network, { layers: ours, fuse: false, backward: { from, rule: 'gradient' }, capabilities: engine().capabilities }));
  const g = gradientOf(r);
  feed(runner, network, await recordedInput(r, preprocess));
  const top = classOf(g);
  runner.write('seed', oneHot([parseUnit(network, `${from}:${top}`)], runner.tensor('seed').shape));
  runner.run(['forward', 'backward']);
  let worst = { layer: '', deviation: 0 };
  for (const [i, layer] of r.layers.entries()) {
    const deviation = layerDeviation(r, layer, await runner.read(ours[i]!));
    if (!(deviation <= worst.deviation)) worst = { layer: layer.name, deviation };
  }
  expect(largest(await runner.read(from))).toBe(top);
  const { error, allowed } = gradientDeviation(r, g, await runner.read('d x'));
  runner.dispose();
  report.push(`${golden} / ${image}: ${ours.length} layers, worst ${worst.deviation.toFixed(3)} at ${worst.layer}; gradient, relative L2 ${error.toExponential(2)} of ${allowed.toExponential(2)}`);
  expect(worst.deviation).toBeLessThanOrEqual(1);
  expect(error).toBeLessThanOrEqual(allowed);
});

test.each([['f16', 2 ** -11], ['bf16', 2 ** -8]])('tiny_vgg in %s: the same class', async (type, epsilon) => {
  const [network, whole] = await Promise.all([load(`tinyvgg-cnnexplainer/tiny_vgg_${type}`), load('tinyvgg-cnnexplainer/tiny_vgg')]);
  expect([network.name, network.labels]).toEqual(['tiny_vgg', decodeText(dataBytes('labels/tinyvgg10.txt'), 'tinyvgg10.txt').trim().split('\n')]);
  const [rounded, exact] = [network, whole].map(({ nodes }) => nodes.find(({ op }) => op === 'dense')!.weights.weight!.data);
  expect(Math.max(...exact!.map((value, i) => Math.abs(value - rounded![i]!)))).toBeLessThanOrEqual(epsilon * Math.max(...exact!.map(Math.abs)));
  const r = recording('tinyvgg-cnnexplainer', 'tiny_espresso_1');
  const { logits } = classLayers(network);
  const runner = await Runner.create(engine(), compile(network, { layers: [logits], capabilities: engine().capabilities }));
  feed(runner, network, await recordedInput(r, 'unit'));
  runner.run(['forward']);
  const scores = await runner.read(logits);
  runner.dispose();
  const top = classOf(gradientOf(r));
  expect([top, network.labels![largest(scores)]]).toEqual([largest(scores), 'espresso']);
});
