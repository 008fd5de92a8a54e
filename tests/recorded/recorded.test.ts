/** Real networks on real photographs: every layer and every gradient against recorded results. */
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { classLayers, feed } from '../../src/methods/activations.ts';
import { oneHot } from '../../src/methods/gradient.ts';
import { parseUnit, type Unit } from '../../src/methods/unit.ts';
import { findNode } from '../../src/network/lookup.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { compile, stage, type CompileOptions } from '../../src/scheduler/compile.ts';
import { recordBackward } from '../../src/scheduler/passes.ts';
import type { Plan } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { dataBytes, dataPath } from '../formats/reference-data.ts';
import { useEngine } from '../gpu.ts';
import { gradientDeviation, layerDeviation, recordedInput, recordedUnit, recording, type RecordedGradient, type Recording } from './recording.ts';
import { caffeNet, googLeNet, krizhevskyNet } from './reference_networks.ts';

const engine = useEngine();
const onnx = (path: string) => (): Promise<Network> =>
  loadNetwork([{ name: path.split('/').at(-1)!, bytes: dataBytes(`models/${path}`) }]);

/** A prototxt and the weights beside it. */
const caffe = (folder: string, ...files: string[]) => (): Promise<Network> =>
  loadNetwork(files.map((name) => ({ name, bytes: dataBytes(`models/${folder}/${name}`) })));

/** A model.json and everything beside it, with some layers under the names that the recording has for them. */
const tfjs = (folder: string, files: readonly string[], names: Readonly<Record<string, string>>) => async (): Promise<Network> => {
  const network = await loadNetwork(files.map((name) => ({ name, bytes: dataBytes(`models/${folder}/${name}`) })));
  const renamed = (name: string): string => names[name] ?? name;
  const nodes = network.nodes.map((node) => ({ ...node, name: renamed(node.name), output: renamed(node.output), inputs: node.inputs.map(renamed) }));
  return { ...network, nodes, outputs: network.outputs.map(renamed) };
};
/** Scaled by 1/256, as LeNet's data layer does. */
const DIGIT = 'channels=gray;range=0.99609375;mean=0;std=1';

const FULL = process.env.UNITSCOPE_FULL === '1';

interface Case {
  readonly name: string;
  readonly golden: string;
  readonly preprocess: string;
  readonly load: () => Promise<Network> | Network;
  /** Some of those that were recorded, where all would take long; UNITSCOPE_FULL=1 takes all. */
  readonly images?: readonly string[];
  /** Much like another one: with UNITSCOPE_FULL=1 only. */
  readonly full?: boolean;
  /** Layers of the file that the recording, made from another file of the same network, does not have. */
  readonly unrecorded?: number;
}

