import { describe, expect, test } from 'vitest';
import { distanceAt, rateAt, type Schedule } from '../../src/methods/schedule.ts';

const rates = (schedule: Schedule, steps: number): number[] => Array.from({ length: steps }, (_, step) => rateAt(schedule, step, steps));

describe('rateAt', () => {
  test('constant', () => expect(rates({ kind: 'constant', rate: 0.5 }, 3)).toEqual([0.5, 0.5, 0.5]));

  test('linear warm-up, in steps and as a share, reaches the rate with its last step', () => {
    const expected = [0.25, 0.5, 0.75, 1, 1, 1, 1, 1];
    expect(rates({ kind: 'constant', rate: 1, warmup: 4 }, 8)).toEqual(expected);
    expect(rates({ kind: 'constant', rate: 1, warmup: 0.5 }, 8)).toEqual(expected);
    expect(rates({ kind: 'constant', rate: 2, warmup: 1 }, 2)).toEqual([2, 2]);
  });

  test('steps at numbers and shares, in any order', () => {
    const expected = [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25];
    expect(rates({ kind: 'step', rate: 1, factor: 0.5, at: [2, 5] }, 8)).toEqual(expected);
    expect(rates({ kind: 'step', rate: 1, factor: 0.5, at: [0.625, 0.25] }, 8)).toEqual(expected);
    expect(rates({ kind: 'step', rate: 1, factor: 0.5, at: [2], warmup: 2 }, 4)).toEqual([0.5, 1, 0.5, 0.5]);
  });

  test('cosine from the rate to the floor', () => {
    const [first, second, middle, fourth, last] = rates({ kind: 'cosine', rate: 2 }, 5) as [number, number, number, number, number];
    expect(first).toBe(2);
    expect(second).toBeCloseTo(1 + Math.SQRT1_2, 12);
    expect(middle).toBeCloseTo(1, 12);
    expect(fourth).toBeCloseTo(1 - Math.SQRT1_2, 12);
    expect(last).toBeCloseTo(0, 12);
    expect(rateAt({ kind: 'cosine', rate: 2, floor: 0.1 }, 4, 5)).toBeCloseTo(0.2, 12);
    expect(rates({ kind: 'cosine', rate: 1, warmup: 2 }, 5)).toEqual([0.5, 1, 1, expect.closeTo(0.5, 12), expect.closeTo(0, 12)]);
  });

  test('one step, and steps past the last', () => {
    expect(rateAt({ kind: 'cosine', rate: 1 }, 0, 1)).toBe(1);
    expect(rateAt({ kind: 'cosine', rate: 1 }, 99, 10)).toBeCloseTo(0, 12);
    expect(rateAt({ kind: 'cosine', rate: 1, warmup: 50 }, 9, 10)).toBe(0.2);
  });

  test.each<[string, Schedule, number?, number?]>([
    ['rate', { kind: 'constant', rate: -1 }],
    ['rate', { kind: 'constant', rate: NaN }],
    ['warmup', { kind: 'constant', rate: 1, warmup: -1 }],
    ['factor', { kind: 'step', rate: 1, factor: Infinity, at: [] }],
    ['at', { kind: 'step', rate: 1, factor: 1, at: [1, NaN] }],
    ['floor', { kind: 'cosine', rate: 1, floor: 2 }],
    ['step', { kind: 'constant', rate: 1 }, -1],
    ['steps', { kind: 'constant', rate: 1 }, 0, 0],
  ])('refuses a bad %s', (attribute, schedule, step = 0, steps = 10) => {
    expect(() => rateAt(schedule, step, steps)).toThrow(expect.objectContaining({ code: 'usage', address: { attribute } }));
  });
});

test('a cosine begins anew at its restarts, with their rates and the warm-up of each', () => {
  const cycle = (rate: number, steps: number): number[] => rates({ kind: 'cosine', rate, warmup: 2, floor: 0.1 }, steps);
  const restarts = [{ at: 6, rate: 0.5 }, { at: 9, rate: 0.25 }];
  expect(rates({ kind: 'cosine', rate: 1, warmup: 2, floor: 0.1, restarts }, 14)).toEqual([...cycle(1, 6), ...cycle(0.5, 3), ...cycle(0.25, 5)]);
  expect(rates({ kind: 'cosine', rate: 1, warmup: 2, floor: 0.1, restarts: [{ at: 0.5, rate: 2 }] }, 12)).toEqual([...cycle(1, 6), ...cycle(2, 6)]);
  expect(() => rateAt({ kind: 'cosine', rate: 1, restarts: [{ at: 20, rate: 1 }] }, 0, 10)).toThrow(/restarts must be steps before 10/);
});

test('the distance of adversarial training grows from nothing to its whole, between steps or shares of them', () => {
  const distances = (from: number, until: number): number[] => Array.from({ length: 8 }, (_, step) => distanceAt({ distance: 6, from, until }, step, 8));
  expect(distances(2, 4)).toEqual([0, 0, 2, 4, 6, 6, 6, 6]);
  expect(distances(0.25, 0.5)).toEqual([0, 0, 2, 4, 6, 6, 6, 6]);
  expect(distances(0, 0)).toEqual([6, 6, 6, 6, 6, 6, 6, 6]);
});
