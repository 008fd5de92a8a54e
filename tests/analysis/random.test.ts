import { expect, test } from 'vitest';
import { Random } from '../../src/analysis/random.ts';

const MASK = (1n << 32n) - 1n;
const rotated = (word: bigint, by: bigint): bigint => ((word << by) | (word >> (32n - by))) & MASK;

/** xoshiro128** and its seeding in whole numbers of any length. */
function* twin(seed: number): Generator<number, never> {
  const state = [1n, 2n, 3n, 4n].map((n) => {
    let word = (BigInt(seed) + ((n * 0x9e3779b9n) & MASK)) & MASK;
    word = ((word ^ (word >> 16n)) * 0x85ebca6bn) & MASK;
    word = ((word ^ (word >> 13n)) * 0xc2b2ae35n) & MASK;
    return word ^ (word >> 16n);
  }) as [bigint, bigint, bigint, bigint];
  for (;;) {
    yield Number((rotated((state[1] * 5n) & MASK, 7n) * 9n) & MASK);
    const shifted = (state[1] << 9n) & MASK;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotated(state[3], 11n);
  }
}

test.each([0, 1, 123456789, 4294967295])('the stream of seed %d is that of the definition', (seed) => {
  const [random, expected] = [new Random(seed), twin(seed)];
  for (let i = 0; i < 200; i++) expect(random.bits()).toBe(expected.next().value);
});

test('values lie where they should, evenly', () => {
  const random = new Random(7);
  const dice = new Array<number>(6).fill(0);
  for (let i = 0; i < 6000; i++) dice[random.below(6)]!++;
  for (const count of dice) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(1000));
  const normal = Array.from({ length: 4000 }, () => random.normal());
  const mean = normal.reduce((a, b) => a + b) / 4000;
  const variance = normal.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4000;
  expect(Math.abs(mean)).toBeLessThan(0.06);
  expect(Math.abs(variance - 1)).toBeLessThan(0.1);
  expect(normal.filter((value) => Math.abs(value) < 1).length / 4000).toBeCloseTo(0.683, 1);
});