const CASES: readonly Case[] = [
  { name: 'squeezenet1.1-gluon', golden: 'squeezenet1.1-gluon', images: ['chelsea'], preprocess: 'imagenet', load: onnx('squeezenet1.1-gluon/squeezenet1.1.onnx') },
  { name: 'squeezenet1.1-fp16-winml', golden: 'squeezenet1.1-fp16-winml', images: ['coffee'], preprocess: 'caffe', load: onnx('squeezenet1.1-fp16-winml/SqueezeNet_fp16.onnx') },
  { name: 'mobilenet', golden: 'mobilenet_v1_0.25_224', images: ['coffee'], preprocess: 'signed', load: onnx('mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx') },
  { name: 'resnet20', golden: 'resnet20-cifar10', preprocess: 'imagenet', load: onnx('resnet20-cifar10/resnet20-cifar10.onnx') },
  { name: 'resnet20 slice+pad', golden: 'resnet20-cifar10', images: ['chelsea'], preprocess: 'imagenet', load: onnx('resnet20-cifar10/resnet20-cifar10-slicepad.onnx'), unrecorded: 2 },
  { name: 'tinyvgg', golden: 'tinyvgg-cnnexplainer', preprocess: 'unit', load: onnx('tinyvgg-cnnexplainer/tiny_vgg.onnx') },
  { name: 'mnist-cntk', golden: 'mnist-cntk-winml', preprocess: 'gray-raw', load: onnx('mnist-cntk-winml/mnist.onnx') },
  { name: 'LeNet (Caffe)', golden: 'lenet-caffe-v2', preprocess: DIGIT, load: caffe('lenet-caffe-v2', 'lenet.prototxt', 'lenet_iter_10000.caffemodel') },
  { name: 'LeNet (Caffe, version 1)', golden: 'lenet-caffe-v1', preprocess: DIGIT, load: caffe('lenet-caffe-v1', 'lenet.prototxt', 'lenet_iter_10000.caffemodel') },
  {
    name: 'cifar10_full (Caffe, version 1)',
    golden: 'cifar10_full-caffe-v1',
    // What a note says of the mean image; the rest of it is the first layer.
    preprocess: 'channels=RGB;range=255;mean=125.269,122.933,113.863;std=1',
    load: caffe('cifar10_full-caffe-v1', 'cifar10_full.prototxt', 'cifar10_full_iter_70000.caffemodel', 'mean.binaryproto'),
    unrecorded: 1,
  },
  {
    name: 'squeezenet1.0 (Caffe)',
    golden: 'squeezenet1.0-deepcompression',
    images: ['coffee'],
    preprocess: 'caffe',
    load: caffe('squeezenet1.0-deepcompression', 'SqueezeNet_deploy.prototxt', 'squeezenet_v1.0_dc.caffemodel'),
  },
  { name: 'tinyvgg (TensorFlow.js)', golden: 'tinyvgg-cnnexplainer', preprocess: 'unit', load: tfjs('tinyvgg-cnnexplainer', ['model.json', 'group1-shard1of1.bin'], { 'output/dense': 'logits', output: 'probs' }) },
  {
    name: 'mobilenet (TensorFlow.js, weights without layers)',
    golden: 'mobilenet_v1_0.25_224',
    images: ['coffee'],
    preprocess: 'signed',
    load: tfjs('mobilenet_v1_0.25_224/tfjs', readdirSync(dataPath('models/mobilenet_v1_0.25_224/tfjs')), { reshape_2: 'logits', act_softmax: 'probs' }),
    unrecorded: 5,
  },
  { name: 'CaffeNet (formula weights)', golden: 'SYNTH-bvlc_reference_caffenet', preprocess: 'caffe', load: caffeNet },
  { name: 'AlexNet (formula weights)', golden: 'SYNTH-bvlc_alexnet', preprocess: 'caffe', load: krizhevskyNet, full: true },
  { name: 'GoogLeNet (formula weights)', golden: 'SYNTH-bvlc_googlenet', preprocess: 'caffe', load: googLeNet },
];

const RULES = { grad: 'gradient', guided: 'guided', deconv: 'deconvnet' } as const;
/** What was found, by image and by what was recorded. */
type Gradients = ReadonlyMap<string, Map<RecordedGradient, Tensor>>;
const report: string[] = [];
afterAll(() => console.log(['deviations (layers: 1 = the tolerance):', ...report].join('\n  ')));

