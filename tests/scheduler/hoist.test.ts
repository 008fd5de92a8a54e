/** Copies that are made early: the same results, and less memory at once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coalesce } from '../../src/scheduler/coalesce.ts';
import { hoist } from '../../src/scheduler/hoist.ts';
import { choices, Program, randomProgram } from './programs.ts';

const early = (p: Program): number[] => hoist(p.steps, p.places, p.kept);

test('any program gives the same, whether copies have been left out before or not', () => {
  let moved = 0;
  fc.assert(
    fc.property(choices, (made) => {
      const p = randomProgram(made);
      const plain = p.run(p.places, p.order).seen;
      const order = early(p);
      expect([...order].sort((a, b) => a - b)).toEqual(p.order);
      moved += order.filter((step, index) => step !== index).length;
      expect(p.run(p.places, order).seen).toEqual(plain);
      const { places, gone } = coalesce(p.places, p.steps, p);
      const left = p.order.filter((step) => !gone.has(step));
      const after = hoist(left.map((step) => p.steps[step]!), places, p.kept).map((index) => left[index]!);
      expect(p.run(places, after).seen).toEqual(plain);
    }),
    { numRuns: 3000, seed: 6 },
  );
  expect(moved).toBeGreaterThan(1000);
});

test('a part is copied as soon as it is there, unless somebody reads it later', () => {
  const p = new Program();
  const x = p.tensor(1);
  p.external.add(x);
  const [a, b, c] = [p.tensor(1), p.tensor(1), p.tensor(1)];
  for (const part of [a, b, c]) p.step([x], [part]);
  p.concat([a, b, c]);
  p.step([b], [p.tensor(1)]);
  expect(early(p)).toEqual([0, 3, 1, 2, 5, 4, 6]);
  p.kept.add(a);
  expect(early(p)).toEqual([0, 1, 2, 5, 3, 4, 6]);
});
