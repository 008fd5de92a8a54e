/**
 * Gradients of networks as torchvision exports them, against central differences of what onnxruntime computes: a weighted
 * sum of the class scores, or of a layer, along the gradient itself, where its length shows, and along random directions,
 * where all that is wrong in it shows.
 */
import { afterAll, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { feed } from '../../src/methods/activations.ts';
import type { Tensor } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { formulaTensor } from '../recorded/formula_weights.ts';
import { ARCHITECTURES, type Architecture, type ArchitectureName } from './architectures.ts';
import { Exporter } from './exporter.ts';
import { OrtModel } from './ort.ts';
import { picture } from './pictures.ts';

interface Case {
  readonly name: ArchitectureName;
  readonly opset: number;
  readonly side: number;
  /** Whose weighted sum is the score: the index of a tensor that is looked at, or the class scores when left out. */
  readonly probe?: number;
  /** Step of the differences, in units of the image; a tenth along the gradient, where the scores change most. */
  readonly step: number;
  /** Largest error of a derivative, as part of the length of the gradient times that of an average part of the direction. */
  readonly tolerance: number;
  /** With UNITSCOPE_FULL=1 only. */
  readonly full?: boolean;
}

/**
 * Smooth networks agree until rounding ends it. In a network of ReLU and hard swish some corner lies within every step and
 * adds an error, the more the deeper it goes: behind three blocks up to 2 % at this step, which a smaller one loses in rounding.
 */
const CASES: readonly Case[] = [
  { name: 'efficientnet_b0', opset: 15, side: 64, step: 3e-3, tolerance: 1e-3 },
  { name: 'mobilenet_v3_small', opset: 14, side: 64, probe: 1, step: 3e-4, tolerance: 0.05, full: true },
  { name: 'convnext_tiny', opset: 13, side: 32, step: 1e-2, tolerance: 5e-4, full: true },
  { name: 'convnext_tiny', opset: 20, side: 32, step: 1e-2, tolerance: 5e-4, full: true },
];

/** Five points in a row: the error of the difference falls with the fourth power of the step. */
const POINTS = [[-2, 1 / 12], [-1, -8 / 12], [1, 8 / 12], [2, -1 / 12]] as const;

const engine = useEngine();
const report: string[] = [];
afterAll(() => console.log(['errors of derivatives along the gradient and along random directions', ...report].join('\n  ')));

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const length = (a: Float32Array): number => Math.sqrt(dot(a, a));

/** d (seed . layer) / d x. */
async function gradientOf(model: Exporter, from: string, x: Tensor, seed: Float32Array): Promise<Float32Array> {
  const network = await loadNetwork([{ name: 'exported.onnx', bytes: model.bytes() }]);
  const runner = await Runner.create(engine(), compile(network, { layers: [from], backward: { from, rule: 'gradient' }, capabilities: engine().capabilities }));
  try {
    feed(runner, network, x);
    runner.write('seed', seed);
    runner.run(['forward', 'backward']);
    return (await runner.read(`d ${model.input.name}`)).data;
  } finally {
    runner.dispose();
  }
}

test.each(CASES.filter(({ full = false }) => process.env.UNITSCOPE_FULL === '1' || !full))('$name, opset $opset', async ({ name, opset, side, probe = -1, step, tolerance }) => {
  const { build }: Architecture = ARCHITECTURES[name];
  const model = build(new Exporter({ opset, input: [1, 3, side, side], fold: true }), {});
  const x = picture('a', model.input.shape);
  const target = model.checked.at(probe)!;
  const seed = formulaTensor('seed', target.shape, 1).data;
  const gradient = await gradientOf(model, target.name, x, seed);
  const size = length(gradient);

  const oracle = await OrtModel.create(model.bytes([target]));
  const score = async (direction: Float32Array, by: number): Promise<number> => {
    const moved = { shape: x.shape, data: x.data.map((value, i) => value + by * direction[i]!) };
    return dot((await oracle.run(moved)).get(target.name)!.data, seed);
  };
  const errorAlong = async (direction: Float32Array, by: number): Promise<number> => {
    let difference = 0;
    for (const [offset, weight] of POINTS) difference += (weight / by) * (await score(direction, offset * by));
    return Math.abs(difference - dot(gradient, direction));
  };
  // All directions have elements of mean square 1.
  const spread = Math.sqrt(x.data.length);
  const errors = [(await errorAlong(gradient.map((value) => (value / size) * spread), step / 10)) / (size * spread)];
  for (const direction of ['left', 'right', 'up']) errors.push((await errorAlong(formulaTensor(direction, x.shape, Math.sqrt(3)).data, step)) / size);
  await oracle.dispose();
  report.push(`${name}, opset ${opset}: ${errors.map((error) => error.toExponential(1)).join(', ')} of ${size.toFixed(1)}`);
  for (const error of errors) expect(error).toBeLessThanOrEqual(tolerance);
});
