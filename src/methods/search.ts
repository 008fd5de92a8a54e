/**
 * The search for settings: many climbs of one unit from one start image, each with settings of its own, and numbers by which their
 * pictures compare. Source: Yosinski, Clune, Nguyen, Fuchs, Lipson, Understanding Neural Networks Through Deep Visualization, 2015.
 */
import { complementary, median } from '../analysis/complementary.ts';
import { rootMeanSquare } from '../analysis/farthest_points.ts';
import { rankOf, shareNear, softmaxOf, thumbnail, totalVariation } from '../analysis/picture_scores.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Color, Image } from '../image/image.ts';
import { meanColor } from '../image/preprocess.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Preprocess } from '../network/network.ts';
import { classLayers } from './activations.ts';
import { climb, slicesOf, CLIMB_BATCH, type ClimbJob, type ClimbOutcome } from './climb.ts';
import type { Contrast } from './maximize.ts';
import type { Method } from './method.ts';
import type { SearchTrial } from './search_space.ts';
import { layerShape, unitIndex, type Unit } from './unit.ts';

export const SEARCH_METHOD: Method = {
  name: 'search',
  summary: 'search for settings that show a unit well: many random ones, and four that complement each other',
  source: 'Yosinski et al. 2015',
  takes: 'network',
};

/** What a trial has come to. The picture is that of the best iteration; null is what it does not have. */
export interface TrialFacts {
  readonly status: 'done' | 'no gradient' | 'not finite';
  readonly score: number | null;
  readonly step: number | null;
  /** The first iteration in which the unit was its layer's argmax. */
  readonly argmax: number | null;
  readonly iterations: number;
  /** Place of the unit among the `of` values of its layer for the picture: 1 is the largest. */
  readonly rank: number | null;
  readonly of: number;
  /** Of the unit, where its layer is that of the classes. */
  readonly probability: number | null;
  /** Mean difference between neighbouring pixels, levels. */
  readonly variation: number | null;
  /** Share of the pixels that are the mean colour, within a level. */
  readonly sparsity: number | null;
}

export interface TrialResult {
  readonly trial: SearchTrial;
  /** Absent where the trial failed or was interrupted; it is to be tried again. */
  readonly facts?: TrialFacts;
  readonly image?: Image;
  readonly message?: string;
}

export interface SearchProgress {
  /** The batch under way, and its iterations. */
  readonly trials: readonly SearchTrial[];
  readonly done: number;
  readonly of: number;
  /** In the last record of a batch. */
  readonly results?: readonly TrialResult[];
}