describe.each(CASES.filter(({ full = false }) => FULL || !full))('$name', ({ name, golden, preprocess, load, unrecorded = 0, images: some }) => {
  const images = (!FULL && some) || readdirSync(dataPath(`golden/${golden}`)).filter((image) => !image.startsWith('thirdparty'));
  const recordings = images.map((image) => ({ image, r: recording(golden, image) }));
  let network: Promise<Network> | undefined;
  const loaded = (): Promise<Network> => (network ??= Promise.resolve(load()));

  /** Runs one plan on every image. */
  async function onEveryImage(plan: (net: Network) => Plan, use: (runner: Runner, image: string, r: Recording) => Promise<void>): Promise<void> {
    const net = await loaded();
    const runner = await Runner.create(engine(), plan(net));
    for (const { image, r } of recordings) {
      feed(runner, net, await recordedInput(r, preprocess));
      await use(runner, image, r);
    }
    runner.dispose();
  }
  const planned = (options: Omit<CompileOptions, 'capabilities'>) => (net: Network): Plan => compile(net, { ...options, capabilities: engine().capabilities });

  const unitOf = (net: Network, g: RecordedGradient): Unit => parseUnit(net, recordedUnit(g.what));
  const targetsOf = (net: Network): string[] => [...new Set(recordings.flatMap(({ r }) => r.gradients.map((g) => unitOf(net, g).layer)))];

  /** By image. The plain gradient is made as the product makes it: a plan for each target, that ends there. */
  async function plainGradients(): Promise<Gradients> {
    const net = await loaded();
    const found: Gradients = new Map(recordings.map(({ image }) => [image, new Map()]));
    for (const from of targetsOf(net)) {
      await onEveryImage(planned({ layers: [from], backward: { from, rule: 'gradient' } }), async (runner, image, r) => {
        for (const g of r.gradients.filter((one) => one.mode === 'grad' && !one.degenerate_all_zero)) {
          const unit = unitOf(net, g);
          if (unit.layer !== from) continue;
          runner.write('seed', oneHot([unit], runner.tensor('seed').shape));
          runner.run(['forward', 'backward']);
          found.get(image)!.set(g, await runner.read(`d ${net.inputs[0]!.name}`));
        }
      });
    }
    return found;
  }

  /** By image. The others share a plan, in which one forward pass serves every target under every rule. */
  async function modifiedGradients(): Promise<Gradients> {
    const net = await loaded();
    const found: Gradients = new Map(recordings.map(({ image }) => [image, new Map()]));
    const plan = (): Plan => {
      const targets = targetsOf(net);
      const { builder, recorded, inputs, layer } = stage(net, { layers: targets, training: true, capabilities: engine().capabilities });
      for (const from of targets) {
        for (const mode of ['guided', 'deconv'] as const) {
          const seed = builder.persistent(`seed ${mode} ${from}`, layer(from).shape);
          const to = new Map([...inputs].map(([input, x]) => [input, builder.persistent(`d ${mode} ${from}`, x.shape)]));
          recordBackward(builder, recorded, findNode(net, from).output, seed, to, RULES[mode]);
        }
      }
      return builder.build();
    };
    await onEveryImage(plan, async (runner, image, r) => {
      const wanted = r.gradients.filter(({ mode, degenerate_all_zero: isZero }) => mode !== 'grad' && !isZero);
      for (const g of wanted) {
        const unit = unitOf(net, g);
        const seed = `seed ${g.mode} ${unit.layer}`;
        runner.write(seed, oneHot([unit], runner.tensor(seed).shape));
      }
      runner.run(['forward', 'backward']);
      for (const g of wanted) found.get(image)!.set(g, await runner.read(`d ${g.mode} ${unitOf(net, g).layer}`));
    });
    return found;
  }
  let modified: Promise<Gradients> | undefined;

  test('every layer of every image, nothing fused', async () => {
    const net = await loaded();
    const known = new Set(net.nodes.flatMap((node) => [node.name, node.output]));
    const layers = recordings[0]!.r.layers.map((layer) => layer.name).filter((layer) => known.has(layer));
    expect(net.nodes.length - layers.length).toBe(unrecorded);
    await onEveryImage(planned({ layers, fuse: false }), async (runner, image, r) => {
      runner.run(['forward']);
      const deviations: { layer: string; deviation: number }[] = [];
      for (const layer of r.layers.filter((one) => known.has(one.name))) {
        deviations.push({ layer: layer.name, deviation: layerDeviation(r, layer, await runner.read(layer.name)) });
      }
      const worst = deviations.reduce((a, b) => (b.deviation > a.deviation ? b : a));
      report.push(`${name} / ${image}: ${deviations.length} layers, worst ${worst.deviation.toFixed(3)} at ${worst.layer}`);
      expect(deviations.filter(({ deviation }) => !(deviation <= 1))).toEqual([]);
    });
  });

  test('the class scores of every image, everything fused that can be', async () => {
    const { logits } = classLayers(await loaded());
    await onEveryImage(planned({ layers: [logits] }), async (runner, image, r) => {
      runner.run(['forward']);
      const deviation = layerDeviation(r, r.layers.find((layer) => layer.name === logits)!, await runner.read(logits));
      report.push(`${name} / ${image}: fused ${deviation.toFixed(3)}`);
      expect(deviation).toBeLessThanOrEqual(1);
    });
  });

  test.each(Object.keys(RULES))('gradients of every image: %s', async (mode) => {
    const found = await (mode === 'grad' ? plainGradients() : (modified ??= modifiedGradients()));
    for (const { image, r } of recordings) {
      for (const g of r.gradients.filter((one) => one.mode === mode && !one.degenerate_all_zero)) {
        const { error, allowed } = gradientDeviation(r, g, found.get(image)!.get(g)!);
        report.push(`${name} / ${image}: ${g.target} ${mode}, relative L2 ${error.toExponential(2)} of ${allowed.toExponential(2)}`);
        expect(error, `${image}, ${g.what}`).toBeLessThanOrEqual(allowed);
      }
    }
  });
});
