/** The drawn settings against the published weights, and the sweep against its formulas. */
import { describe, expect, test } from 'vitest';
import { pick, searchTrials, SEARCH_SPACE, sweepTrials, SWEPT, type Weighted } from '../../src/methods/search_space.ts';
import { DEFAULT_SETTINGS, type AscentSettings } from '../../src/methods/settings.ts';

/** As often as each value was drawn, within five standard deviations of a binomial count. */
function expectShares(values: readonly unknown[], weights: Readonly<Record<string, number>>): void {
  const total = Object.values(weights).reduce((a, b) => a + b);
  expect(new Set(values.map(String))).toEqual(new Set(Object.keys(weights)));
  for (const [value, weight] of Object.entries(weights)) {
    const share = weight / total;
    const found = values.filter((own) => String(own) === value).length;
    expect(Math.abs(found - share * values.length), value).toBeLessThan(5 * Math.sqrt(values.length * share * (1 - share)));
  }
}

describe('20,000 draws', () => {
  const drawn = searchTrials({ seed: 11, trials: 20_000 }).map(({ settings }) => settings);
  const column = (name: keyof AscentSettings, of: readonly AscentSettings[] = drawn): unknown[] => of.map((settings) => settings[name]);
  const percentiles = { 10: 10, 20: 5, 30: 2, 50: 2, 80: 2, 90: 2 };

  test('have the published weights', () => {
    expectShares(column('decay'), { 0: 4, 0.0001: 1, 0.001: 1, 0.01: 2, 0.1: 1, 0.2: 1, 0.3: 1 });
    expectShares(column('iterations'), { 250: 1, 500: 1, 750: 1, 1000: 1, 1500: 1 });
    expectShares(column('blurRadius'), { 0: 10, 0.3: 2, 0.4: 1, 0.5: 1, 1: 1 });
    expectShares(column('smallNorm'), { 0: 10, ...percentiles });
    expectShares(column('contribution'), { 0: 20, ...percentiles });
    expectShares(column('absContribution'), { 0: 10, ...percentiles });
    expectShares(column('policy'), { progress: 10, constant: 5 });
  });

  test('have a blur, a rate or a gain where they are asked for', () => {
    const [blurred, sharp] = [drawn.filter(({ blurRadius }) => blurRadius > 0), drawn.filter(({ blurRadius }) => blurRadius === 0)];
    expectShares(column('blurEvery', blurred), { 1: 1, 2: 1, 3: 1, 4: 1 });
    expect(new Set(column('blurEvery', sharp))).toEqual(new Set([0]));
    const [constant, progress] = [drawn.filter(({ policy }) => policy === 'constant'), drawn.filter(({ policy }) => policy === 'progress')];
    expectShares(column('rate', constant), { 0.001: 1, 0.01: 1, 0.1: 1, 1: 1, 10: 1, 100: 1 });
    expectShares(column('maxRate', progress), { 100: 1, 10000: 1, 1000000: 1, 100000000: 1 });
    expectShares(column('desired', progress), { 0.1: 1, 0.2: 1, 0.5: 1, 1: 1, 2: 1, 5: 1 });
    expect(new Set(column('smallValue'))).toEqual(new Set([0]));
  });

  test('do not depend on each other', () => {
    const decaying = drawn.filter(({ decay }) => decay > 0);
    expectShares(column('smallNorm', decaying), { 0: 10, ...percentiles });
  });
});

test('a number in [0, 1) picks by weight, up to its ends', () => {
  const values = [['a', 1], ['none', 0], ['b', 3]] as const;
  expect([0, 0.2499, 0.25, 1 - 2 ** -53].map((at) => pick(values, at))).toEqual(['a', 'a', 'b', 'b']);
  expect((Object.values(SEARCH_SPACE) as Weighted<unknown>[]).every((own) => own.every(([, weight]) => weight > 0))).toBe(true);
});

test('a trial is the same however many there are, and another with another seed', () => {
  expect(searchTrials({ seed: 3, trials: 40 }).slice(0, 5)).toEqual(searchTrials({ seed: 3, trials: 5 }));
  expect(searchTrials({ seed: 4, trials: 5 })).not.toEqual(searchTrials({ seed: 3, trials: 5 }));
  const capped = searchTrials({ seed: 3, trials: 40, iterations: 600 });
  expect(new Set(capped.map(({ settings }) => settings.iterations))).toEqual(new Set([250, 500, 600]));
  expect(capped.map(({ settings }) => settings.decay)).toEqual(searchTrials({ seed: 3, trials: 40 }).map(({ settings }) => settings.decay));
});

test('a sweep turns one regularizer up at a time', () => {
  const trials = sweepTrials({ steps: 3 });
  expect(trials.map(({ sweep }) => sweep!.regularizer)).toEqual(SWEPT.flatMap((name) => [name, name, name]));
  const constant = { ...DEFAULT_SETTINGS, policy: 'constant', rate: 100, iterations: 1000 };
  const progress = { ...DEFAULT_SETTINGS, policy: 'progress', maxRate: 100, desired: 2, iterations: 1000 };
  expect(trials.map(({ settings }) => settings)).toEqual([
    ...[0, 0.25, 0.5].map((decay) => ({ ...constant, decay })),
    { ...constant, blurRadius: 0, blurEvery: 10 }, { ...constant, blurRadius: 0.5, blurEvery: 7 }, { ...constant, blurRadius: 1, blurEvery: 4 },
    ...[0, 47.5, 95].map((absContribution) => ({ ...progress, absContribution })),
    ...[0, 47.5, 95].map((smallNorm) => ({ ...progress, smallNorm })),
  ]);
  expect(sweepTrials({ steps: 2, iterations: 9, step: { policy: 'normalized', rate: 3 } }).every(({ settings }) => settings.policy === 'normalized' && settings.rate === 3 && settings.iterations === 9)).toBe(true);
});

test('free steps keep every other distribution', () => {
  const free = searchTrials({ seed: 2, trials: 4000, free: true }).map(({ settings }) => settings);
  expect(new Set(free.map(({ policy, maxRate }) => `${policy} ${maxRate}`))).toEqual(new Set(['progress 100000000']));
  expectShares(free.map(({ desired }) => desired), { 0.1: 1, 0.2: 1, 0.5: 1, 1: 1, 2: 1, 5: 1 });
  expectShares(free.map(({ decay }) => decay), { 0: 4, 0.0001: 1, 0.001: 1, 0.01: 2, 0.1: 1, 0.2: 1, 0.3: 1 });
});
