/** Real networks by every family of kernels, wherever it can do a layer: class scores and their gradient as recorded. */
import { afterAll, describe, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { classLayers, feed } from '../../src/methods/activations.ts';
import { oneHot } from '../../src/methods/gradient.ts';
import { parseUnit } from '../../src/methods/unit.ts';
import type { Network } from '../../src/network/network.ts';
import { isCalled, variantOf } from '../../src/ops/conv2d_kernels.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { useEngine } from '../gpu.ts';
import { gradientDeviation, layerDeviation, recordedInput, recordedUnit, recording } from './recording.ts';
import { caffeNet } from './reference_networks.ts';

const engine = useEngine();
const onnx = (path: string) => (): Promise<Network> => loadNetwork([{ name: path.split('/').at(-1)!, bytes: dataBytes(`models/${path}`) }]);

const CASES = [
  { name: 'squeezenet1.1-gluon', image: 'cat', preprocess: 'imagenet', load: onnx('squeezenet1.1-gluon/squeezenet1.1.onnx') },
  { name: 'resnet20-cifar10', image: 'chelsea', preprocess: 'imagenet', load: onnx('resnet20-cifar10/resnet20-cifar10.onnx') },
  { name: 'mobilenet_v1_0.25_224', image: 'cat', preprocess: 'signed', load: onnx('mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx') },
  { name: 'SYNTH-bvlc_reference_caffenet', image: 'chelsea', preprocess: 'caffe', load: () => Promise.resolve(caffeNet()) },
] as const;

const report: string[] = [];
afterAll(() => console.log(['kernel: layers that it does; deviation of the class scores (1 = the tolerance), relative L2 of the gradient', ...report].join('\n  ')));

describe.each(CASES)('$name', ({ name, image, preprocess, load }) => {
  let network: Promise<Network> | undefined;
  const r = recording(name, image);

  test.each(['direct', 'winograd', 'winograd 4x4', 'winograd shared', 'shared', 'depthwise'])('%s', async (forced) => {
    const net = await (network ??= load());
    const { logits } = classLayers(net);
    const began = performance.now();
    const backward = { from: logits, rule: 'gradient' } as const;
    const plan = compile(net, { layers: [logits], backward, capabilities: { ...engine().capabilities, kernels: { forced } } });
    const choices = [...plan.passes.values()].flat().flatMap(({ choice }) => choice ?? []).filter(({ key }) => key);
    const used = choices.filter((choice) => isCalled(variantOf(choice), forced));
    const runner = await Runner.create(engine(), plan);
    const g = r.gradients.find(({ target, mode }) => target === 'logit' && mode === 'grad')!;
    feed(runner, net, await recordedInput(r, preprocess));
    runner.write('seed', oneHot([parseUnit(net, recordedUnit(g.what))], runner.tensor('seed').shape));
    runner.run(['forward', 'backward']);
    const deviation = layerDeviation(r, r.layers.find((layer) => layer.name === logits)!, await runner.read(logits));
    const { error, allowed } = gradientDeviation(r, g, await runner.read(`d ${net.inputs[0]!.name}`));
    runner.dispose();
    report.push(`${name} ${forced}: ${used.length} of ${choices.length}; ${deviation.toFixed(3)}, ${error.toExponential(2)} of ${allowed.toExponential(2)}; ${(performance.now() - began).toFixed(0)} ms`);
    expect(deviation).toBeLessThanOrEqual(1);
    expect(error).toBeLessThanOrEqual(allowed);
  });
});
