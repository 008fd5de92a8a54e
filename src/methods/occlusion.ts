/**
 * Occlusion: a patch slides over the picture, and what the network says of each covered picture tells where its evidence lies.
 * The covered pictures are made on the GPU, a batch at a time; one number of each comes back.
 */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import { elements } from '../ops/shape.ts';
import { stage } from '../scheduler/compile.ts';
import { recordOcclude, recordPick } from '../scheduler/occlude.ts';
import { Runner } from '../scheduler/runner.ts';
import { classLayers } from './activations.ts';
import { inFlight } from './flights.ts';
import type { Method } from './method.ts';
import { occlusionFill, type Fill } from './occlusion_fill.ts';
import { checkClass, withProbabilities } from './probabilities.ts';
import { parseUnit, unitIndex, unitName, type Unit } from './unit.ts';

export const OCCLUSION_METHOD: Method = {
  name: 'occlude',
  summary: 'slide a patch over a picture and see where the evidence for a class lies',
  source: 'Zeiler and Fergus 2014',
  takes: 'picture',
};

/** The published patch and step, for a picture of 227 pixels. */
const PUBLISHED = { side: 227, patch: 32, stride: 16 } as const;

/** A processor gains nothing from a batch, and whoever stops it would wait for it. */
const BATCH = { software: 2, gpu: 16 } as const;

export interface OcclusionOptions {
  /** Whose activation is watched. A score before the softmax stands for its probability. */
  readonly unit?: string | Unit;
  /** In place of a unit, the class whose probability is watched; the one that the network names, unless given. */
  readonly class?: number;
  /** Side of the patch and step between two of them, pixels; 32 and 16 of 227 unless given. */
  readonly patch?: number;
  readonly stride?: number;
  readonly fill?: Fill;
  /** Of the fill `noise`. */
  readonly seed?: number;
  /** Covered pictures that run at once; 16 unless given, 2 on a software adapter. */
  readonly batch?: number;
  /** Overrides the network's own. */
  readonly preprocess?: Preprocess | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OcclusionMap {
  readonly unit: string;
  /** Index of the class, where the score is its probability. */
  readonly class?: number;
  readonly patch: number;
  readonly stride: number;
  /** First row of the patches of each row of the grid, and first column of those of each column: 0, stride, ... inside the picture. */
  readonly tops: readonly number[];
  readonly lefts: readonly number[];
  /** The score of the picture as it is. */
  readonly whole: number;
  /** [rows, columns] score of the picture under each patch; NaN where it has not come back yet. */
  readonly scores: Tensor;
  /** What the patches show, [1, C, H, W], network units. */
  readonly fill: Tensor;
}

export interface OcclusionProgress {
  /** Patches whose score is there. */
  readonly done: number;
  readonly total: number;
  /** Time since the first covered picture was begun, everything being compiled and uploaded. */
  readonly ms: number;
  /** Covered pictures that run at once. */
  readonly batch: number;
  /** Fills as it goes; complete in the last one. */
  readonly map: OcclusionMap;
}

interface Target {
  readonly network: Network;
  readonly layer: string;
  /** Absent where it is the largest of the layer. */
  readonly unit?: Unit;
  readonly isClass: boolean;
}

function targetOf(network: Network, { unit, class: index }: OcclusionOptions): Target {
  if (unit !== undefined && index !== undefined) throw new UnitscopeError('usage', 'give a unit or a class, not both');
  if (unit === undefined) {
    const { network: whole, layer, classes } = withProbabilities(network);
    if (index !== undefined) checkClass(index, classes);
    return { network: whole, layer, isClass: true, ...(index !== undefined && { unit: { layer, channel: index, y: 0, x: 0 } }) };
  }
  const asked = typeof unit === 'string' ? parseUnit(network, unit) : unit;
  const { logits, softmax } = classLayers(network);
  const output = findNode(network, asked.layer).output;
  const isClass = softmax !== undefined && [logits, softmax].includes(output);
  const layer = isClass ? findNode(network, softmax).name : asked.layer;
  return { network, layer, unit: { ...asked, layer }, isClass };
}

/** @throws usage unless it is a whole number from 1 to `most` */
function sizeOf(name: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 1 || value > most) throw new UnitscopeError('usage', `${name} must be a whole number from 1 to ${most}, got ${value}`);
  return value;
}

const stops = (length: number, stride: number): number[] => Array.from({ length: Math.ceil(length / stride) }, (_, k) => k * stride);

/**
 * The map of one picture x [1, C, H, W]: patches begin at every row and column 0, stride, 2 stride, ... that lies in the
 * picture, and are cut off at its edges. Yields after every batch.
 * @throws usage, unknown-layer, aborted, limit, out-of-memory, device-lost
 */
