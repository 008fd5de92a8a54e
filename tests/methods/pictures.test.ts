/** Sets of pictures in batches: order, broken ones, where it goes on; scenes as a set. */
import { describe, expect, test } from 'vitest';
import { UnitscopeError, type ErrorCode } from '../../src/errors.ts';
import { preprocess } from '../../src/image/preprocess.ts';
import { pictureBatches, scenePictures, type BatchOptions, type PictureBatch, type PictureSet } from '../../src/methods/pictures.ts';
import { renderScenes } from '../../src/methods/scenes.ts';
import { useEngine } from '../gpu.ts';
import { INPUT, noise, pictureSet, WAY } from './plain_network.ts';

const engine = useEngine();

const images = Array.from({ length: 7 }, (_, n) => noise(n));
const options = { batch: 3, preprocess: WAY, shape: INPUT };
const size = 3 * 12 * 10;

/** The set, with an error in place of some pictures. */
function withFaults(code: ErrorCode, ...at: number[]): PictureSet {
  const { pictures, labels } = pictureSet(images);
  const read = () => Promise.reject(new UnitscopeError(code, 'no picture'));
  return { labels, pictures: pictures.map((picture, n) => (at.includes(n) ? { ...picture, read } : picture)) };
}

async function all(set: PictureSet, more: Partial<BatchOptions> = {}): Promise<PictureBatch[]> {
  const found: PictureBatch[] = [];
  for await (const batch of pictureBatches(set, { ...options, ...more })) found.push(batch);
  return found;
}

const indicesOf = (batches: readonly PictureBatch[]): number[][] => batches.map(({ indices }) => [...indices]);

/** Each image of a batch is that of its picture, and what no picture fills is 0. */
function checkImages(batches: readonly PictureBatch[]): void {
  for (const { indices, x, images: seen } of batches) {
    expect(x.shape).toEqual([3, 3, 12, 10]);
    indices.forEach((index, n) => {
      expect(seen[n]).toBe(images[index]);
      expect(x.data.slice(n * size, (n + 1) * size)).toEqual(preprocess(images[index]!, WAY, INPUT).data);
    });
    expect(x.data.slice(indices.length * size).every((value) => value === 0)).toBe(true);
  }
}

describe('batches', () => {
  test('have the pictures in their order; the last may be short', async () => {
    const batches = await all(pictureSet(images));
    expect(indicesOf(batches)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    checkImages(batches);
    expect(indicesOf(await all(pictureSet(images.slice(0, 6))))).toEqual([[0, 1, 2], [3, 4, 5]]);
    expect(await all(pictureSet([]))).toEqual([]);
  });

  test('go on from a picture', async () => {
    expect(indicesOf(await all(pictureSet(images), { from: 4 }))).toEqual([[4, 5, 6]]);
    expect(await all(pictureSet(images), { from: 7 })).toEqual([]);
  });

  test.each<ErrorCode>(['image-decode', 'io'])('leave out what cannot be read (%s), say which, and fill up with the next', async (code) => {
    const told: [string, string, number][] = [];
    const batches = await all(withFaults(code, 1, 2, 6), { broken: ({ name }, error, index) => told.push([name, error.code, index]) });
    expect(indicesOf(batches)).toEqual([[0, 3, 4], [5]]);
    checkImages(batches);
    expect(told).toEqual([1, 2, 6].map((n) => [`picture ${n}`, code, n]));
    expect(await all(withFaults(code, 0, 1, 2, 3, 4, 5, 6), { broken: () => undefined })).toEqual([]);
  });

  test('throw where nobody wants to be told, and what is more than one picture’s fault', async () => {
    await expect(all(withFaults('io', 1))).rejects.toMatchObject({ code: 'io' });
    await expect(all(withFaults('device-lost', 1), { broken: () => undefined })).rejects.toMatchObject({ code: 'device-lost' });
    const odd = { ...pictureSet(images), pictures: [{ name: 'odd', read: () => Promise.reject(new TypeError('a bug')) }] };
    await expect(all(odd, { broken: () => undefined })).rejects.toThrow(TypeError);
    await expect(all(pictureSet(images), { batch: 0 })).rejects.toMatchObject({ code: 'usage' });
    await expect(all(pictureSet(images), { shape: [1, 1, 12, 10] })).rejects.toMatchObject({ code: 'usage' });
  });

  test('stop on request', async () => {
    const stop = new AbortController();
    const batches = pictureBatches(pictureSet(images), { ...options, signal: stop.signal });
    expect((await batches.next()).value).toMatchObject({ indices: [0, 1, 2] });
    stop.abort();
    await expect(batches.next()).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('scenes', () => {
  /** One class under two labels: one kernel to compile. */
  const few = { count: 9, seed: 40, size: 16, classes: [13, 13] };

  test('are a set of classes, picture by picture those that are drawn', async () => {
    const set = scenePictures(engine(), few);
    expect(set.labels).toEqual(['checkers', 'checkers']);
    expect(set.pictures.map(({ name, label }) => `${name} ${label}`)).toEqual([
      ...Array.from({ length: 9 }, (_, n) => `checkers/${40 + n} 0`), ...Array.from({ length: 9 }, (_, n) => `checkers/${40 + n} 1`),
    ]);
    // Back and forth between the blocks that are drawn together.
    const items = [17, 3, 16, 0, 15].map((n) => ({ n, class: 13, seed: 40 + (n % 9) }));
    const drawn: Uint8ClampedArray[] = [];
    for await (const { index, image } of renderScenes(engine(), { items, size: 16 })) drawn[index] = image.data;
    for (const [at, { n }] of items.entries()) expect((await set.pictures[n]!.read()).data, set.pictures[n]!.name).toEqual(drawn[at]);
  });

  test('one block is drawn once, and again after it failed', async () => {
    const set = scenePictures(engine(), few);
    const stop = new AbortController();
    stop.abort();
    await expect(set.pictures[1]!.read(stop.signal)).rejects.toMatchObject({ code: 'aborted' });
    const { submissions } = engine().counters;
    const [first, again] = await Promise.all([set.pictures[1]!.read(), set.pictures[1]!.read()]);
    expect(again).toBe(first);
    const spent = engine().counters.submissions - submissions;
    await Promise.all([0, 5, 15].map((n) => set.pictures[n]!.read()));
    expect(engine().counters.submissions - submissions).toBe(spent);
  });
});
