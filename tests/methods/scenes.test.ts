/** The procedural world: reproducible, varied, in range, and not told apart by its mean colour. */
import { describe, expect, test } from 'vitest';
import { CURVES } from '../../shaders/scenes/curves.wgsl.ts';
import { GOLDEN, HASH } from '../../shaders/scenes/hash.wgsl.ts';
import { PAINTERS } from '../../shaders/scenes/index.ts';
import { sceneGrid, sceneKernel } from '../../shaders/scenes/scene.wgsl.ts';
import { SHAPES } from '../../shaders/scenes/shapes.wgsl.ts';
import type { Image } from '../../src/image/image.ts';
import { recordScenes, renderScenes, SCENE_CLASSES, TRAINING_SEEDS, type SceneItem } from '../../src/methods/scenes.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';

const engine = useEngine();

const SIZE = 32;
const EACH = 24;

async function render(items: readonly SceneItem[], size = SIZE): Promise<Image[]> {
  const images: Image[] = [];
  for await (const { index, image } of renderScenes(engine(), { items, size })) images[index] = image;
  return images;
}

/** The first half of the seeds are training's, the second half are held out. */
const seedOf = (n: number): number => (n < EACH / 2 ? TRAINING_SEEDS + n : n);
const world = SCENE_CLASSES.flatMap((_, number) => Array.from({ length: EACH }, (_, n) => ({ class: number, seed: seedOf(n) })));
let drawn: Promise<Image[]> | undefined;
/** Every class, EACH pictures of each. */
const all = (): Promise<Image[]> => (drawn ??= render(world));

const largestChange = (a: Image, b: Image): number => a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0);

test('there are 16 classes, in their order', () => {
  expect(SCENE_CLASSES).toEqual(
    ['flower', 'fish', 'eye', 'face', 'sun', 'house', 'tree', 'car', 'butterfly', 'snail', 'bricks', 'stripes', 'dots', 'checkers', 'spiral', 'waves'],
  );
});

describe('pictures', () => {
  test('of one class differ from seed to seed, and each has contrast', async () => {
    const images = await all();
    const texts = new Set(images.map(({ data }) => data.join()));
    expect(texts.size).toBe(images.length);
    for (const [n, { data }] of images.entries()) {
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
      const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
      expect(deviation, `${SCENE_CLASSES[world[n]!.class]} ${world[n]!.seed}`).toBeGreaterThan(8);
      for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) throw new Error('a picture is not opaque');
    }
  });

  test('are the same again, byte by byte', async () => {
    const items = world.slice(0, EACH);
    const [again, before] = [await render(items), await all()];
    again.forEach((image, n) => expect(image.data).toEqual(before[n]!.data));
  });

  test('are not told apart by their mean colour', async () => {
    const images = await all();
    const means = images.map(({ data }) => [0, 1, 2].map((c) => data.reduce((sum, value, i) => (i % 4 === c ? sum + value : sum), 0) / (SIZE * SIZE)));
    const centres = SCENE_CLASSES.map((_, number) => {
      const own = means.filter((_, n) => world[n]!.class === number && world[n]!.seed >= TRAINING_SEEDS);
      return [0, 1, 2].map((c) => own.reduce((sum, mean) => sum + mean[c]!, 0) / own.length);
    });
    const held = world.flatMap(({ class: number, seed }, n) => (seed < TRAINING_SEEDS ? [{ number, mean: means[n]! }] : []));
    const right = held.filter(({ number, mean }) => {
      const far = centres.map((centre) => centre.reduce((sum, value, c) => sum + (value - mean[c]!) ** 2, 0));
      return far.indexOf(Math.min(...far)) === number;
    });
    expect(right.length / held.length).toBeLessThan(0.4);
  });

  test('move smoothly: a frame later is almost the same, half a minute later is not', async () => {
    const items = [0, 1 / 60, 30].map((time) => ({ class: 1, seed: 5, time }));
    const [first, next, late] = (await render(items)) as [Image, Image, Image];
    const change = (a: Image, b: Image): number => a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]!), 0) / a.data.length;
    expect(change(first, next)).toBeGreaterThan(0);
    expect(change(first, next)).toBeLessThan(1);
    expect(change(first, late)).toBeGreaterThan(1);
    expect(largestChange(first, (await render([{ class: 1, seed: 5 }]))[0]!)).toBeLessThanOrEqual(1);
  });
});

