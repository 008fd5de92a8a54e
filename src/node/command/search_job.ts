/** What a search is, before it runs: the trials, and all that decides their files. */
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import {
  CLIMB_BATCH,
  FREE_STEP,
  layerShape,
  parseUnit,
  SEARCH_METHOD,
  searchTrials,
  STARTS,
  sweepTrials,
  unitName,
  type Contrast,
  type Network,
  type Preprocess,
  type Recipe,
  type SearchTrial,
  type Unit,
} from '../../index.ts';
import { CONTRAST_OPTION, contrastOf } from './ascent_options.ts';
import type { Call, Option } from './command.ts';
import { neededPreprocess } from './input.ts';
import { EMBEDDED, loadModel } from './model.ts';
import { jobKey, type PieceName } from './pieces.ts';
import { countOf } from './value.ts';

export interface SearchJob {
  readonly out: string;
  readonly network: Network;
  readonly hash: string;
  readonly unit: Unit;
  /** The unit as it is written. */
  readonly name: string;
  readonly preprocess: Preprocess;
  readonly contrast: Contrast;
  readonly seed: number;
  readonly trials: readonly SearchTrial[];
  readonly batch: number;
  /** The most iterations, where that was asked for. */
  readonly iterations: number | undefined;
  readonly sweep: boolean;
  /** Steps that fit the embedded network in place of the published ones. */
  readonly free: boolean;
  /** All that decides the files, as JSON. */
  readonly text: string;
}

const MOST_TRIALS = 2000;
const TRIALS = 300;
const SWEEP_STEPS = 7;

export const SEARCH_OPTIONS: Readonly<Record<string, Option>> = {
  unit: { type: 'text', value: 'UNIT', summary: 'LAYER:CHANNEL or LAYER:CHANNEL@Y,X' },
  out: { type: 'text', value: 'FOLDER', summary: 'where the trials, sheet.png, index.html and search.json go; a command that was stopped goes on when it is given again' },
  trials: { type: 'text', value: 'N', summary: `settings to draw (default: ${TRIALS})` },
  seed: { type: 'text', value: 'S', summary: 'seed of the settings, and of the start image that all trials share', default: '0' },
  iterations: { type: 'text', value: 'N', summary: 'no trial has more; drawn are 250..1500, a sweep has 1000' },
  sweep: { type: 'flag', summary: 'in place of random settings: decay, blur, |contribution| and small norm, each alone from none to much' },
  steps: { type: 'text', value: 'N', summary: `strengths of a sweep (default: ${SWEEP_STEPS})` },
  batch: { type: 'text', value: 'N', summary: 'trials at once', default: String(CLIMB_BATCH) },
  contrast: CONTRAST_OPTION,
};

/** Throws 'usage' and what `loadModel` throws. */
export async function searchJob(call: Call): Promise<SearchJob> {
  const { values, flags } = call;
  const sweep = flags.has('sweep');
  const seed = countOf('seed', values.seed!, 0, 0xffffffff);
  const batch = countOf('batch', values.batch!, 1, 1024);
  const iterations = values.iterations === undefined ? undefined : countOf('iterations', values.iterations, 1, 1e6);
  if (sweep && values.trials !== undefined) throw new UnitscopeError('usage', 'give --trials or --sweep, not both', {}, 'a sweep has --steps');
  if (!sweep && values.steps !== undefined) throw new UnitscopeError('usage', '--steps is for --sweep');
  const count = countOf('trials', values.trials ?? String(TRIALS), 1, MOST_TRIALS);
  const steps = countOf('steps', values.steps ?? String(SWEEP_STEPS), 2, 100);
  // The published steps hardly move an image of the embedded network.
  const free = (call.operands[0] ?? EMBEDDED) === EMBEDDED;
  const trials = sweep ? sweepTrials({ steps, iterations, ...(free && { step: FREE_STEP }) }) : searchTrials({ seed, trials: count, iterations, free });
  if (values.unit === undefined) throw new UnitscopeError('usage', 'no unit is given', {}, 'name one with --unit LAYER:CHANNEL, for example --unit fc8:2');
  if (values.out === undefined) throw new UnitscopeError('usage', 'no folder is given', {}, 'name one with --out FOLDER');
  const { network, hash } = await loadModel(call, call.operands[0]);
  const unit = parseUnit(network, values.unit);
  const name = unitName(unit, layerShape(network, unit.layer));
  const preprocess = neededPreprocess(call, network);
  const contrast = contrastOf(call);
  const what = sweep ? { sweep: steps } : { trials: count };
  const text = JSON.stringify({ method: SEARCH_METHOD.name, network: hash, unit: name, seed, start: STARTS[0], ...what, iterations: iterations ?? null, free, batch, contrast, preprocess });
  return { out: values.out, network, hash, unit, name, preprocess, contrast, seed, trials, batch, iterations, sweep, free, text };
}

/** A trial, and what its files are called. */
export interface TrialPlace extends PieceName {
  readonly trial: SearchTrial;
}

/** In the order of their numbers. */
export function trialPlaces(job: SearchJob): Promise<TrialPlace[]> {
  return Promise.all(job.trials.map(async (trial) => ({ trial, name: `trial-${String(trial.number).padStart(4, '0')}`, key: await jobKey(trialRecipe(job, trial, 0, '')) })));
}

/** The recipe of one trial: that of an ordinary maximization, so that it can be followed wherever those can. */
export function trialRecipe({ network, hash, name, seed, contrast, preprocess }: SearchJob, { settings }: SearchTrial, iterations: number, adapter: string): Recipe {
  return {
    network: { name: network.name, hash },
    method: 'maximize',
    units: [name],
    settings: { ...settings, start: STARTS[0], snapshot: 'best', contrast, preprocess: { ...preprocess } },
    seed,
    iterations,
    adapter,
    version,
  };
}
