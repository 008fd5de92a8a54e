/** Images that climb objectives: side by side where they look at the same layers. */
import { UnitscopeError } from '../../errors.ts';
import { Synthesizer, type Engine, type Image, type Network, type Objective, type Preprocess, type SynthesisImage, type SynthesisSettings } from '../../index.ts';
import type { Progress } from './progress.ts';

/** One image to make. */
export interface SynthesisJob {
  readonly objective: Objective;
  /** The objective as it was written. */
  readonly name: string;
  readonly seed: number;
}

export interface Synthesis {
  readonly network: Network;
  readonly settings: SynthesisSettings;
  readonly preprocess: Preprocess;
  readonly start?: Image | undefined;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** How an image ended. */
export interface SynthesisOutcome {
  readonly status: 'done' | 'interrupted' | 'no gradient' | 'not finite' | 'failed';
  /** Before the first step, and of the image as it is shown; absent where nothing has run. */
  readonly first?: number;
  readonly score?: number;
  readonly steps: number;
  readonly image?: Image;
  readonly message?: string;
}

/** Most images of one batch. */
export const SYNTHESIS_BATCH = 16;

/** Errors that say something about these layers or this size, not about the machine or the call. */
const LOCAL = ['limit', 'out-of-memory', 'no-gradient', 'shader', 'gpu'];

const couples = ({ objective: { terms } }: SynthesisJob): boolean => terms.some(({ kind }) => kind === 'diversity');

/** What may share a batch: objectives of the same layers; those that compare their images stay among themselves. */
const companyOf = (job: SynthesisJob): string => (couples(job) ? `= ${job.name}` : [...new Set(job.objective.terms.map(({ layer }) => layer))].sort().join('\n'));

/** The outcome of every job, in their order. Throws what concerns all of them (wrong usage, a lost device). */
export async function synthesizeAll(engine: Engine, jobs: readonly SynthesisJob[], synthesis: Synthesis): Promise<SynthesisOutcome[]> {
  const outcomes = new Map<SynthesisJob, SynthesisOutcome>();
  for (const company of new Set(jobs.map(companyOf))) {
    const own = jobs.filter((job) => companyOf(job) === company);
    const queue = Array.from({ length: Math.ceil(own.length / SYNTHESIS_BATCH) }, (_, n) => own.slice(n * SYNTHESIS_BATCH, (n + 1) * SYNTHESIS_BATCH));
    for (let batch = queue.shift(); batch && !synthesis.signal.aborted; batch = queue.shift()) {
      try {
        const ends = await together(engine, batch, synthesis);
        batch.forEach((job, n) => outcomes.set(job, ends[n]));
      } catch (error) {
        if (!(error instanceof UnitscopeError) || !LOCAL.includes(error.code)) throw error;
        const tooLarge = error.code === 'limit' || error.code === 'out-of-memory';
        const half = Math.ceil(batch.length / 2);
        if (tooLarge && batch.length > 1 && !couples(batch[0])) queue.unshift(batch.slice(0, half), batch.slice(half));
        else for (const job of batch) outcomes.set(job, { status: 'failed', steps: 0, message: error.describe() });
      }
    }
  }
  return jobs.map((job) => outcomes.get(job) ?? { status: 'interrupted', steps: 0 });
}

async function together(engine: Engine, jobs: readonly SynthesisJob[], { network, settings, preprocess, start, signal, progress }: Synthesis): Promise<SynthesisOutcome[]> {
  const synthesizer = await Synthesizer.create(engine, network, {
    objectives: jobs.map(({ objective }) => objective),
    seeds: jobs.map(({ seed }) => seed),
    settings,
    preprocess,
    ...(start && { start }),
  });
  try {
    const label = jobs.length === 1 ? `${jobs[0].name} seed ${jobs[0].seed}` : `${jobs.length} images`;
    let first: readonly SynthesisImage[] = [];
    let last: readonly SynthesisImage[] = [];
    let done = 0;
    for await (const { step, images } of synthesizer.run({ signal })) {
      if (step === 0) first = images;
      last = images;
      done = step + 1;
      progress.report(label, done, settings.steps);
    }
    if (done === 0) return jobs.map(() => ({ status: 'interrupted', steps: 0 }));
    const scores = await synthesizer.scores();
    const pictures = await synthesizer.pictures();
    return jobs.map((_, n) => outcomeOf(first[n], last[n], scores[n], done < settings.steps && signal.aborted, done, pictures[n]));
  } finally {
    synthesizer.dispose();
  }
}

function outcomeOf(first: SynthesisImage, last: SynthesisImage, score: number, stopped: boolean, steps: number, image: Image): SynthesisOutcome {
  const known = { first: first.score, score, steps };
  if (last.status === 'notFinite' || !Number.isFinite(score)) {
    return { ...known, status: 'not finite', message: 'numbers are not finite\n  hint: take smaller steps, or look for flaws of the weights with `unitscope inspect`' };
  }
  if (stopped) return { ...known, status: 'interrupted', image };
  if (last.status !== 'noGradient') return { ...known, status: 'done', image };
  return { ...known, status: 'no gradient', image, message: 'the gradient is 0\n  hint: nothing that the objective looks at answers: choose a layer before a ReLU, or another seed' };
}
