/**
 * Runs passes of the regularizer without a network: x, the layer and the gradient are given tensors. Memory is full of
 * NaN but for what the caller gives and what the loop keeps at zero.
 */
import { MAX_BLUR_TAPS, PROGRESS, SETTING, STATE } from '../../shaders/ascent.wgsl.ts';
import { BINS, ROUNDS, SEARCH } from '../../shaders/rank.wgsl.ts';
import type { Engine } from '../../src/gpu/engine.ts';
import { settingWords, type AscentSettings } from '../../src/methods/settings.ts';
import type { Tensor } from '../../src/network/network.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { ascentTensors, recordObserve, recordPresent, recordRegularize, type PixelUnits } from '../../src/scheduler/regularize.ts';
import { runGuarded } from '../ops/harness.ts';
import { filled } from '../ops/reference.ts';

export interface Size {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface Loop {
  readonly size: Size;
  readonly units: PixelUnits;
  /** One per image. */
  readonly settings: readonly AscentSettings[];
  readonly image: Tensor;
  readonly start?: Tensor;
  readonly gradient?: Tensor;
  /** The target layer [N, L], and the unit of each image. */
  readonly y?: Tensor;
  readonly unit?: readonly number[];
  /** Iteration under way, for every image. */
  readonly step?: number;
}

export interface Outcome {
  readonly image: Float32Array;
  readonly x: Float32Array;
  readonly best: Float32Array;
  readonly majority: Float32Array;
  /** By image. */
  readonly progress: readonly Float32Array[];
  readonly status: readonly number[];
  readonly threshold: readonly number[];
  /** True where the first round's counts are left at zero. */
  readonly cleared: boolean;
}

export type Mutate = (code: string, kernel: string) => string;

export const shapeOf = ({ batch, channels, height, width }: Size): number[] => [batch, channels, height, width];

/** Runs `passes` in the plan's order. */
export async function runLoop(engine: Engine, loop: Loop, passes: readonly string[], mutate: Mutate = (code) => code): Promise<Outcome> {
  const { size, units, settings, image, step = 0 } = loop;
  const { batch, channels, height, width } = size;
  const shape = shapeOf(size);
  const y = loop.y ?? filled([batch, 1], () => 0);
  const builder = new PlanBuilder('loop', batch, engine.capabilities);
  const x = builder.persistent('x', shape);
  const layer = builder.persistent('y', y.shape);
  const dx = builder.persistent('gradient', shape);
  const tensors = ascentTensors(builder, x);
  recordPresent(builder, tensors, x, units);
  recordObserve(builder, tensors, layer);
  recordRegularize(builder, tensors, dx, units);
  const plan = builder.build();
  const chosen = [...plan.passes].filter(([pass]) => passes.includes(pass));
  const rewritten = chosen.map(([pass, steps]) => [pass, steps.map((one) => ({ ...one, code: mutate(one.code, one.kernel) }))] as const);
  const bound = new Set(chosen.flatMap(([, steps]) => steps.flatMap((one) => Object.values(one.tensors))));
  const used = (name: string): boolean => bound.has(plan.named.get(name)!);

  const words = settings.map((one) => settingWords(one, { channels, plane: height * width }));
  const joined = (rows: readonly ArrayLike<number>[], columns: number): Tensor =>
    filled([batch, columns], (i) => rows[Math.floor(i / columns)]![i % columns]!);
  const bits = (length: number, value: (i: number) => number): Tensor => ({ shape: [length], data: new Float32Array(Uint32Array.from({ length }, (_, i) => value(i)).buffer) });
  const given: Record<string, Tensor> = {
    image,
    start: loop.start ?? image,
    gradient: loop.gradient ?? filled(shape, () => 0),
    y,
    settings: joined(words.map((one) => one.words), SETTING.words),
    taps: joined(words.map((one) => one.taps), MAX_BLUR_TAPS + 1),
    unit: bits(batch, (n) => loop.unit?.[n] ?? 0),
    // Before `observe` it is the next step that tells the iteration.
    state: bits(batch * STATE.words, (i) => ([STATE.step, STATE.next] as number[]).includes(i % STATE.words) ? step : 0),
    // What the later rounds count into holds anything; they must clear it.
    counts: bits(batch * ROUNDS * BINS, (i) => (i % (ROUNDS * BINS) < BINS ? 0 : 7)),
  };
  const { tensors: read } = await runGuarded(
    engine,
    {
      ...plan,
      passes: new Map(rewritten),
      // No memory for what the chosen passes do not touch.
      tensors: plan.tensors.map((one) => (bound.has(one.id) ? one : { ...one, buffer: -1 })),
    },
    Object.fromEntries(Object.entries(given).filter(([name]) => used(name))),
    ['image', 'x', 'best', 'majority', 'progress', 'state', 'search', 'counts'].filter(used),
  );
  const data = (name: string): Float32Array => read.get(name)?.data ?? new Float32Array();
  const words32 = (name: string): Uint32Array => new Uint32Array(data(name).buffer);
  const row = (step % 64) * batch;
  const each = <T>(value: (n: number) => T): T[] => Array.from({ length: batch }, (_, n) => value(n));
  return {
    image: data('image'),
    x: data('x'),
    best: data('best'),
    majority: data('majority'),
    progress: each((n) => data('progress').subarray((row + n) * PROGRESS.words, (row + n + 1) * PROGRESS.words)),
    status: each((n) => words32('state')[n * STATE.words + STATE.status]!),
    threshold: each((n) => data('search')[n * SEARCH.words + SEARCH.threshold]!),
    cleared: words32('counts').every((count, i) => i % (ROUNDS * BINS) >= BINS || count === 0),
  };
}
