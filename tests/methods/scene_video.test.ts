/** Scenes as a film: reproducible frames that move, one runner per class, and no memory left behind. */
import { expect, test, vi } from 'vitest';
import type { Image } from '../../src/index.ts';
import { renderScenes, SceneVideo, SCENE_CLASSES } from '../../src/index.ts';
import { useEngine } from '../gpu.ts';

const engine = useEngine();

const FISH = SCENE_CLASSES.indexOf('fish');
const WAVES = SCENE_CLASSES.indexOf('waves');

const meanChange = (a: Image, b: Image): number => a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]!), 0) / a.data.length;

test('frames follow time, smoothly; the same class, seed and time are the same bytes', async () => {
  const video = new SceneVideo(engine(), 32);
  const draw = (number: number, seed: number, time: number): Promise<Image> => video.frame({ class: number, seed, time });
  const [first, next, late] = [await draw(FISH, 5, 0), await draw(FISH, 5, 1 / 30), await draw(FISH, 5, 4)];
  expect(first).toMatchObject({ width: 32, height: 32 });
  expect(meanChange(first, next)).toBeGreaterThan(0);
  expect(meanChange(first, next)).toBeLessThan(2);
  expect(meanChange(first, late)).toBeGreaterThan(meanChange(first, next));
  const [waves, other] = [await draw(WAVES, 5, 4), await draw(FISH, 6, 4)];
  expect(meanChange(waves, late)).toBeGreaterThan(2);
  expect(meanChange(other, late)).toBeGreaterThan(2);
  expect((await draw(FISH, 5, 4)).data).toEqual(late.data);
  // They are the pictures that are rendered in batches.
  const items = [{ class: FISH, seed: 5, time: 4 }, { class: WAVES, seed: 5, time: 4 }];
  for await (const { index, image } of renderScenes(engine(), { items, size: 32 })) expect(image.data).toEqual([late, waves][index]!.data);
  video.dispose();
});

test('frames that are asked for at once are each their own', async () => {
  const video = new SceneVideo(engine(), 32);
  const at = [0, 1, 2, 0].map((time) => ({ class: FISH, seed: 7, time }));
  const together = await Promise.all(at.map((item) => video.frame(item)));
  for (const [n, item] of at.entries()) expect(together[n]!.data).toEqual((await video.frame(item)).data);
  expect(together[1]!.data).not.toEqual(together[0]!.data);
  video.dispose();
});

test('a class is made once, and again where it failed', async () => {
  const compile = vi.spyOn(engine().pipelines, 'compile');
  const video = new SceneVideo(engine(), 32);
  compile.mockRejectedValueOnce(new Error('planted'));
  await expect(video.prepare(FISH)).rejects.toThrow('planted');
  await video.prepare(FISH);
  const before = compile.mock.calls.length;
  const held = engine().memory();
  for (const time of [0, 1, 2]) await video.frame({ class: FISH, seed: 1, time });
  expect(compile.mock.calls.length).toBe(before);
  expect(engine().memory()).toEqual(held);
  compile.mockRestore();
  video.dispose();
});

test('dispose frees the GPU memory, of classes in the making too', async () => {
  const before = engine().memory();
  const video = new SceneVideo(engine(), 32);
  await video.frame({ class: FISH, seed: 1 });
  expect(engine().memory().bytes).toBeGreaterThan(before.bytes);
  const pending = Promise.allSettled([video.prepare(WAVES), video.frame({ class: WAVES, seed: 1 }), video.frame({ class: FISH, seed: 1, time: 1 })]);
  video.dispose();
  video.dispose();
  const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'usage' }) as Error };
  expect(await pending).toMatchObject([{ status: 'fulfilled' }, refused, refused]);
  expect(engine().memory()).toEqual(before);
  await expect(video.frame({ class: FISH, seed: 1 })).rejects.toMatchObject({ code: 'usage' });
});

test('what is no scene is refused', async () => {
  expect(() => new SceneVideo(engine(), 8)).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  const video = new SceneVideo(engine(), 32);
  for (const wrong of [{ class: 16 }, { class: -1 }, { seed: 0.5 }, { seed: 2 ** 32 }, { time: NaN }]) {
    await expect(video.frame({ class: FISH, seed: 1, ...wrong })).rejects.toMatchObject({ code: 'usage' });
  }
  video.dispose();
});
