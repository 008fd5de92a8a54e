/** Many images that climb, a batch after another: units, seeds and settings side by side, and how each of them ended. */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Image } from '../image/image.ts';
import type { Network, Preprocess } from '../network/network.ts';
import { Maximizer, type Contrast, type ImageProgress, type Snapshot } from './maximize.ts';
import type { AscentSettings } from './settings.ts';
import type { Start } from './start_image.ts';
import type { Unit } from './unit.ts';

/** One image to make. */
export interface ClimbJob {
  readonly unit: Unit;
  /** Of the start image. */
  readonly seed: number;
  readonly settings: AscentSettings;
}

export interface ClimbOptions {
  /** Overrides the network's own. */
  readonly preprocess?: Preprocess | undefined;
  readonly start?: Start | undefined;
  /** Which image of a climb is wanted; `best` unless told. */
  readonly snapshot?: Snapshot | undefined;
  /** How it is drawn; `pixels` unless told. */
  readonly contrast?: Contrast | undefined;
  /** Ask also what the layer answers to the best images. */
  readonly answers?: boolean | undefined;
  /** Ends the climb early: what has been climbed until then is told as interrupted, and nothing is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** How an image ended. */
export interface ClimbOutcome {
  readonly status: 'done' | 'interrupted' | 'no gradient' | 'not finite' | 'failed';
  /** The best score and its iteration; undefined where nothing has run. */
  readonly score?: number;
  readonly step?: number;
  /** The first iteration in which the unit was its layer's argmax, and whether it was in the last one. */
  readonly argmax?: number;
  readonly isArgmax: boolean;
  /** Iterations done, up to its stop where it stopped for good. */
  readonly iterations: number;
  /** Absent where there is nothing to see. */
  readonly image?: Image;
  /** All values of the unit's layer for the best image, where they were asked for. */
  readonly answers?: Float32Array;
  readonly message?: string;
}

export interface ClimbProgress<J extends ClimbJob> {
  /** The batch under way. */
  readonly jobs: readonly J[];
  /** Iterations of it that are done, of how many. */
  readonly done: number;
  readonly of: number;
  /** In the last record of a batch: one for each of its jobs. */
  readonly outcomes?: readonly ClimbOutcome[];
}

/** Most images of one batch, unless told. */
export const CLIMB_BATCH = 16;

/** Errors that say something about this layer or its size, not about the machine or the call. */
const LOCAL = ['limit', 'out-of-memory', 'no-gradient', 'shader', 'gpu'];

const ADVICE = 'the unit is silent here: choose the layer before its ReLU, another seed, or another unit';

/** Lists of at most `size`, in order. */
export const slicesOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));

/** Consecutive batches, the units of each of one layer. */
export function layerBatches<J extends Pick<ClimbJob, 'unit'>>(jobs: readonly J[], size = CLIMB_BATCH): J[][] {
  return [...new Set(jobs.map(({ unit }) => unit.layer))].flatMap((layer) => slicesOf(jobs.filter(({ unit }) => unit.layer === layer), size));
}

/**
 * Climbs a batch after another, one record per iteration and one with the outcomes. A batch that is too large for the device is
 * halved; one that fails for a reason of its own is told as failed, and the next goes on.
 * @param batches the units of each are of one layer
 * @throws what concerns all of them: wrong usage, a lost device
 */
export async function* climb<J extends ClimbJob>(
  engine: Engine,
  network: Network,
  batches: readonly (readonly J[])[],
  options: ClimbOptions = {},
): AsyncGenerator<ClimbProgress<J>, void, undefined> {
  const queue = [...batches];
  for (let jobs = queue.shift(); jobs && !options.signal?.aborted; jobs = queue.shift()) {
    try {
      yield* climbTogether(engine, network, jobs, options);
    } catch (error) {
      if (!(error instanceof UnitscopeError) || !LOCAL.includes(error.code)) throw error;
      const tooLarge = error.code === 'limit' || error.code === 'out-of-memory';
      const half = Math.ceil(jobs.length / 2);
      const message = error.describe();
      if (tooLarge && jobs.length > 1) queue.unshift(jobs.slice(0, half), jobs.slice(half));
      else yield { jobs, done: 0, of: longest(jobs), outcomes: jobs.map(() => ({ ...nothing('failed'), message })) };
    }
  }
}

const longest = (jobs: readonly ClimbJob[]): number => Math.max(...jobs.map(({ settings }) => settings.iterations));

