import { describe, expect, test } from 'vitest';
import { planSamples, relativeError, SLOW, summarize } from './statistics.ts';

describe('summarize', () => {
  test('gives the middle, the least and the most, whatever the order', () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, least: 1, most: 5 });
    expect(summarize([10, 2, 9, 1])).toEqual({ median: 5.5, least: 1, most: 10 });
    expect(summarize([7])).toEqual({ median: 7, least: 7, most: 7 });
  });

  test('sorts by value, not as text', () => expect(summarize([100, 20, 3]).median).toBe(20));

  test('refuses an empty list', () => expect(() => summarize([])).toThrow(RangeError));
});

describe('relativeError', () => {
  const y = (...values: number[]) => Float32Array.from(values);

  test('is |y - reference| / |reference|', () => {
    expect(relativeError(y(3, 4), y(3, 4))).toBe(0);
    expect(relativeError(y(3, 5), y(3, 4))).toBeCloseTo(0.2, 12);
    expect(relativeError(y(0, 0), y(3, 4))).toBe(1);
  });

  test('never calls a broken result an agreement', () => {
    expect(relativeError(y(1), y(1, 2))).toBe(Infinity);
    expect(relativeError(y(NaN, 2), y(1, 2))).toBe(Infinity);
    expect(relativeError(y(1, 2), y(1, NaN))).toBe(Infinity);
    expect(relativeError(y(1, 0), y(0, 0))).toBe(Infinity);
    expect(relativeError(y(0, 0), y(0, 0))).toBe(0);
  });
});

describe('planSamples', () => {
  test('queues short runs together and lets long ones alone', () => {
    expect(planSamples(0.1, 7)).toEqual({ count: 7, repeat: 64 });
    expect(planSamples(2, 7)).toEqual({ count: 7, repeat: 10 });
    expect(planSamples(100, 7)).toEqual({ count: 7, repeat: 1 });
  });

  test('takes fewer samples of what is slow', () => {
    expect(planSamples(SLOW + 1, 7).count).toBe(3);
    expect(planSamples(SLOW + 1, 1).count).toBe(1);
  });
});
