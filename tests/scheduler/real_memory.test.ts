/** What the plans of real networks need, against the bytes that are alive at their worst step. Nothing runs. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { classLayers } from '../../src/methods/activations.ts';
import type { Network, Shape } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { totals, type Plan } from '../../src/scheduler/plan.ts';
import { caffeNet } from '../bench/networks/alexnet.ts';
import { googLeNet } from '../bench/networks/googlenet.ts';
import { resNet18 } from '../bench/networks/resnet.ts';
import { vgg16 } from '../bench/networks/vgg.ts';
import { dataBytes } from '../formats/reference-data.ts';

// A plan needs the shapes of the weights only.
vi.mock('../bench/formula.ts', () => {
  const empty = (shape: Shape) => ({ shape, data: new Float32Array(0) });
  return { formulaWeights: (_: string, shape: Shape) => ({ weight: empty(shape), bias: empty([shape[0]!]) }) };
});

const capabilities = { subgroups: false, software: true, maxBinding: 2 ** 31 };
const onnx = (path: string) => (): Promise<Network> => loadNetwork([{ name: 'net.onnx', bytes: dataBytes(`models/${path}`) }]);
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(fileURLToPath(new URL(`../../models/embedded/${name}`, import.meta.url))));

const NETWORKS: Readonly<Record<string, () => Network | Promise<Network>>> = {
  embedded: () => loadNetwork(['network.json', 'weights.safetensors'].map((name) => ({ name, bytes: file(name) }))),
  'SqueezeNet 1.1': onnx('squeezenet1.1-gluon/squeezenet1.1.onnx'),
  'MobileNet 0.25': onnx('mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx'),
  CaffeNet: caffeNet,
  'ResNet-18': resNet18,
  GoogLeNet: googLeNet,
  VGG16: vgg16,
};

/** Bytes of the constants: packed weights and the sizes that kernels read. */
const constants = (plan: Plan): number => plan.constants.reduce((sum, { tensor }) => sum + plan.tensors[tensor]!.bytes, 0);

const report: string[] = [];
afterAll(() => console.log(['memory over bytes alive, weights left out of both in brackets:', ...report].join('\n  ')));

describe.each(Object.entries(NETWORKS))('%s', (name, load) => {
  let network: Promise<Network> | undefined;
  const planOf = async (batch: number, backward: boolean, forced?: string): Promise<Plan> => {
    const net = await (network ??= Promise.resolve(load()));
    const { logits } = classLayers(net);
    return compile(net, { batch, layers: [logits], ...(backward && { backward: { from: logits, rule: 'gradient' as const } }), capabilities: { ...capabilities, ...(forced && { kernels: { forced } }) } });
  };

  test.each([[false, 1], [false, 4], [true, 1], [true, 4]] as const)('backward %s, batch %i', async (backward, batch) => {
    const plan = await planOf(batch, backward);
    const { memory, liveBytes, buffers, steps } = totals(plan);
    const weights = constants(plan);
    const activations = (memory - weights) / (liveBytes - weights);
    report.push(`${name}, batch ${batch}${backward ? ', backward' : ''}: ${(memory / liveBytes).toFixed(3)} (${activations.toFixed(3)}), ${steps} steps, ${buffers} buffers`);
    expect(memory).toBeLessThanOrEqual(1.25 * liveBytes);
    expect(activations).toBeLessThanOrEqual(1.4);
  });

  // Kernels forced: which one is quickest may change with the batch, and with it what it needs beside x and y.
  test.each([false, true])('backward %s: sixteen images need at most sixteen times what one needs', async (backward) => {
    const [one, sixteen] = [await planOf(1, backward, 'direct'), await planOf(16, backward, 'direct')];
    expect(sixteen.liveBytes - constants(sixteen)).toBeLessThanOrEqual(16 * (one.liveBytes - constants(one)));
    // The packing of either may be off the best by a little.
    expect(totals(sixteen).memory - constants(sixteen)).toBeLessThanOrEqual(1.01 * 16 * (totals(one).memory - constants(one)));
  });
});
