/** Images that climb: units and seeds side by side, one batch per layer. */
import { UnitscopeError } from '../../errors.ts';
import {
  Maximizer,
  type AscentSettings,
  type Engine,
  type Image,
  type ImageProgress,
  type Network,
  type Preprocess,
  type Snapshot,
  type Start,
  type Unit,
} from '../../index.ts';
import type { Progress } from './progress.ts';

/** One image to make. */
export interface Job {
  readonly unit: Unit;
  /** The unit as it is written. */
  readonly name: string;
  readonly seed: number;
}

export interface Ascent {
  readonly network: Network;
  readonly settings: AscentSettings;
  readonly preprocess: Preprocess;
  readonly start: Start;
  readonly snapshot: Snapshot;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** How an image ended. */
export interface Outcome {
  readonly status: 'done' | 'interrupted' | 'no gradient' | 'not finite' | 'failed';
  /** The best score and its iteration; undefined where nothing has run. */
  readonly score?: number;
  readonly step?: number;
  /** The first iteration in which the unit was its layer's argmax, and whether it was in the last one. */
  readonly argmax?: number;
  readonly isArgmax: boolean;
  /** Iterations done. */
  readonly iterations: number;
  /** Absent where there is nothing to see. */
  readonly image?: Image;
  readonly message?: string;
}

/** Most images of one batch. */
const BATCH = 16;

/** Errors that say something about this layer or its size, not about the machine or the call. */
const LOCAL = ['limit', 'out-of-memory', 'no-gradient', 'shader', 'gpu'];

const ADVICE = 'the unit is silent here: choose the layer before its ReLU, another seed, or another unit';

/** The outcome of every job, in their order. Throws what concerns all of them (wrong usage, a lost device). */
export async function climb(engine: Engine, jobs: readonly Job[], ascent: Ascent): Promise<Outcome[]> {
  const outcomes = new Map<Job, Outcome>();
  for (const layer of new Set(jobs.map(({ unit }) => unit.layer))) {
    const own = jobs.filter(({ unit }) => unit.layer === layer);
    const queue = Array.from({ length: Math.ceil(own.length / BATCH) }, (_, n) => own.slice(n * BATCH, (n + 1) * BATCH));
    for (let batch = queue.shift(); batch && !ascent.signal.aborted; batch = queue.shift()) {
      try {
        const ends = await climbTogether(engine, batch, ascent);
        batch.forEach((job, n) => outcomes.set(job, ends[n]));
      } catch (error) {
        if (!(error instanceof UnitscopeError) || !LOCAL.includes(error.code)) throw error;
        const tooLarge = error.code === 'limit' || error.code === 'out-of-memory';
        const half = Math.ceil(batch.length / 2);
        if (tooLarge && batch.length > 1) queue.unshift(batch.slice(0, half), batch.slice(half));
        else for (const job of batch) outcomes.set(job, { ...nothing('failed'), message: error.describe() });
      }
    }
  }
  return jobs.map((job) => outcomes.get(job) ?? nothing('interrupted'));
}

function nothing(status: Outcome['status']): Outcome {
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

async function climbTogether(engine: Engine, jobs: readonly Job[], ascent: Ascent): Promise<Outcome[]> {
  const { network, settings, preprocess, start, snapshot, signal, progress } = ascent;
  const maximizer = await Maximizer.create(engine, network, {
    units: jobs.map(({ unit }) => unit),
    seeds: jobs.map(({ seed }) => seed),
    settings,
    preprocess,
    start,
  });
  try {
    const tracks = jobs.map((): Track => ({ score: -Infinity, step: 0 }));
    const label = jobs.length === 1 ? `${jobs[0].name} seed ${jobs[0].seed}` : `${jobs[0].unit.layer}, ${jobs.length} images`;
    let done = 0;
    for await (const { step, images } of maximizer.run({ signal })) {
      images.forEach((image, n) => follow(tracks[n], image, step));
      done = step + 1;
      progress.report(label, done, settings.iterations);
    }
    const asked = done === 0 ? [] : await maximizer.pictures(snapshot);
    const best = done === 0 || snapshot === 'best' ? asked : await maximizer.pictures('best');
    return tracks.map((track, n) => {
      // Past its stop an image may be anything; before it first was argmax there is no majority.
      const safe = track.stopped !== undefined || (snapshot === 'majority' && track.argmax === undefined);
      return outcomeOf(track, done, settings.iterations, safe ? best[n] : asked[n]);
    });
  } finally {
    maximizer.dispose();
  }
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

function outcomeOf({ last, score, step, argmax, stopped }: Track, done: number, wanted: number, image: Image | undefined): Outcome {
  if (!last) return nothing('interrupted');
  const known = { score, step, argmax, isArgmax: argmax !== undefined && last.isArgmax, iterations: done };
  if (stopped === undefined) return { ...known, status: done < wanted ? 'interrupted' : 'done', image };
  // Whoever stopped where it started has nothing to show.
  const seen = step > 0 && Number.isFinite(score) ? image : undefined;
  const kept = seen ? `; the best image, of iteration ${step}, is kept` : '';
  return last.status === 'noGradient'
    ? { ...known, status: 'no gradient', image: seen, message: `the gradient is 0 from iteration ${stopped} on${kept}\n  hint: ${ADVICE}` }
    : { ...known, status: 'not finite', image: seen, message: `numbers are not finite from iteration ${stopped} on${kept}\n  hint: take smaller steps, or look for flaws of the weights with \`unitscope inspect\`` };
}
