/**
 * Patches: what units saw of pictures, cut from the network's input, and what of it moved them: the gradient of the unit by
 * a rule of backward ReLU, cut likewise. Outside of the unit's receptive field that gradient is zero.
 */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { preprocess } from '../image/preprocess.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import type { ReluRule } from '../ops/op.ts';
import { compile } from '../scheduler/compile.ts';
import { Runner } from '../scheduler/runner.ts';
import { oneHot } from './gradient.ts';
import { OF_A_PICTURE, type BatchOptions, type PictureSet } from './pictures.ts';
import type { Unit } from './unit.ts';
import { unitFields, type Rectangle } from './unit_field.ts';

export interface PatchRequest {
  /** Index into the pictures of the set. */
  readonly picture: number;
  readonly unit: Unit;
}

export interface PatchOptions {
  readonly layer: string;
  /** In this order; a picture is read once where its requests follow each other. */
  readonly requests: readonly PatchRequest[];
  readonly preprocess: Preprocess;
  /** How ReLU lets the gradient through; without it there is none. */
  readonly rule?: ReluRule | undefined;
  /** Patches at once. */
  readonly batch?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of a picture that cannot be read; without it, that throws. */
  readonly broken?: BatchOptions['broken'];
}

export interface Patch {
  /** Which of the requests. */
  readonly request: number;
  readonly rectangle: Rectangle;
  /** [1, C, h, w], network units: the rectangle, 0 (the mean colour) outside of the picture. Absent where the picture is broken. */
  readonly x?: Tensor;
  /** The same of the gradient. */
  readonly gradient?: Tensor;
}

/** A rectangle of image n of x [N, C, H, W] as [1, C, h, w]; 0 where it lies outside. */
export function cropTensor({ shape, data }: Tensor, n: number, { top, left, height, width }: Rectangle): Tensor {
  const [, channels, H, W] = shape as [number, number, number, number];
  const crop = new Float32Array(channels * height * width);
  const [from, to] = [Math.max(0, left), Math.min(W, left + width)];
  for (let c = 0; c < channels && from < to; c++) {
    for (let y = Math.max(0, top); y < Math.min(H, top + height); y++) {
      const row = ((n * channels + c) * H + y) * W;
      crop.set(data.subarray(row + from, row + to), (c * height + y - top) * width + from - left);
    }
  }
  return { shape: [1, channels, height, width], data: crop };
}

/** @throws usage, unknown-layer, no-gradient, limit, out-of-memory, aborted, and as pictures do that nobody is told of */
export async function* patches(engine: Engine, network: Network, set: PictureSet, options: PatchOptions): AsyncGenerator<Patch, void, undefined> {
  const { layer, requests, rule, signal, broken, batch = 8 } = options;
  const field = unitFields(network, layer);
  const [input] = network.inputs;
  const shape = [1, ...input!.shape.slice(1)];
  const image = shape.reduce((product, size) => product * size, 1);
  const runner =
    rule && requests.length > 0
      ? await Runner.create(engine, compile(network, { batch, layers: [layer], backward: { from: layer, rule }, capabilities: engine.capabilities }))
      : undefined;
  let last: { readonly picture: number; readonly x: Tensor | undefined } | undefined;
  const read = async (picture: number): Promise<Tensor | undefined> => {
    if (last?.picture !== picture) last = { picture, x: await inputOf(set, picture, shape, options, broken) };
    return last.x;
  };
  try {
    for (let from = 0; from < requests.length; from += batch) {
      throwIfAborted(signal);
      const own = requests.slice(from, from + batch);
      const inputs: (Tensor | undefined)[] = [];
      for (const { picture } of own) inputs.push(await read(picture));
      const x = new Float32Array(batch * image);
      inputs.forEach((tensor, n) => tensor && x.set(tensor.data, n * image));
      const dx = runner && (await gradientsOf(runner, input!.name, x, own));
      for (const [n, { unit }] of own.entries()) {
        const rectangle = field(unit);
        const seen = inputs[n];
        yield { request: from + n, rectangle, ...(seen && { x: cropTensor(seen, 0, rectangle) }), ...(seen && dx && { gradient: cropTensor(dx, n, rectangle) }) };
      }
    }
  } finally {
    runner?.dispose();
  }
}

/** The gradient of each request's unit; images of the batch that have none stay without. */
async function gradientsOf(runner: Runner, input: string, x: Float32Array, requests: readonly PatchRequest[]): Promise<Tensor> {
  const { shape } = runner.tensor('seed');
  const seed = new Float32Array(shape.reduce((product, size) => product * size, 1));
  seed.set(oneHot(requests.map(({ unit }) => unit), shape));
  runner.write(input, x);
  runner.write('seed', seed);
  runner.run(['forward', 'backward']);
  return runner.read(`d ${input}`);
}

async function inputOf(set: PictureSet, index: number, shape: readonly number[], { preprocess: way, signal }: PatchOptions, broken: PatchOptions['broken']): Promise<Tensor | undefined> {
  const picture = set.pictures[index];
  if (!picture) throw new UnitscopeError('usage', `the set has no picture ${index}`);
  try {
    return preprocess(await picture.read(signal), way, shape);
  } catch (error) {
    if (!broken || !(error instanceof UnitscopeError) || !OF_A_PICTURE.includes(error.code)) throw error;
    broken(picture, error, index);
    return undefined;
  }
}
