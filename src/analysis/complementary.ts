/** Which few pictures of a search show what it has found: good ones that differ. */
import { farthestPoints } from './farthest_points.ts';

export interface Candidate {
  /** The activation that was reached. */
  readonly score: number;
  /** Place of the unit among the values of its layer; 1 where it is the largest. */
  readonly rank: number;
  /** Total variation. */
  readonly variation: number;
  /** What the picture looks like, as a point; of one length for all. */
  readonly features: ArrayLike<number>;
}

/** `complementary` in words. */
export const COMPLEMENTARY_RULE =
  'good: the unit is the largest value of its layer or its rank is in the best quarter of all trials, and the total variation is below the median; ' +
  'the first is the good one with the best score, each next the good one that is farthest from those before it';

/**
 * Indices of `count` candidates, by the rule above; where fewer are good, the total variation is let go, and then the rank.
 * The earlier one where two are equal.
 */
export function complementary(candidates: readonly Candidate[], count: number): number[] {
  const ranks = candidates.map(({ rank }) => rank).sort((a, b) => a - b);
  const quarter = ranks[Math.ceil(ranks.length / 4) - 1] ?? 1;
  const middle = median(candidates.map(({ variation }) => variation));
  const all = candidates.map((_, index) => index);
  const answering = all.filter((index) => candidates[index]!.rank <= Math.max(1, quarter));
  const good = answering.filter((index) => candidates[index]!.variation < middle);
  const pool = [good, answering].find(({ length }) => length >= count) ?? all;
  const best = pool.reduce((a, b, place) => (candidates[b]!.score > candidates[pool[a]!]!.score ? place : a), 0);
  return farthestPoints(pool.map((index) => candidates[index]!.features), best, count).map((place) => pool[place]!);
}

/** The middle one, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
}
