import { describe, expect, test } from 'vitest';
import { initialize, seedOf, type Initialization } from '../../src/methods/initialize.ts';

/** Mean, standard deviation, and the fourth moment about 0 over the square of the second: 3 where normal, 1.8 where uniform. */
function momentsOf(data: Float32Array): { mean: number; std: number; kurtosis: number } {
  let [sum, squares, fourth] = [0, 0, 0];
  for (const value of data) {
    sum += value;
    squares += value ** 2;
    fourth += value ** 4;
  }
  const n = data.length;
  return { mean: sum / n, std: Math.sqrt(squares / n), kurtosis: (fourth * n) / squares ** 2 };
}

describe('weights have the moments of their kind', () => {
  test.each<[string, readonly number[], Initialization, number, number]>([
    ['he', [64, 32, 3, 3], { kind: 'he' }, Math.sqrt(2 / 288), 3],
    ['he, dense', [100, 300], { kind: 'he' }, Math.sqrt(2 / 300), 3],
    ['he, uniform', [64, 32, 3, 3], { kind: 'he', distribution: 'uniform' }, Math.sqrt(2 / 288), 1.8],
    ['xavier', [64, 32, 3, 3], { kind: 'xavier' }, Math.sqrt(2 / (288 + 576)), 3],
    ['xavier, uniform', [100, 300], { kind: 'xavier', distribution: 'uniform' }, Math.sqrt(2 / 400), 1.8],
    ['normal', [20000], { kind: 'normal', std: 0.01 }, 0.01, 3],
  ])('%s', (_, shape, kind, std, kurtosis) => {
    const { data, shape: made } = initialize(shape, kind, 7);
    expect(made).toEqual(shape);
    const found = momentsOf(data);
    // Four standard errors of each.
    const root = Math.sqrt(data.length);
    expect(Math.abs(found.mean)).toBeLessThan((4 * std) / root);
    expect(Math.abs(found.std / std - 1)).toBeLessThan(4 / Math.sqrt(2) / root);
    expect(Math.abs(found.kurtosis - kurtosis)).toBeLessThan((4 * 5) / root);
    if (kurtosis < 2) expect(data.every((value) => Math.abs(value) <= std * Math.sqrt(3) * (1 + 2 ** -23))).toBe(true);
  });

  test('constants', () => {
    expect([...initialize([3], { kind: 'constant', value: 0 }, 1).data]).toEqual([0, 0, 0]);
    expect([...initialize([2, 1], { kind: 'constant', value: 0.5 }, 1).data]).toEqual([0.5, 0.5]);
  });
});

describe('seeds', () => {
  test('a seed always makes the same bits', () => {
    const { data } = initialize([4, 2], { kind: 'normal', std: 1 }, 0);
    expect(data).toEqual(initialize([4, 2], { kind: 'normal', std: 1 }, 0).data);
    // numpy.random.RandomState(0).normal(size=4)
    expect([...data.subarray(0, 4)]).toEqual([1.764052345967664, 0.4001572083672233, 0.9787379841057392, 2.240893199201458].map(Math.fround));
  });

  test('seeds and names make others', () => {
    const seeds = [seedOf(1, 'conv1'), seedOf(2, 'conv1'), seedOf(1, 'conv2')];
    expect(new Set(seeds).size).toBe(3);
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
    const [a, b] = seeds.map((seed) => initialize([8, 64], { kind: 'he' }, seed).data) as [Float32Array, Float32Array];
    const correlation = a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (a.length * (2 / 64));
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(a.length));
  });

  test.each<[readonly number[], Initialization, number]>([
    [[3], { kind: 'he' }, 1],
    [[3, 4], { kind: 'normal', std: NaN }, 1],
    [[3, 4], { kind: 'normal', std: -1 }, 1],
    [[3, 4], { kind: 'he' }, -1],
    [[3, 4], { kind: 'he' }, 1.5],
  ])('%j %j, seed %d is refused', (shape, kind, seed) => {
    expect(() => initialize(shape, kind, seed)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
