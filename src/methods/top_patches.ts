/**
 * The pictures of a set that every unit of a layer answers most: of each picture one winner per channel, the first place
 * of the channel's maximum; of each channel the first N by value, of equal values the earlier picture first. The lists
 * stay on the GPU from picture to picture. What is no number never wins.
 */
import { ENTRY } from '../../shaders/top_patches.wgsl.ts';
import { keyValue, NOTHING } from '../../shaders/order_key.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Network, Preprocess } from '../network/network.ts';
import { recordTop, topShape } from '../scheduler/survey.ts';
import type { Method } from './method.ts';
import { pictureBatches, type BatchOptions, type PictureSet } from './pictures.ts';
import { openSurvey, PICTURES, pictureWords, surveyedLayers } from './survey.ts';
import { layerShape, mapShape } from './unit.ts';

export const TOP_PATCHES_METHOD: Method = {
  name: 'top',
  summary: 'find the patches of pictures that units answer most',
  source: 'Zeiler and Fergus 2014; Yosinski et al. 2015',
  takes: 'pictures',
};

export interface TopOptions {
  /** By name; `surveyedLayers` makes them. */
  readonly layers: readonly string[];
  readonly preprocess: Preprocess;
  /** Pictures per channel, 9 unless told. */
  readonly count?: number;
  /** Pictures at once; fewer where the device has no room. */
  readonly batch?: number;
  /** Where an earlier run over the same set has come to. */
  readonly resume?: TopState | undefined;
  /** Stops it between two batches: what it yields last says how far it came. */
  readonly signal?: AbortSignal | undefined;
  readonly broken?: BatchOptions['broken'];
}

/** How far a run has come: all that it needs to go on. */
export interface TopState {
  /** The first picture that was not looked at. */
  readonly next: number;
  /** By layer: [C, N, 3] u32, see top_patches.wgsl.ts. */
  readonly lists: ReadonlyMap<string, Uint32Array>;
}

export interface TopProgress {
  /** Pictures that were looked at, or could not be. */
  readonly done: number;
  readonly total: number;
  /** Reads the lists back; until the next progress is asked for. */
  state(): Promise<TopState>;
}

/** Goes once through the pictures. @throws usage, unknown-layer, limit, and as pictures do that nobody is told of */
export async function* topPatches(engine: Engine, network: Network, set: PictureSet, options: TopOptions): AsyncGenerator<TopProgress, void, undefined> {
  const { preprocess, count = 9, resume, signal, broken } = options;
  if (!Number.isInteger(count) || count < 1) throw new UnitscopeError('usage', `a unit has a whole number of patches from 1 on, got ${count}`);
  const layers = surveyedLayers(network, options.layers);
  const { runner, batch, input, shape } = await openSurvey(engine, network, { layers, batch: options.batch ?? 8 }, (builder, layer, y, pictures) =>
    recordTop(builder.recorder('survey', layer, 'top'), y, pictures, builder.persistent(listName(layer), topShape(y, count), 'u32')),
  );
  const total = set.pictures.length;
  const at = (done: number): TopProgress => ({
    done,
    total,
    async state() {
      const lists = new Map<string, Uint32Array>();
      for (const layer of layers) lists.set(layer, new Uint32Array(await runner.readBytes(listName(layer))));
      return { next: done, lists };
    },
  });
  let done = resume?.next ?? 0;
  let before: Promise<void> | undefined;
  try {
    for (const layer of layers) runner.write(listName(layer), startOf(layer, runner.tensor(listName(layer)).shape, resume));
    for await (const { indices, x } of pictureBatches(set, { batch, preprocess, shape, from: done, signal, broken })) {
      runner.write(input, x.data);
      runner.write(PICTURES, pictureWords(indices, batch));
      runner.run(['forward', 'survey']);
      const now = engine.idle();
      now.catch(() => undefined); // whoever waits for it is told
      // The next pictures are read while the GPU works, but no more than one batch waits for it.
      await before;
      before = now;
      done = indices.at(-1)! + 1;
      yield at(done);
    }
    // The last pictures may be broken ones, which no batch has.
    if (done < total) yield at((done = total));
    await before;
  } catch (error) {
    if (!signal?.aborted || !(error instanceof UnitscopeError) || error.code !== 'aborted') throw error;
    yield at(done);
  } finally {
    runner.dispose();
  }
}

const listName = (layer: string): string => `top ${layer}`;

/** A layer's list before the first batch. @throws usage where it is not that of an earlier run */
function startOf(layer: string, shape: readonly number[], resume: TopState | undefined): Uint32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  const list = resume ? resume.lists.get(layer) : new Uint32Array(length);
  if (list?.length !== length) throw new UnitscopeError('usage', `the state to go on from has no list [${shape}] of '${layer}'`, { layer });
  return list;
}

/** One of the best answers of a unit. */
export interface Winner {
  readonly value: number;
  /** Index into the pictures of the set. */
  readonly picture: number;
  /** Place in the map; 0, 0 where the layer has none. */
  readonly y: number;
  readonly x: number;
}

/** The winners of every channel of a layer, best first; fewer than N where there were fewer pictures. */
export function winnersOf(network: Network, layer: string, list: Uint32Array): Winner[][] {
  const [channels, , width] = mapShape(layerShape(network, layer));
  const words = list.length / channels;
  return Array.from({ length: channels }, (_, channel) => {
    const winners: Winner[] = [];
    for (let at = channel * words; at < (channel + 1) * words && list[at + ENTRY.key] !== NOTHING; at += ENTRY.words) {
      const place = list[at + ENTRY.place]!;
      winners.push({ value: keyValue(list[at + ENTRY.key]!), picture: list[at + ENTRY.picture]!, y: Math.floor(place / width), x: place % width });
    }
    return winners;
  });
}
