/** Which trials are chosen: the rule, case by case. */
import { expect, test } from 'vitest';
import { complementary, median, type Candidate } from '../../src/analysis/complementary.ts';

/** By score, rank, variation and place on a line. */
const candidate = ([score, rank, variation, place]: readonly number[]): Candidate => ({ score: score!, rank: rank!, variation: variation!, features: [place!] });

test('the best good one comes first, then those that differ most from it', () => {
  // The median of the variations is 5: the last four are too rough, the fourth and fifth do not answer.
  const trials = [[7, 1, 2, 0], [9, 1, 3, 4], [8, 1, 4, 10], [99, 5, 1, 50], [50, 9, 6, -50], [10, 1, 6, 90], [10, 1, 7, -90], [10, 1, 8, 70]].map(candidate);
  expect(complementary(trials, 2)).toEqual([1, 2]);
  expect(complementary(trials, 3)).toEqual([1, 2, 0]);
});

test('a rank of the best quarter is good where no unit is the largest', () => {
  const trials = [[3, 20, 1, 0], [2, 21, 1, 5], [9, 22, 1, 9], [9, 23, 1, 7], [5, 40, 5, 1], [5, 41, 5, 2], [5, 42, 5, 3], [5, 43, 5, 4]].map(candidate);
  expect(complementary(trials, 2)).toEqual([0, 1]);
});

test('where too few are good, roughness is let go, and then the rank', () => {
  const rough = [[1, 1, 5, 0], [4, 1, 5, 1], [3, 1, 5, 9], [9, 2, 1, 20]].map(candidate);
  expect(complementary(rough, 3)).toEqual([1, 2, 0]);
  expect(complementary(rough, 4)).toEqual([3, 0, 2, 1]);
  expect(complementary(rough.slice(0, 2), 4)).toEqual([1, 0]);
  expect(complementary([], 4)).toEqual([]);
});

test('medians', () => expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7]), median([])]).toEqual([2, 2.5, 7, NaN]));