describe('a batch', () => {
  const classes = [4, 4, 4, 13, 4];

  async function batch(seeds: readonly number[], size: number): Promise<Float32Array> {
    const plan = new PlanBuilder('scenes', seeds.length, engine().capabilities);
    const tensors = { seeds: plan.persistent('seeds', [seeds.length], 'u32'), images: plan.persistent('images', [seeds.length, 3, size, size]) };
    recordScenes(plan.recorder('draw', 'scenes', 'scene'), tensors, { classes });
    const runner = await Runner.create(engine(), plan.build());
    runner.write('seeds', Uint32Array.from(seeds));
    runner.write('images', new Float32Array(seeds.length * 3 * size * size).fill(NaN));
    runner.run(['draw']);
    const { data } = await runner.read('images');
    runner.dispose();
    return data;
  }

  test('of mixed classes: every pixel is written and within 0..1; where a picture lies does not matter', async () => {
    const size = 17; // 289 pixels are no multiple of what an invocation draws
    const data = await batch([7, 8, 2 ** 32 - 1, 7, 7], size);
    expect(data.every((value) => value >= 0 && value <= 1)).toBe(true);
    const picture = (n: number): Float32Array => data.slice(3 * n * size * size, 3 * (n + 1) * size * size);
    expect(picture(4)).toEqual(picture(0));
    expect(picture(1)).not.toEqual(picture(0));
    expect(picture(3)).not.toEqual(picture(0));
    const [alone] = (await render([{ class: 4, seed: 2 ** 32 - 1 }], size)) as [Image];
    picture(2).forEach((value, i) => expect(alone.data[4 * (i % (size * size)) + Math.floor(i / (size * size))]).toBe(Math.round(255 * value)));
  });
});

describe('another rounding does not show', () => {
  const [count, size] = [6, 64];

  /** The pictures of one class by a kernel whose text is changed. */
  async function draw(kernel: Parameters<typeof sceneKernel>[0], changes: readonly (readonly [find: string, replace: string])[]): Promise<Float32Array> {
    let code = sceneKernel(kernel);
    for (const [find, replace] of changes) {
      expect(code).toContain(find);
      code = code.replace(find, replace);
    }
    const plan = new PlanBuilder('scenes', count, engine().capabilities);
    const tensors = { seeds: plan.persistent('seeds', [count], 'u32'), y: plan.persistent('images', [count, 3, size, size]) };
    plan.recorder('draw', 'scenes', 'scene').dispatch({ kernel: 'scene', code, tensors, grid: sceneGrid(kernel), flops: 0 });
    const runner = await Runner.create(engine(), plan.build());
    runner.write('seeds', Uint32Array.from({ length: count }, (_, n) => n));
    runner.run(['draw']);
    const { data } = await runner.read('images');
    runner.dispose();
    return data;
  }

  // As much as the last bits of a sine and of a place may differ between drivers, in the class with the most cells.
  test('in bricks', async () => {
    const kernel = { painter: PAINTERS.find(({ name }) => name === 'bricks')!, salt: 5, size, first: 0, count };
    const exact = await draw(kernel, []);
    const rounded = await draw(kernel, [['return y + 0.225', 'return 0.9999998 * y + 0.225'], ['let p = vec2f(dot', 'let p = vec2f(2e-7) + vec2f(dot']]);
    expect(rounded).not.toEqual(exact);
    expect(exact.reduce((most, value, i) => Math.max(most, Math.abs(value - rounded[i]!)), 0)).toBeLessThan(0.25 / 255);
  });
});

describe('wrong input is refused', () => {
  test.each<[string, readonly SceneItem[], number | undefined, RegExp]>([
    ['a class that is none', [{ class: 16, seed: 0 }], undefined, /no class 16/],
    ['half a class', [{ class: 0.5, seed: 0 }], undefined, /no class 0\.5/],
    ['a negative seed', [{ class: 0, seed: -1 }], undefined, /seed.*got -1/],
    ['a seed beyond 32 bits', [{ class: 0, seed: 2 ** 32 }], undefined, /seed.*got 4294967296/],
    ['a time that is none', [{ class: 0, seed: 0, time: NaN }], undefined, /time.*got NaN/],
    ['a size that is too small', [], 15, /side.*got 15/],
    ['a size that is too large', [], 1025, /side.*got 1025/],
  ])('%s', async (_, items, size, message) => {
    await expect(render(items, size)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) as string });
  });

  test('tensors that do not fit', () => {
    const plan = new PlanBuilder('scenes', 2, engine().capabilities);
    const seeds = plan.persistent('seeds', [2], 'u32');
    const record = (shape: number[], classes: number[]) => () =>
      recordScenes(plan.recorder('draw', 'scenes', 'scene'), { seeds, images: plan.tensor('images', shape) }, { classes });
    expect(record([2, 3, 32, 33], [0, 0])).toThrow(/\[N, 3, S, S\]/);
    expect(record([2, 1, 32, 32], [0, 0])).toThrow(/\[N, 3, S, S\]/);
    expect(record([2, 3, 32, 32], [0])).toThrow(/2 pictures need as many classes, got 1/);
  });
});

