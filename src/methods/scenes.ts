/**
 * The procedural world: pictures of 16 classes, each drawn by a compute shader from a class and an integer seed. The same
 * class, seed and size give the same picture, on every adapter within 1/255, wherever it lies in a batch.
 *   Seeds from TRAINING_SEEDS (2^31) on are for training; those below are never trained on: pictures to try a network with.
 * It draws; it knows no network.
 */
import { PAINTERS } from '../../shaders/scenes/index.ts';
import { sceneGrid, sceneKernel } from '../../shaders/scenes/scene.wgsl.ts';
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { createImage, type Image } from '../image/image.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { PlanBuilder } from '../scheduler/builder.ts';
import type { Plan } from '../scheduler/plan.ts';
import { Runner } from '../scheduler/runner.ts';

/** Names by class number. */
export const SCENE_CLASSES: readonly string[] = PAINTERS.map(({ name }) => name);

/** Side of a picture in pixels, unless told. */
export const SCENE_SIZE = 96;
export const SCENE_SIZES = { least: 16, most: 1024 } as const;

/** The first seed that training uses; held-out pictures have smaller ones. */
export const TRAINING_SEEDS = 2 ** 31;

/** About what a pixel costs, over the classes. */
const FLOPS = 700;

/** Pixels of one submission: below a second on a slow adapter. */
const SUBMISSION = 2 ** 20;

/** Pictures of one submission. */
const MOST = 64;

export interface SceneTensors {
  /** [N] u32. */
  readonly seeds: TensorRef;
  /** [N, 3, S, S] f32: RGB, 0..1 as a display shows it. */
  readonly images: TensorRef;
  /** [N] f32, seconds: the moment that a picture shows of its moving scene. Without it, all are still: second 0. */
  readonly frames?: TensorRef | undefined;
}

/**
 * Records the drawing of N pictures, one dispatch per run of equal classes.
 * @throws usage
 */
export function recordScenes(recorder: Recorder, { seeds, images, frames }: SceneTensors, { classes }: { readonly classes: readonly number[] }): void {
  const [count, channels, height, size] = images.shape as [number, number, number, number];
  checkSceneSize(size);
  if (images.shape.length !== 4 || channels !== 3 || height !== size) throw new UnitscopeError('usage', `scenes are drawn into [N, 3, S, S], not into [${images.shape.join(', ')}]`);
  if (classes.length !== count) throw new UnitscopeError('usage', `${count} pictures need as many classes, got ${classes.length}`);
  for (let first = 0; first < count; ) {
    const number = classes[first]!;
    checkSceneClass(number);
    const end = classes.findIndex((other, n) => n > first && other !== number);
    const kernel = { painter: PAINTERS[number]!, salt: saltOf(number), size, first, count: (end < 0 ? count : end) - first, timed: frames !== undefined };
    recorder.dispatch({
      kernel: `scenes/${kernel.painter.name}`,
      code: sceneKernel(kernel),
      tensors: { seeds, y: images, ...(frames && { frames }) },
      grid: sceneGrid(kernel),
      flops: FLOPS * kernel.count * size * size,
      part: kernel.painter.name,
    });
    first += kernel.count;
  }
}

/** Equal seeds of two classes share nothing: what is xored to the seeds of a class. */
const saltOf = (number: number): number => Math.imul(number + 1, 0x85ebca6b) >>> 0;

export interface SceneItem {
  /** Number of the class: an index into SCENE_CLASSES. */
  readonly class: number;
  /** u32. */
  readonly seed: number;
  /** Seconds; 0 unless told. */
  readonly time?: number | undefined;
}

export interface ScenesOptions {
  readonly items: readonly SceneItem[];
  readonly size?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RenderedScene {
  /** Which of the items. */
  readonly index: number;
  readonly image: Image;
}

/**
 * Draws pictures, class by class, and hands each one over as it is there.
 * @throws usage (wrong class, seed, time or size), aborted, limit, device-lost
 */
export async function* renderScenes(engine: Engine, { items, size = SCENE_SIZE, signal }: ScenesOptions): AsyncGenerator<RenderedScene, void, undefined> {
  checkSceneSize(size);
  items.forEach(checkScene);
  const most = Math.max(1, Math.min(MOST, Math.floor(SUBMISSION / (size * size))));
  const jobs = PAINTERS.flatMap((_, number) => {
    const own = items.flatMap((item, index) => (item.class === number ? [{ ...item, index }] : []));
    if (own.length === 0) return [];
    const batch = Math.min(own.length, most);
    return { own, batch, plan: scenePlan(engine, { number, batch, size, timed: own.some(({ time }) => time) }) };
  });
  // All kernels compile beside each other, and while pictures are drawn; what fails is told where it is used.
  for (const { plan } of jobs) for (const { label, code } of plan.passes.get('draw')!) engine.pipelines.compile(label, code).catch(() => undefined);
  for (const { own, batch, plan } of jobs) {
    throwIfAborted(signal);
    const runner = await Runner.create(engine, plan);
    try {
      for (let at = 0; at < own.length; at += batch) {
        throwIfAborted(signal);
        const part = own.slice(at, at + batch);
        runner.write('seeds', Uint32Array.from(part, ({ seed }) => seed));
        if (plan.named.has('frames')) runner.write('frames', Float32Array.from(part, ({ time = 0 }) => time));
        runner.run(['draw']);
        const { data } = await runner.read('images');
        for (const [n, { index }] of part.entries()) yield { index, image: pictureOf(data, size, n) };
      }
    } finally {
      runner.dispose();
    }
  }
}

/** The plan of `batch` pictures of one class in the pass `draw`: `seeds` (and `frames`) in, `images` out. */
export function scenePlan(engine: Engine, { number, batch, size, timed }: { number: number; batch: number; size: number; timed: boolean }): Plan {
  const plan = new PlanBuilder('scenes', batch, engine.capabilities);
  const seeds = plan.persistent('seeds', [batch], 'u32');
  const images = plan.persistent('images', [batch, 3, size, size]);
  const frames = timed ? plan.persistent('frames', [batch]) : undefined;
  recordScenes(plan.recorder('draw', 'scenes', 'scene'), { seeds, images, frames }, { classes: Array.from({ length: batch }, () => number) });
  return plan.build();
}

/** Picture n of [N, 3, S, S]. */
export function pictureOf(data: Float32Array, size: number, n: number): Image {
  const image = createImage(size, size);
  const plane = size * size;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * data[(3 * n + c) * plane + i]!;
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** @throws usage */
export function checkScene({ class: number, seed, time = 0 }: SceneItem): void {
  checkSceneClass(number);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) throw new UnitscopeError('usage', `the seed of a scene is a whole number from 0 to ${0xffffffff}, got ${seed}`);
  if (!(Math.abs(time) <= 1e5)) throw new UnitscopeError('usage', `the time of a scene is a number of seconds up to 100000, got ${time}`);
}

function checkSceneClass(number: number): void {
  if (PAINTERS[number]) return;
  throw new UnitscopeError('usage', `there is no class ${number} of scenes`, {}, `the classes are 0 (${SCENE_CLASSES[0]}) to ${PAINTERS.length - 1} (${SCENE_CLASSES.at(-1)})`);
}

/** @throws usage */
export function checkSceneSize(size: number): void {
  const { least, most } = SCENE_SIZES;
  if (!Number.isInteger(size) || size < least || size > most) throw new UnitscopeError('usage', `the side of a scene is a whole number of pixels from ${least} to ${most}, got ${size}`);
}