/** Of a job that has not run. */
export function nothing(status: ClimbOutcome['status']): ClimbOutcome {
  return { status, isArgmax: false, iterations: 0 };
}

/** What is known about one image while it climbs. */
interface Track {
  last?: ImageProgress;
  score: number;
  step: number;
  argmax?: number;
  /** The iteration in which it stopped for good. */
  stopped?: number;
}

async function* climbTogether<J extends ClimbJob>(
  engine: Engine,
  network: Network,
  jobs: readonly J[],
  { preprocess, start, snapshot = 'best', contrast, answers = false, signal }: ClimbOptions,
): AsyncGenerator<ClimbProgress<J>, void, undefined> {
  const maximizer = await Maximizer.create(engine, network, {
    units: jobs.map(({ unit }) => unit),
    seeds: jobs.map(({ seed }) => seed),
    settings: jobs.map(({ settings }) => settings),
    ...(preprocess && { preprocess }),
    ...(start && { start }),
  });
  try {
    const of = longest(jobs);
    const tracks = jobs.map((): Track => ({ score: -Infinity, step: 0 }));
    let done = 0;
    for await (const { step, images } of maximizer.run(signal && { signal })) {
      images.forEach((image, n) => follow(tracks[n]!, image, step));
      done = step + 1;
      yield { jobs, done, of };
    }
    const asked = done === 0 ? [] : await maximizer.pictures(snapshot, contrast);
    const best = done === 0 || snapshot === 'best' ? asked : await maximizer.pictures('best', contrast);
    const over = tracks.some(({ stopped }, n) => stopped !== undefined || done >= jobs[n]!.settings.iterations);
    const layers = answers && over ? await answersOf(maximizer, jobs[0]!.unit.layer) : [];
    const outcomes = tracks.map((track, n) => {
      // Past its stop an image may be anything; before it first was argmax there is no majority.
      const safe = track.stopped !== undefined || (snapshot === 'majority' && track.argmax === undefined);
      const outcome = outcomeOf(track, done, jobs[n]!.settings.iterations, safe ? best[n] : asked[n]);
      return outcome.image && layers[n] ? { ...outcome, answers: layers[n] } : outcome;
    });
    yield { jobs, done, of, outcomes };
  } finally {
    maximizer.dispose();
  }
}

/** Shows the best images once more, and reads their layer. The climb cannot go on after that. */
async function answersOf(maximizer: Maximizer, layer: string): Promise<Float32Array[]> {
  const { runner, batch } = maximizer;
  runner.write('image', (await maximizer.read('best')).data);
  runner.run(['present', 'forward']);
  const { data } = await runner.read(layer);
  const size = data.length / batch;
  return Array.from({ length: batch }, (_, n) => data.slice(n * size, (n + 1) * size));
}

function follow(track: Track, image: ImageProgress, step: number): void {
  if (track.stopped !== undefined) return;
  if (image.status !== 'notFinite') {
    track.last = image;
    if (image.score > track.score) [track.score, track.step] = [image.score, step];
    if (image.isArgmax) track.argmax ??= step;
  }
  if (image.status === 'running') return;
  track.stopped = step;
  track.last = image;
}

function outcomeOf({ last, score, step, argmax, stopped }: Track, ran: number, wanted: number, image: Image | undefined): ClimbOutcome {
  if (!last) return nothing('interrupted');
  const done = stopped === undefined ? Math.min(ran, wanted) : stopped + 1;
  const known = { score, step, ...(argmax !== undefined && { argmax }), isArgmax: argmax !== undefined && last.isArgmax, iterations: done };
  if (stopped === undefined) return { ...known, status: done < wanted ? 'interrupted' : 'done', ...(image && { image }) };
  // Whoever stopped where it started has nothing to show.
  const seen = step > 0 && Number.isFinite(score) && image ? { image } : {};
  const kept = seen.image ? `; the best image, of iteration ${step}, is kept` : '';
  return last.status === 'noGradient'
    ? { ...known, ...seen, status: 'no gradient', message: `the gradient is 0 from iteration ${stopped} on${kept}\n  hint: ${ADVICE}` }
    : { ...known, ...seen, status: 'not finite', message: `numbers are not finite from iteration ${stopped} on${kept}\n  hint: take smaller steps, or look for flaws of the weights with \`unitscope inspect\`` };
}