describe('the shared functions', () => {
  /** Runs `y[i] = expression of x[i]`, vec2f to vec4f. */
  async function evaluate(points: readonly (readonly [number, number])[], expression: string): Promise<number[][]> {
    const count = points.length;
    const plan = new PlanBuilder('functions', 1, engine().capabilities);
    const code = `@group(0) @binding(0) var<storage, read> x: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
${HASH}${CURVES}${SHAPES}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ${count}u) { return; }
  let p = x[id.x];
  y[id.x] = ${expression};
}`;
    const tensors = { x: plan.persistent('x', [count, 2]), y: plan.persistent('y', [count, 4]) };
    plan.recorder('run', 'functions', 'f').dispatch({ kernel: 'f', code, tensors, grid: [Math.ceil(count / 64), 1, 1], flops: 0 });
    const runner = await Runner.create(engine(), plan.build());
    runner.write('x', Float32Array.from(points.flat()));
    runner.run(['run']);
    const { data } = await runner.read('y');
    runner.dispose();
    return points.map((_, i) => [...data.slice(4 * i, 4 * i + 4)]);
  }

  const hash = (x: number): number => {
    const state = (Math.imul(x, 747796405) + 2891336453) >>> 0;
    const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
    return ((word >>> 22) ^ word) >>> 0;
  };
  const unit = (x: number): number => (hash(x) >>> 8) / 2 ** 24;

  test('random numbers are those of the twin, to the bit', async () => {
    const points = Array.from({ length: 50 }, (_, i) => [i * 77, i % 7] as const);
    const got = await evaluate(points, 'vec4f(pick(u32(p.x), u32(p.y)), pick4(u32(p.x), u32(p.y)).w, cellPick(-p, 9u), f32(hash(u32(p.x)) >> 16u))');
    for (const [i, [seed, k]] of points.entries()) {
      const cell = (Math.imul(-seed, GOLDEN) + Math.imul(-k, 2246822507) + 9) >>> 0;
      const expected = [unit((seed + Math.imul(k, GOLDEN)) >>> 0), unit((seed + Math.imul(4 * k + 3, GOLDEN)) >>> 0), unit(cell), hash(seed) >>> 16];
      expect(got[i]).toEqual(expected);
    }
  });

  test('noise is that of the twin', async () => {
    const points = Array.from({ length: 40 }, (_, i) => [i * 0.37 - 5, 3 - i * 0.21] as const);
    const got = await evaluate(points, 'vec4f(noise(p, 3u))');
    const corner = (x: number, y: number): number => unit((Math.imul(x, GOLDEN) + Math.imul(y, 2246822507) + 3) >>> 0);
    for (const [i, point] of points.entries()) {
      const [x, y] = point.map(Math.fround) as [number, number];
      const [a, b] = [Math.floor(x), Math.floor(y)];
      const [u, v] = [x - a, y - b].map((f) => f * f * (3 - 2 * f)) as [number, number];
      const row = (at: number): number => corner(a, at) * (1 - u) + corner(a + 1, at) * u;
      expect(got[i]![0]).toBeCloseTo(row(b) * (1 - v) + row(b + 1) * v, 5);
    }
  });

  test('waves and bearings are near the true ones', async () => {
    const points = Array.from({ length: 101 }, (_, i) => [(i - 50) / 20, Math.sin(i) * 3] as const);
    const got = await evaluate(points, 'vec4f(wave(p.x), direction(p.x).x, bearing(p), 0.0)');
    for (const [i, [x, y]] of points.entries()) {
      expect(Math.abs(got[i]![0]! - Math.sin(2 * Math.PI * x))).toBeLessThan(1.1e-3);
      expect(Math.abs(got[i]![1]! - Math.cos(2 * Math.PI * x))).toBeLessThan(1.1e-3);
      expect(Math.abs(got[i]![2]! - Math.atan2(y, x) / (2 * Math.PI))).toBeLessThan(1.5e-5);
    }
  });

  test('distances are those to the nearest point of the outline', async () => {
    const points = Array.from({ length: 60 }, (_, i) => [Math.cos(i * 2.4) * i / 40, Math.sin(i * 2.4) * i / 40] as const);
    const got = await evaluate(points, 'vec4f(roundedBox(p, vec2f(0.6, 0.4), 0.1), vesica(p, 0.3, 0.7), segment(p, vec2f(-0.3, 0.2), vec2f(0.5, 0.1), 0.15), 0.0)');
    // Outlines by sampled points: the arcs of the lens, the middle line of the segment; the box by its core.
    const steps = Array.from({ length: 2001 }, (_, k) => k / 2000);
    const d = (0.7 ** 2 - 0.3 ** 2) / 0.6;
    const lens = steps.flatMap((t) => {
      const y = 1.4 * t - 0.7;
      const x = Math.sqrt((d + 0.3) ** 2 - y * y) - d;
      return [[x, y], [-x, y]];
    });
    const line = steps.map((t) => [-0.3 + 0.8 * t, 0.2 - 0.1 * t]);
    for (const [i, [x, y]] of points.entries()) {
      const nearest = (outline: number[][]): number => Math.min(...outline.map(([a, b]) => Math.hypot(x - a!, y - b!)));
      const inside = Math.abs(y) <= 0.7 && Math.hypot(Math.abs(x) + d, y) < d + 0.3;
      const [dx, dy] = [Math.abs(x) - 0.5, Math.abs(y) - 0.3];
      const core = Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0);
      const expected = [core - 0.1, nearest(lens) * (inside ? -1 : 1), nearest(line) - 0.15];
      expected.forEach((value, k) => expect(Math.abs(got[i]![k]! - value), `shape ${k} at ${x}, ${y}`).toBeLessThan(3e-3));
    }
  });
});
