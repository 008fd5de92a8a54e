/**
 * What an adapter is good at: a few convolutions as networks have them are timed under every family of kernels, and what
 * the cost model got wrong about a family becomes its factor. WebGPU tells too little of a GPU to know it beforehand.
 */
import { adapterKey, emptyRecord, type KernelRecord } from '../gpu/kernel_store.ts';
import type { Engine } from '../gpu/engine.ts';
import type { TimingOptions } from '../gpu/stopwatch.ts';
import type { Network, Node } from '../network/network.ts';
import { familyOf } from '../ops/conv2d_kernels.ts';
import type { Capabilities } from '../ops/op.ts';
import { stage } from '../scheduler/compile.ts';
import { recordBackward } from '../scheduler/passes.ts';
import type { Plan } from '../scheduler/plan.ts';
import { kernelTimes, type ShapeTimes } from './kernel_times.ts';

/** A convolution with ReLU, padded to keep the size where the stride is 1. */
export interface Probe {
  readonly kernel: number;
  readonly channels: number;
  readonly outputs: number;
  readonly size: number;
  readonly stride?: number;
  readonly groups?: number;
}

/** Of VGG and ResNet early, in the middle and late; of bottlenecks, AlexNet and MobileNet. */
const PROBES: readonly Probe[] = [
  { kernel: 3, channels: 64, outputs: 64, size: 56 },
  { kernel: 3, channels: 256, outputs: 256, size: 14 },
  { kernel: 3, channels: 512, outputs: 512, size: 7 },
  { kernel: 1, channels: 256, outputs: 256, size: 28 },
  { kernel: 5, channels: 48, outputs: 128, size: 27 },
  { kernel: 7, channels: 3, outputs: 64, size: 224, stride: 2 },
  { kernel: 3, channels: 256, outputs: 256, size: 28, groups: 256 },
];

/** Short: a factor is a mean over many of these, and somebody waits for it. */
const TIMING: TimingOptions = { tries: 2, sampleMs: 1, patienceMs: 0 };

/** No family is better or worse than predicted by more than this, whatever a disturbed measurement says. */
const MOST_FACTOR = 16;

/**
 * A new record of the adapter with the factors of its kernels: a few seconds on a GPU, many on a software adapter.
 * @throws aborted, device-lost, limit, out-of-memory
 */
export async function calibrateKernels(
  engine: Engine,
  { signal, probes = PROBES }: { readonly signal?: AbortSignal | undefined; readonly probes?: readonly Probe[] } = {},
): Promise<KernelRecord> {
  const before = engine.kernels;
  engine.kernels = undefined; // old factors are no part of what is predicted now
  try {
    const network = probeNetwork(probes);
    const shapes = await kernelTimes(engine, (capabilities) => probePlan(network, capabilities), { ...TIMING, signal });
    return { ...emptyRecord(adapterKey(engine.adapter)), factors: factorsOf(shapes) };
  } finally {
    engine.kernels = before;
  }
}

/** By family, the mean (geometric) over shapes of measured / predicted, relative to the direct kernel of the same shape. */
export function factorsOf(shapes: readonly Pick<ShapeTimes, 'kernels'>[]): Record<string, number> {
  const logs = new Map<string, number[]>();
  for (const { kernels } of shapes) {
    const direct = kernels.find(({ variant }) => familyOf(variant) === 'direct');
    for (const { variant, cost, ms } of kernels) {
      const ratio = direct ? (ms / cost) / (direct.ms / direct.cost) : NaN;
      if (ratio > 0 && Number.isFinite(ratio)) logs.set(familyOf(variant), [...(logs.get(familyOf(variant)) ?? []), Math.log(ratio)]);
    }
  }
  const factor = (all: readonly number[]): number => {
    const mean = Math.exp(all.reduce((sum, log) => sum + log, 0) / all.length);
    return Number(Math.min(MOST_FACTOR, Math.max(1 / MOST_FACTOR, mean)).toPrecision(3));
  };
  return Object.fromEntries([...logs].map(([family, all]) => [family, factor(all)]));
}

/** All probes side by side. */
function probeNetwork(probes: readonly Probe[]): Network {
  const nodes = probes.map(probeNode);
  const inputs = probes.map(({ channels, size }, n) => ({ name: `x${n}`, shape: [1, channels, size, size] }));
  return { name: 'probes', inputs, nodes, outputs: nodes.map(({ output }) => output) };
}

/** Forward and backward. */
function probePlan(network: Network, capabilities: Capabilities): Plan {
  const { builder, recorded, inputs, layer } = stage(network, { layers: network.outputs, capabilities, training: false });
  for (const { output, inputs: [x] } of network.nodes) {
    const seed = builder.persistent(`seed ${output}`, layer(output).shape);
    const dx = builder.persistent(`d ${x!}`, inputs.get(x!)!.shape);
    recordBackward(builder, recorded, output, seed, new Map([[x!, dx]]), 'gradient');
  }
  return builder.build();
}

function probeNode({ kernel, channels, outputs, stride = 1, groups = 1 }: Probe, n: number): Node {
  const shape = [outputs, channels / groups, kernel, kernel];
  // Numbers spread over -0.1 .. 0.1, so that no kernel meets anything odd.
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = 0.2 * (((i * 0.6180339887498949) % 1) - 0.5);
  const pad = (kernel - 1) / 2;
  const attributes = { stride: [stride, stride], padding: [pad, pad, pad, pad], groups, activation: 'relu' };
  return { name: `probe${n}`, output: `y${n}`, op: 'conv2d', inputs: [`x${n}`], attributes, weights: { weight: { shape, data } } };
}
