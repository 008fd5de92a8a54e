import { describe, expect, test } from 'vitest';
import { linearScale, logScale, markedScale, short } from './scale.ts';

describe('a logarithmic scale', () => {
  test('ends at round values around the data, and equal ratios are equal lengths', () => {
    const { at, ticks } = logScale([3, 70], 0, 100);
    expect(ticks.map(({ value }) => value)).toEqual([2, 5, 10, 20, 50, 100]);
    expect([at(2), at(100)]).toEqual([0, 100]);
    expect(at(20) - at(10)).toBeCloseTo(at(10) - at(5), 10);
  });

  test('labels powers of ten alone where it is long', () => {
    const { ticks } = logScale([0.3, 40_000], 0, 100);
    expect(ticks.filter(({ label }) => label !== '').map(({ label }) => label)).toEqual(['1', '10', '100', '1k', '10k']);
    expect(ticks.at(-1)!.value).toBe(50_000);
  });

  test('has a length with one value, and with none', () => {
    expect(logScale([10], 0, 100).ticks.map(({ value }) => value)).toEqual([10, 20]);
    expect(logScale([], 0, 100).ticks.length).toBeGreaterThan(1);
    expect(logScale([0, NaN, Infinity, 5], 0, 100).at(5)).toBe(0);
  });
});

test('a linear scale starts at zero and ends at a round value', () => {
  expect(linearScale([130, 610], 100, 0).ticks.map(({ value }) => value)).toEqual([0, 200, 400, 600, 800]);
  expect(linearScale([130, 610], 100, 0).at(800)).toBe(0);
  expect(linearScale([1], 0, 100).ticks).toHaveLength(6);
});

test('a marked scale has its values as marks and keeps their ratios', () => {
  const { at, ticks } = markedScale([16, 1, 4, 4], String, 0, 80);
  expect(ticks.map(({ label }) => label)).toEqual(['1', '4', '16']);
  expect(ticks.map(({ value }) => at(value))).toEqual([0, 40, 80]);
  expect(markedScale([4], String, 0, 80).at(4)).toBe(40);
});

test.each([[0.005, '0.005'], [0.30000000000000004, '0.3'], [20, '20'], [5000, '5k'], [200_000, '200k']])('%s is written %s', (value, text) => {
  expect(short(value)).toBe(text);
});
