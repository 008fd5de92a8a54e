/** Which pictures a step learns from: every one once in an epoch, in an order that only seed and step decide. */
import { describe, expect, test } from 'vitest';
import { Epochs, RepeatedScenes } from '../../src/methods/batches.ts';
import { mix, shuffled } from '../../src/methods/chance.ts';
import { TRAINING_SEEDS } from '../../src/methods/scenes.ts';

const steps = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('chance', () => {
  test('is the same on every machine', () => {
    expect([mix(), mix(0), mix(1), mix(1, 2), mix(2, 1), mix(2 ** 32 - 1)].map((value) => value.toString(16))).toEqual(['0', 'ad0af653', '44263e39', 'f3ee4eeb', 'd9c34921', 'd9b61883']);
  });

  test('changes about half of its bits with one of a word', () => {
    let changed = 0;
    for (let i = 0; i < 1000; i++) for (let bit = 0; bit < 32; bit += 5) changed += (mix(i, 5) ^ mix(i ^ (1 << bit), 5)).toString(2).replace(/[^1]/g, '').length;
    expect(changed / 7000).toBeGreaterThan(10);
  });

  test('shuffles: each number once, each place alike', () => {
    const sums = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      const order = shuffled(10, seed);
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      order.forEach((item, place) => (sums[place] += item / 2000));
    }
    for (const mean of sums) expect(Math.abs(mean - 4.5)).toBeLessThan(0.3);
  });
});

describe('epochs', () => {
  test('show every item once, but for those that fill no batch', () => {
    const epochs = new Epochs(11, 3, 5);
    expect(epochs.steps).toBe(3);
    const first = steps(3).flatMap((step) => [...epochs.items(step)]);
    expect(new Set(first).size).toBe(9);
    const second = [4, 5, 6].flatMap((step) => [...epochs.items(step)]);
    expect(second).not.toEqual(first);
    expect(new Set([...first, ...second, ...steps(60).slice(6).flatMap((step) => [...epochs.items(step)])]).size).toBe(11);
  });

  test('need no step before', () => {
    const [one, other] = [new Epochs(20, 4, 9), new Epochs(20, 4, 9)];
    const forth = steps(12).map((step) => [...one.items(step)]);
    const back = steps(12).reverse().map((step) => [...other.items(step)]);
    expect(back.reverse()).toEqual(forth);
    expect([...new Epochs(20, 4, 10).items(1)]).not.toEqual(forth[0]);
  });
});

test('drawn pictures come again in every epoch, each in its own class, all of them training ones', () => {
  const labels = Uint32Array.of(0, 0, 1, 1, 2, 2);
  const scenes = new RepeatedScenes(labels, 24, 3);
  expect(scenes.steps).toBe(4);
  const epoch = (number: number): string[] => steps(4).flatMap((step) => [...scenes.seeds(4 * number + step)].map((seed, n) => `${labels[n]} ${seed}`));
  const [first, second] = [epoch(0), epoch(1)];
  expect(new Set(first).size).toBe(24);
  expect(second).not.toEqual(first);
  expect([...second].sort()).toEqual([...first].sort());
  for (const item of first) expect(Number(item.split(' ')[1])).toBeGreaterThanOrEqual(TRAINING_SEEDS);
});
