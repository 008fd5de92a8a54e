/**
 * What plans of real networks count (dispatches, FLOPs, bytes, pipelines, memory), compared exactly with counts.json: a
 * change that makes a plan dearer is seen without a clock. No GPU is used, and no weights: zeros that nobody touches.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { classLayers, compile, loadNetwork, totals, type Network, type PlanTotals, type Shape, type Tensor } from '../../src/index.ts';
import { caffeNet } from '../bench/networks/alexnet.ts';
import { mobileNet } from '../bench/networks/mobilenet.ts';
import { resNet18, resNet50 } from '../bench/networks/resnet.ts';
import { vgg16 } from '../bench/networks/vgg.ts';
import { dataBytes } from '../formats/reference-data.ts';

vi.mock('../bench/formula.ts', () => {
  const zeros = (shape: Shape): Tensor => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  return { formulaWeights: (_: string, shape: Shape) => ({ weight: zeros(shape), bias: zeros([shape[0]!]) }) };
});

const FILE = join(import.meta.dirname, 'counts.json');
const UPDATING = Boolean(process.env.UPDATE_COUNTS);
const HOW = 'if the change is meant: UPDATE_COUNTS=1 npx vitest run tests/scheduler/counts.test.ts, then read the difference';

const embedded = ['network.json', 'weights.safetensors'].map((name) => join(import.meta.dirname, '../../models/embedded', name));
const NETWORKS: Readonly<Record<string, () => Network | Promise<Network>>> = {
  embedded: () => loadNetwork(embedded.map((name) => ({ name, bytes: new Uint8Array(readFileSync(name)) }))),
  'SqueezeNet 1.1': () => loadNetwork([{ name: 'squeezenet1.1.onnx', bytes: dataBytes('models/squeezenet1.1-gluon/squeezenet1.1.onnx') }]),
  CaffeNet: caffeNet,
  'ResNet-18': resNet18,
  'MobileNet 1.0': mobileNet,
  VGG16: vgg16,
  'ResNet-50': resNet50,
};

/** WebGPU's default limits, with subgroups, which most devices have. */
const DEVICES = { GPU: false, 'software adapter': true };

/** Totals of the plans to a network's class scores, by name. */
function countsOf(network: Network): Map<string, PlanTotals> {
  const { logits } = classLayers(network);
  const counts = new Map<string, PlanTotals>();
  for (const [device, software] of Object.entries(DEVICES)) {
    const options = { layers: [logits], capabilities: { subgroups: true, software, maxBinding: 128 * 2 ** 20 } };
    const backward = { from: logits, rule: 'gradient' } as const;
    for (const batch of [1, 4]) {
      counts.set(`forward, batch ${batch}, ${device}`, totals(compile(network, { ...options, batch })));
      counts.set(`forward and backward, batch ${batch}, ${device}`, totals(compile(network, { ...options, batch, backward })));
    }
  }
  return counts;
}

type Counts = Record<string, Record<string, PlanTotals>>;
const recorded = (existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {}) as Counts;
const counted: Counts = {};

/** One plan a line, so that a change reads as a difference of lines. */
function text(counts: Counts): string {
  const networks = Object.entries(counts).map(([network, plans]) => {
    const lines = Object.entries(plans).map(([plan, sums]) => `    ${JSON.stringify(plan)}: ${JSON.stringify(sums).replace(/([:,])/g, '$1 ')}`);
    return `  ${JSON.stringify(network)}: {\n${lines.join(',\n')}\n  }`;
  });
  return `{\n${networks.join(',\n')}\n}\n`;
}

afterAll(() => {
  if (UPDATING) writeFileSync(FILE, text({ ...recorded, ...counted }));
});

describe.each(Object.keys(NETWORKS))('%s', (name) => {
  test('counts what it counted', async () => {
    counted[name] = Object.fromEntries(countsOf(await NETWORKS[name]!()));
    if (!UPDATING) expect(counted[name], HOW).toEqual(recorded[name]);
  });

  test('four images are four times the work, and memory is near what is alive', async () => {
    const counts = counted[name] ?? Object.fromEntries(countsOf(await NETWORKS[name]!()));
    for (const device of Object.keys(DEVICES)) for (const pass of ['forward', 'forward and backward']) {
      const [one, four] = [1, 4].map((batch) => counts[`${pass}, batch ${batch}, ${device}`]!) as [PlanTotals, PlanTotals];
      expect(four.flops).toBe(4 * one.flops);
      for (const { memory, liveBytes } of [one, four]) {
        expect(memory).toBeGreaterThanOrEqual(liveBytes);
        expect(memory).toBeLessThan(2 * liveBytes);
      }
    }
  });
});

test('the file has these networks and no others', () => {
  if (!UPDATING) expect(Object.keys(recorded), HOW).toEqual(Object.keys(NETWORKS));
});
