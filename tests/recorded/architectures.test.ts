/**
 * Trained weights in built-in graphs against what an independent implementation recorded of the same networks: every layer,
 * and the gradient of a class. The recordings call their layers otherwise, in the same order.
 */
import { afterAll, expect, test } from 'vitest';
import { architectureCalled } from '../../src/formats/architectures/weights.ts';
import { loadNetwork } from '../../src/formats/loader.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { feed } from '../../src/methods/activations.ts';
import { oneHot } from '../../src/methods/gradient.ts';
import { parseUnit } from '../../src/methods/unit.ts';
import type { Tensor } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { drawn } from '../formats/architectures/files.ts';
import { useEngine } from '../gpu.ts';
import { gradientDeviation, layerDeviation, recordedInput, recordedUnit, recording } from './recording.ts';

const engine = useEngine();

/** Trained weights of Gluon's SqueezeNet 1.1, renamed in order: the same layers, the 26 convolutions in the order of torchvision's. */
function squeezenet(): Uint8Array {
  const { tensors } = readSafetensors(dataBytes('models/squeezenet1.1-gluon/squeezenet1.1.safetensors'));
  const convolutions = drawn(architectureCalled('squeezenet1_1')).nodes.filter(({ op }) => op === 'conv2d');
  const roles = convolutions.flatMap(({ name }, i) => ['weight', 'bias'].map((role) => [`${name}.${role}`, tensors.get(`squeezenet0_conv${i}_${role}`)!] as const));
  return writeSafetensors(new Map<string, Tensor>(roles));
}

const CASES = [
  { golden: 'resnet20-cifar10', image: 'chelsea', bytes: () => dataBytes('models/resnet20-cifar10/resnet20-cifar10.safetensors'), unrecorded: /\.slice$/ },
  { golden: 'squeezenet1.1-gluon', image: 'cat', bytes: squeezenet, unrecorded: /^$/ },
] as const;

const report: string[] = [];
afterAll(() => console.log(['deviations (layers: 1 = the tolerance):', ...report].join('\n  ')));

test.each(CASES)('$golden: every layer, nothing fused, and the gradient of the class', async ({ golden, image, bytes, unrecorded }) => {
  const network = await loadNetwork([{ name: 'weights.safetensors', bytes: bytes() }]);
  const r = recording(golden, image);
  const ours = network.nodes.filter(({ name }) => !unrecorded.test(name)).map(({ name }) => name);
  const shapes = shapesOf(network);
  expect(ours.map((name) => shapes.get(name))).toEqual(r.layers.map(({ shape }) => shape));

  const from = network.outputs[0]!;
  const runner = await Runner.create(engine(), compile(network, { layers: ours, fuse: false, backward: { from, rule: 'gradient' }, capabilities: engine().capabilities }));
  const g = r.gradients.find(({ target, mode }) => target === 'logit' && mode === 'grad')!;
  feed(runner, network, await recordedInput(r, 'imagenet'));
  runner.write('seed', oneHot([parseUnit(network, `${from}:${recordedUnit(g.what).split(':')[1]!}`)], runner.tensor('seed').shape));
  runner.run(['forward', 'backward']);
  let worst = { layer: '', deviation: 0 };
  for (const [i, layer] of r.layers.entries()) {
    const deviation = layerDeviation(r, layer, await runner.read(ours[i]!));
    if (!(deviation <= worst.deviation)) worst = { layer: layer.name, deviation };
  }
  const { error, allowed } = gradientDeviation(r, g, await runner.read('d x'));
  runner.dispose();
  report.push(`${golden} / ${image}: ${ours.length} layers, worst ${worst.deviation.toFixed(3)} at ${worst.layer}; gradient, relative L2 ${error.toExponential(2)} of ${allowed.toExponential(2)}`);
  expect(worst.deviation).toBeLessThanOrEqual(1);
  expect(error).toBeLessThanOrEqual(allowed);
});
