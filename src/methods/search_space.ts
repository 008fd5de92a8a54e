/**
 * The settings that a search draws from, and those of a sweep of one regularizer.
 * Source: the random search behind table 1 of Yosinski et al. 2015, by the values and weights that its program states; its
 * px_benefit and px_abs_benefit are `contribution` and `absContribution` here.
 */
import { NumpyRandom } from '../image/numpy_random.ts';
import { mix } from './chance.ts';
import { ascentSettings, FREE_STEP, type AscentSettings } from './settings.ts';

/** A value is drawn as often as its share of the sum of all weights. */
export type Weighted<T> = readonly (readonly [value: T, weight: number])[];

const evenly = <T>(...values: readonly T[]): Weighted<T> => values.map((value) => [value, 1]);

const PERCENTILES: Weighted<number> = [[0, 10], [10, 10], [20, 5], [30, 2], [50, 2], [80, 2], [90, 2]];

export const SEARCH_SPACE = {
  decay: [[0, 4], [0.0001, 1], [0.001, 1], [0.01, 2], [0.1, 1], [0.2, 1], [0.3, 1]],
  iterations: evenly(250, 500, 750, 1000, 1500),
  blurRadius: [[0, 10], [0.3, 2], [0.4, 1], [0.5, 1], [1, 1]],
  /** Of those that blur. */
  blurEvery: evenly(1, 2, 3, 4),
  smallNorm: PERCENTILES,
  contribution: [[0, 20], ...PERCENTILES.slice(1)],
  absContribution: PERCENTILES,
  policy: [['progress', 10], ['constant', 5]],
  /** Of policy constant. */
  rate: evenly(0.001, 0.01, 0.1, 1, 10, 100),
  /** Of policy progress. */
  maxRate: evenly(1e2, 1e4, 1e6, 1e8),
  desired: evenly(0.1, 0.2, 0.5, 1, 2, 5),
} as const satisfies Partial<Record<keyof AscentSettings, Weighted<unknown>>>;

/** One of the values, by a number in [0, 1). */
export function pick<T>(values: Weighted<T>, at: number): T {
  let left = at * values.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of values) {
    if (left < weight) return value;
    left -= weight;
  }
  return values.at(-1)![0];
}

export interface DrawOptions {
  /** The most that are allowed: for slow machines. */
  readonly iterations?: number | undefined;
  /** Steps as long as the drawn gain wants them: for networks that the published ones do not move. */
  readonly free?: boolean | undefined;
}

export function drawSettings(random: NumpyRandom, { iterations = Infinity, free = false }: DrawOptions = {}): AscentSettings {
  const draw = <T>(values: Weighted<T>): T => pick(values, random.randomSample());
  const blurRadius = draw(SEARCH_SPACE.blurRadius);
  const policy = free ? FREE_STEP.policy : draw<'progress' | 'constant'>(SEARCH_SPACE.policy);
  return ascentSettings({
    policy,
    ...(policy === 'constant' ? { rate: draw(SEARCH_SPACE.rate) } : { maxRate: draw(SEARCH_SPACE.maxRate), desired: draw(SEARCH_SPACE.desired) }),
    ...(free && { maxRate: FREE_STEP.maxRate }),
    decay: draw(SEARCH_SPACE.decay),
    blurRadius,
    blurEvery: blurRadius > 0 ? draw(SEARCH_SPACE.blurEvery) : 0,
    smallNorm: draw(SEARCH_SPACE.smallNorm),
    contribution: draw(SEARCH_SPACE.contribution),
    absContribution: draw(SEARCH_SPACE.absContribution),
    iterations: Math.min(iterations, draw(SEARCH_SPACE.iterations)),
  });
}

export const SWEPT = ['decay', 'blur', 'absContribution', 'smallNorm'] as const;
export type Swept = (typeof SWEPT)[number];

/** One try of a search. */
export interface SearchTrial {
  readonly number: number;
  readonly settings: AscentSettings;
  /** Of a sweep: which regularizer, and how much of it, 0..1. */
  readonly sweep?: { readonly regularizer: Swept; readonly strength: number };
}

/** Trial k is the same however many there are. */
export function searchTrials({ seed, trials, ...options }: DrawOptions & { readonly seed: number; readonly trials: number }): SearchTrial[] {
  return Array.from({ length: trials }, (_, number) => ({ number, settings: drawSettings(new NumpyRandom(mix(seed, number)), options) }));
}

const CONSTANT = { policy: 'constant', rate: 100 } as const;
const PROGRESS = { policy: 'progress', maxRate: 100, desired: 2 } as const;

/** One regularizer alone, from none of it at strength 0 to as much as makes sense at 1. */
export function sweptSettings(regularizer: Swept, strength: number): Partial<AscentSettings> {
  switch (regularizer) {
    case 'decay':
      return { ...CONSTANT, decay: 0.5 * strength };
    case 'blur':
      return { ...CONSTANT, blurRadius: strength, blurEvery: 4 + Math.floor(6 * (1 - strength)) };
    case 'absContribution':
      return { ...PROGRESS, absContribution: 95 * strength };
    case 'smallNorm':
      return { ...PROGRESS, smallNorm: 95 * strength };
  }
}

export interface SweepOptions {
  /** Strengths from 0 to 1, both included: 2 or more. */
  readonly steps: number;
  readonly iterations?: number | undefined;
  /** A step size for all of them, where the published ones do not fit the network. */
  readonly step?: Partial<AscentSettings> | undefined;
}

/** Every regularizer at every strength, a regularizer after another. */
export function sweepTrials({ steps, iterations = 1000, step }: SweepOptions): SearchTrial[] {
  const strengths = Array.from({ length: steps }, (_, i) => i / (steps - 1));
  return SWEPT.flatMap((regularizer) => strengths.map((strength) => ({ regularizer, strength }))).map((sweep, number) => ({
    number,
    settings: ascentSettings({ ...sweptSettings(sweep.regularizer, sweep.strength), ...step, iterations }),
    sweep,
  }));
}
