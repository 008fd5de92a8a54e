/** Real networks by every family of kernels, wherever it can do a layer: class scores and their gradient as recorded. */
import { afterAll, describe, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import type { KernelChoices } from '../../src/gpu/capabilities.ts';
import { classLayers, feed } from '../../src/methods/activations.ts';
import { oneHot } from '../../src/methods/gradient.ts';
import { parseUnit } from '../../src/methods/unit.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { isCalled, variantOf } from '../../src/ops/conv2d_kernels.ts';
import { compile } from '../../src/scheduler/compile.ts';
import type { Plan, Step } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { useEngine } from '../gpu.ts';
import { gradientDeviation, layerDeviation, recordedInput, recordedUnit, recording, type Recording } from './recording.ts';
import { caffeNet } from './reference_networks.ts';

const engine = useEngine();
const onnx = (path: string) => (): Promise<Network> => loadNetwork([{ name: path.split('/').at(-1)!, bytes: dataBytes(`models/${path}`) }]);

/** Tiles in workgroup memory take a software adapter a second for so many FLOPs: it gets the largest layers that fit. */
const SHARED_FLOPS = 160e6;

/**
 * One picture each. In SqueezeNet's `cat` one ReLU of relu11 lies within rounding of 0 (0 by the direct sum, 5e-7 by
 * Winograd's of 2x2 outputs, in a layer of up to 108), and lets 3.5e-4 of the gradient pass: no kernel's fault.
 */
const CASES = [
  { name: 'squeezenet1.1-gluon', image: 'coffee', preprocess: 'imagenet', load: onnx('squeezenet1.1-gluon/squeezenet1.1.onnx') },
  { name: 'resnet20-cifar10', image: 'chelsea', preprocess: 'imagenet', load: onnx('resnet20-cifar10/resnet20-cifar10.onnx') },
  { name: 'mobilenet_v1_0.25_224', image: 'cat', preprocess: 'signed', load: onnx('mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx') },
  { name: 'SYNTH-bvlc_reference_caffenet', image: 'chelsea', preprocess: 'caffe', load: () => Promise.resolve(caffeNet()) },
] as const;

const report: string[] = [];
afterAll(() => console.log(['layers by a kernel; deviation of the class scores (1 = the tolerance), relative L2 of the gradient', ...report].join('\n  ')));

/** The largest takes long: with UNITSCOPE_FULL=1 only. */
const TAKEN = process.env.UNITSCOPE_FULL === '1' ? CASES : CASES.slice(0, -1);

describe.each(TAKEN)('$name', ({ name, image, preprocess, load }) => {
  let loaded: Promise<{ net: Network; x: Tensor; r: Recording; logits: string }> | undefined;
  const given = () =>
    (loaded ??= (async () => {
      const [net, r] = [await load(), recording(name, image)];
      return { net, r, x: await recordedInput(r, preprocess), logits: classLayers(net).logits };
    })());

  async function planned(kernels: KernelChoices, backward: boolean): Promise<Plan> {
    const { net, logits } = await given();
    const capabilities = { ...engine().capabilities, kernels };
    return compile(net, { layers: [logits], capabilities, ...(backward && { backward: { from: logits, rule: 'gradient' as const } }) });
  }

  /** Runs a plan, part of it by kernels of a name, and holds what comes out against what was recorded. */
  async function prove(plan: Plan, called: string): Promise<void> {
    const { net, x, r, logits } = await given();
    const steps = chosenSteps(plan);
    const used = usedBy(plan, called);
    expect(used.length).toBeGreaterThan(0);
    const g = r.gradients.find(({ target, mode }) => target === 'logit' && mode === 'grad')!;
    const backward = plan.passes.has('backward');
    const runner = await Runner.create(engine(), plan);
    try {
      feed(runner, net, x);
      if (backward) runner.write('seed', oneHot([parseUnit(net, recordedUnit(g.what))], runner.tensor('seed').shape));
      runner.run([...plan.passes.keys()]);
      const deviation = layerDeviation(r, r.layers.find((layer) => layer.name === logits)!, await runner.read(logits));
      const { error, allowed } = backward ? gradientDeviation(r, g, await runner.read(`d ${net.inputs[0]!.name}`)) : { error: 0, allowed: 0 };
      report.push(`${name} ${called}: ${used.length} of ${steps.length}; ${deviation.toFixed(3)}${backward ? `, ${error.toExponential(2)} of ${allowed.toExponential(2)}` : ''}`);
      expect(deviation).toBeLessThanOrEqual(1);
      expect(error).toBeLessThanOrEqual(allowed);
    } finally {
      runner.dispose();
    }
  }

  test.each(name.startsWith('mobilenet') ? ['direct', 'winograd', 'depthwise'] : ['direct', 'winograd'])('%s', async (forced) => {
    await prove(await planned({ forced }, true), forced);
  });

  test('winograd 4x4, where it may be taken: not where it decides which way a gradient goes', async () => {
    const called = 'winograd 4x4';
    const keys = (plan: Plan): [string, string][] => usedBy(plan, called).map(({ choice }) => [choice!.key!, variantOf(choice!)]);
    const forward = await planned({ forced: called }, false);
    const measured = new Map([...keys(await planned({ forced: called }, true)), ...keys(forward)]);
    if (keys(forward).length > 0) await prove(forward, called);
    const both = await planned({ measured }, true);
    expect(usedBy(both, called).map(({ pass }) => pass)).not.toContain('forward');
    await prove(both, called);
  });

  test('shared', async () => {
    const plan = await planned({ forced: 'shared 32x32' }, true);
    const measured = new Map<string, string>();
    let flops = 0;
    for (const { choice, flops: own } of usedBy(plan, 'shared').sort((a, b) => b.flops - a.flops)) {
      const { key } = choice as { key: string };
      // Of every layer of that shape. One channel a group fills a 32nd of a tile.
      const all = own * chosenSteps(plan).filter((step) => step.choice?.key === key).length * (key.includes(' 1>1 ') ? 32 : 1);
      if (measured.has(key) || flops + all > SHARED_FLOPS) continue;
      measured.set(key, variantOf(choice!));
      flops += all;
    }
    await prove(await planned({ measured }, true), 'shared');
  });
});

const chosenSteps = (plan: Plan): Step[] => [...plan.passes.values()].flat().filter(({ choice }) => choice?.key !== undefined);
const usedBy = (plan: Plan, called: string): Step[] => chosenSteps(plan).filter(({ choice }) => isCalled(variantOf(choice!), called));