export async function* occlusion(engine: Engine, network: Network, x: Tensor, options: OcclusionOptions = {}): AsyncGenerator<OcclusionProgress, void, undefined> {
  const { fill: kind = 'mean', seed = 0, preprocess = network.preprocess, signal } = options;
  const [count, channels, height, width] = x.shape;
  if (x.shape.length !== 4 || count !== 1 || !channels || !height || !width) throw new UnitscopeError('usage', `occlusion takes one picture [1, C, H, W], got [${x.shape.join(', ')}]`);
  const scaled = (size: number): number => Math.max(1, Math.round((size * Math.min(height, width)) / PUBLISHED.side));
  const patch = sizeOf('patch', options.patch ?? scaled(PUBLISHED.patch), Math.max(height, width));
  const stride = sizeOf('stride', options.stride ?? scaled(PUBLISHED.stride), Math.max(height, width));
  const [tops, lefts] = [stops(height, stride), stops(width, stride)];
  const total = tops.length * lefts.length;
  const batch = Math.min(sizeOf('batch', options.batch ?? BATCH[engine.capabilities.software ? 'software' : 'gpu'], 4096), total);
  const target = targetOf(network, options);
  const fill = occlusionFill(kind, x, { patch, seed, preprocess });
  const runner = await prepare(engine, target, x, { batch, patch });
  try {
    throwIfAborted(signal);
    runner.write('occlusion/picture', x.data);
    runner.write('occlusion/fill', fill.data);
    // A patch that begins past the last row covers nothing.
    const nowhere = new Uint32Array(2 * batch).fill(height);
    runner.write('occlusion/places', nowhere);
    runner.run(['occlude', 'forward']);
    const { shape } = runner.tensor(target.layer);
    const unit = target.unit ?? { layer: target.layer, channel: await argmax(runner, target.layer), y: 0, x: 0 };
    const layer = elements(shape) / batch;
    runner.write('occlusion/at', Uint32Array.from({ length: batch }, (_, n) => n * layer + unitIndex(unit, shape) + 1));
    runner.run(['score']);
    const whole = (await runner.read('occlusion/scores')).data[0]!;
    const scores = { shape: [tops.length, lefts.length], data: new Float32Array(total).fill(NaN) };
    const map: OcclusionMap = { unit: unitName(unit, shape), ...(target.isClass && { class: unit.channel }), patch, stride, tops, lefts, whole, scores, fill };
    const begin = performance.now();
    let done = 0;
    const launch = (piece: number): Promise<Tensor> => {
      const places = nowhere.slice();
      for (let n = 0; n < Math.min(batch, total - piece * batch); n++) {
        const at = piece * batch + n;
        places.set([tops[Math.floor(at / lefts.length)]!, lefts[at % lefts.length]!], 2 * n);
      }
      runner.write('occlusion/places', places);
      runner.run(['occlude', 'forward', 'score']);
      return runner.read('occlusion/scores');
    };
    for await (const { data } of inFlight(Math.ceil(total / batch), launch, signal)) {
      scores.data.set(data.subarray(0, total - done), done);
      done = Math.min(done + batch, total);
      yield { done, total, ms: performance.now() - begin, batch, map };
    }
  } finally {
    runner.dispose();
  }
}

async function prepare(engine: Engine, { network, layer }: Target, x: Tensor, { batch, patch }: { readonly batch: number; readonly patch: number }): Promise<Runner> {
  const s = stage(network, { batch, layers: [layer], capabilities: engine.capabilities, training: false });
  const inputs = [...s.inputs];
  const [name, input] = inputs[0]!;
  if (inputs.length !== 1 || input.shape.length !== 4 || input.shape.slice(1).join() !== x.shape.slice(1).join()) {
    throw new UnitscopeError('usage', `occlusion needs one input of the picture's shape [${x.shape.slice(1).join(', ')}], '${name}' is [${input.shape.join(', ')}]`);
  }
  const { builder } = s;
  const picture = builder.persistent('occlusion/picture', x.shape);
  const fill = builder.persistent('occlusion/fill', x.shape);
  const places = builder.persistent('occlusion/places', [batch, 2], 'u32');
  const at = builder.persistent('occlusion/at', [batch], 'u32');
  const scores = builder.persistent('occlusion/scores', [batch]);
  recordOcclude(builder.recorder('occlude', 'picture', 'occlude'), { picture, fill, places, x: input }, { patch });
  recordPick(builder.recorder('score', 'unit', 'pick'), { y: s.layer(layer), at, scores });
  return Runner.create(engine, builder.build());
}

/** Index of the largest value of the first image of a layer. */
async function argmax(runner: Runner, layer: string): Promise<number> {
  const { shape, data } = await runner.read(layer);
  const row = data.subarray(0, data.length / shape[0]!);
  return row.reduce((best, value, k) => (value > row[best]! ? k : best), 0);
}

/** [rows, columns]: by how much each patch lowers the score. */
export const occlusionDrops = ({ scores, whole }: OcclusionMap): Tensor => ({ shape: scores.shape, data: scores.data.map((score) => whole - score) });

/** The patch that lowers the score most, the first of equal ones. */
export function worstPatch({ scores, tops, lefts }: OcclusionMap): { readonly top: number; readonly left: number; readonly score: number } {
  const at = scores.data.reduce((worst, score, n) => (score < scores.data[worst]! ? n : worst), 0);
  return { top: tops[Math.floor(at / lefts.length)]!, left: lefts[at % lefts.length]!, score: scores.data[at]! };
}

/** x [1, C, H, W] under a patch, as the network saw it. */
export function coveredPicture(x: Tensor, { fill, patch }: Pick<OcclusionMap, 'fill' | 'patch'>, { top, left }: { readonly top: number; readonly left: number }): Tensor {
  const [, , height, width] = x.shape as [number, number, number, number];
  const data = x.data.map((value, at) => {
    const [i, j] = [Math.floor(at / width) % height, at % width];
    return i >= top && i < top + patch && j >= left && j < left + patch ? fill.data[at]! : value;
  });
  return { shape: x.shape, data };
}