export interface SearchOptions {
  readonly unit: Unit;
  /** Of the start image, which is that of every trial. */
  readonly seed: number;
  readonly batches: readonly (readonly SearchTrial[])[];
  readonly preprocess: Preprocess;
  /** How a trial is drawn; what is measured on its picture is measured on that drawing. */
  readonly contrast?: Contrast | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Trials that run together: of as many iterations, and as far as possible with the same clips, for a batch does all that one of it wants. */
export function trialBatches(trials: readonly SearchTrial[], size = CLIMB_BATCH): SearchTrial[][] {
  const clips = ({ settings }: SearchTrial): number => (['smallNorm', 'contribution', 'absContribution'] as const).reduce((bits, name) => 2 * bits + Number(settings[name] > 0), 0);
  const lengths = [...new Set(trials.map(({ settings }) => settings.iterations))].sort((a, b) => a - b);
  return lengths.flatMap((length) => {
    const own = trials.filter(({ settings }) => settings.iterations === length);
    return slicesOf(own.sort((a, b) => clips(a) - clips(b) || a.number - b.number), size);
  });
}

interface TrialJob extends ClimbJob {
  readonly trial: SearchTrial;
}

/** Runs trials batch by batch. A signal ends it early: what is not done then has no facts. @throws as climb does */
export async function* search(engine: Engine, network: Network, options: SearchOptions): AsyncGenerator<SearchProgress, void, undefined> {
  const { unit, seed, batches, preprocess, contrast, signal } = options;
  const jobs = batches.map((trials) => trials.map((trial): TrialJob => ({ unit, seed, settings: trial.settings, trial })));
  for await (const { jobs: own, done, of, outcomes } of climb(engine, network, jobs, { preprocess, contrast, answers: true, signal })) {
    const results = outcomes?.map((outcome, n): TrialResult => {
      const { image, message } = outcome;
      const facts = factsOf(network, unit, outcome, contrast === 'stretched' ? MID_GREY : meanColor(preprocess));
      return { trial: own[n]!.trial, ...(facts && { facts }), ...(facts && image && { image }), ...(message !== undefined && { message }) };
    });
    yield { trials: own.map(({ trial }) => trial), done, of, ...(results && { results }) };
  }
}

/** What a stretched picture shows where nothing was added. */
const MID_GREY: Color = [127.5, 127.5, 127.5];

const finite = (value: number | undefined): number | null => (value !== undefined && Number.isFinite(value) ? value : null);

function factsOf(network: Network, unit: Unit, outcome: ClimbOutcome, empty: Color): TrialFacts | undefined {
  const { status, image, answers } = outcome;
  if (status === 'interrupted' || status === 'failed') return undefined;
  const shape = layerShape(network, unit.layer);
  const index = unitIndex(unit, shape);
  return {
    status,
    score: finite(outcome.score),
    step: finite(outcome.score) === null ? null : outcome.step!,
    argmax: outcome.argmax ?? null,
    iterations: outcome.iterations,
    rank: answers ? finite(rankOf(answers, index)) : null,
    of: shape.slice(1).reduce((product, size) => product * size, 1),
    probability: answers ? finite(probabilityOf(network, unit, answers, index)) : null,
    variation: image ? totalVariation(image) : null,
    sparsity: image ? shareNear(image, empty, 1) : null,
  };
}

/** NaN where the unit's layer is not that of the classes. */
function probabilityOf(network: Network, { layer }: Unit, answers: Float32Array, index: number): number {
  const { logits, softmax } = classLayers(network);
  const { output } = findNode(network, layer);
  if (output === softmax) return answers[index]!;
  return output === findNode(network, logits).output ? softmaxOf(answers, index) : NaN;
}

/** Side of the thumbnails by which pictures are told apart: shapes, not grain. */
const SIDE = 16;

/** A trial that has a picture, as far as it is compared. */
export interface Compared {
  readonly facts: TrialFacts;
  readonly image: Image;
}

export interface Comparison {
  /** Mean distance of each picture to the others: root mean square over 16 x 16 boxes, levels. */
  readonly distances: readonly number[];
  /** Indices of those that complement each other, the best first. */
  readonly chosen: readonly number[];
  readonly medianVariation: number;
}

/** How pictures of one unit differ, and which `count` of them show most together (see `complementary`). */
export function compareTrials(trials: readonly Compared[], count = 4): Comparison {
  const features = trials.map(({ image }) => thumbnail(image, SIDE));
  const sums = trials.map(() => 0);
  for (let a = 0; a < trials.length; a++) {
    for (let b = 0; b < a; b++) {
      const distance = rootMeanSquare(features[a]!, features[b]!);
      sums[a]! += distance;
      sums[b]! += distance;
    }
  }
  const rated = trials.map(({ facts }, n) => ({ facts, n })).filter(({ facts }) => facts.score !== null && facts.rank !== null && facts.variation !== null);
  const candidates = rated.map(({ facts: { score, rank, variation }, n }) => ({ score: score!, rank: rank!, variation: variation!, features: features[n]! }));
  return {
    distances: sums.map((sum) => (trials.length > 1 ? sum / (trials.length - 1) : 0)),
    chosen: complementary(candidates, count).map((index) => rated[index]!.n),
    medianVariation: median(candidates.map(({ variation }) => variation)),
  };
}
