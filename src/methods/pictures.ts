/** Sets of pictures that a method goes through, a batch after another. Where they come from is their owner's business. */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Image } from '../image/image.ts';
import { preprocess } from '../image/preprocess.ts';
import type { Preprocess, Shape, Tensor } from '../network/network.ts';
import { renderScenes, SCENE_CLASSES, SCENE_SIZE } from './scenes.ts';

export interface Picture {
  /** Tells it from the others of its set: a path in a folder, `class/seed`. */
  readonly name: string;
  /** Index into the labels of its set; absent where the set has none. */
  readonly label?: number;
  /** @throws image-decode, io, aborted */
  read(signal?: AbortSignal): Promise<Image>;
}

export interface PictureSet {
  /** Names of the classes; empty where pictures have none. */
  readonly labels: readonly string[];
  readonly pictures: readonly Picture[];
}

export interface PictureBatch {
  /** Which pictures of the set: at most as many as the batch holds. */
  readonly indices: readonly number[];
  /** [batch, C, H, W], network units; images past `indices` are zero. */
  readonly x: Tensor;
  readonly images: readonly Image[];
}

export interface BatchOptions {
  readonly batch: number;
  readonly preprocess: Preprocess;
  /** [N, C, H, W] of the network's input; its N does not matter. */
  readonly shape: Shape;
  /** The first picture that is wanted: where an earlier run has come to. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A picture that cannot be read is told here, with its index, and left out. Without it, it throws. */
  readonly broken?: ((picture: Picture, error: UnitscopeError, index: number) => void) | undefined;
}

/** Codes of errors that say something of one picture alone. */
export const OF_A_PICTURE: readonly string[] = ['image-decode', 'io'];

/** The pictures in their order, each batch as full as what can be read allows; the last may be short. @throws aborted, usage */
export async function* pictureBatches(set: PictureSet, options: BatchOptions): AsyncGenerator<PictureBatch, void, undefined> {
  const { batch, shape, signal, from = 0, broken } = options;
  if (!Number.isInteger(batch) || batch < 1) throw new UnitscopeError('usage', `a batch is a whole number of pictures from 1 on, got ${batch}`);
  const image = shape.slice(1).reduce((product, size) => product * size, 1);
  const one = [1, ...shape.slice(1)];
  let [indices, images, data]: [number[], Image[], Float32Array] = [[], [], new Float32Array(batch * image)];
  const full = (): PictureBatch => ({ indices, images, x: { shape: [batch, ...shape.slice(1)], data } });
  for (let index = from; index < set.pictures.length; index++) {
    throwIfAborted(signal);
    const picture = set.pictures[index]!;
    try {
      const seen = await picture.read(signal);
      data.set(preprocess(seen, options.preprocess, one).data, indices.length * image);
      indices.push(index);
      images.push(seen);
    } catch (error) {
      if (!broken || !(error instanceof UnitscopeError) || !OF_A_PICTURE.includes(error.code)) throw error;
      broken(picture, error, index);
    }
    if (indices.length < batch) continue;
    yield full();
    [indices, images, data] = [[], [], new Float32Array(batch * image)];
  }
  if (indices.length > 0) yield full();
}

/** Pictures that are drawn together. */
const BLOCK = 16;

/**
 * Scenes as a set: `count` pictures of every class from the seed on, class by class. A block of them is drawn when one of it is read.
 * @param classes numbers of scene classes; label k is the k-th of them
 */
export function scenePictures(engine: Engine, options: { readonly count: number; readonly seed?: number; readonly size?: number; readonly classes?: readonly number[] }): PictureSet {
  const { count, seed = 0, size = SCENE_SIZE, classes = SCENE_CLASSES.map((_, number) => number) } = options;
  let block: { readonly first: number; readonly images: Promise<Image[]> } | undefined;
  const items = classes.flatMap((number, label) => Array.from({ length: count }, (_, n) => ({ class: number, label, seed: seed + n })));
  const draw = async (first: number, signal?: AbortSignal): Promise<Image[]> => {
    const images: Image[] = [];
    for await (const { index, image } of renderScenes(engine, { items: items.slice(first, first + BLOCK), size, signal })) images[index] = image;
    return images;
  };
  return {
    labels: classes.map((number) => SCENE_CLASSES[number]!),
    pictures: items.map((item, n) => ({
      name: `${SCENE_CLASSES[item.class]}/${item.seed}`,
      label: item.label,
      async read(signal) {
        const first = n - (n % BLOCK);
        if (block?.first !== first) block = { first, images: draw(first, signal) };
        const { images } = block;
        try {
          return (await images)[n - first]!;
        } catch (error) {
          block = undefined; // what failed is tried again
          throw error;
        }
      },
    })),
  };
}
