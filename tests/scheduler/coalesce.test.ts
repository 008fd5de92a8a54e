/** Copies that are left out: programs of copies and computations give the same with and without them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coalesce } from '../../src/scheduler/coalesce.ts';
import { choices, Program, randomProgram, UNIT } from './programs.ts';

const shared = (p: Program): ReturnType<typeof coalesce> => coalesce(p.places, p.steps, p);

test('any program gives the same, and no dispatch reads and writes one buffer that did not before', () => {
  let left = 0;
  fc.assert(
    fc.property(choices, (made) => {
      const p = randomProgram(made);
      const { places, gone } = shared(p);
      left += gone.size;
      const plain = p.run(p.places, p.order);
      const merged = p.run(places, p.order.filter((step) => !gone.has(step)));
      expect(merged.seen).toEqual(plain.seen);
      expect(merged.clashes).toEqual(plain.clashes.filter((step) => !gone.has(step)));
    }),
    { numRuns: 3000, seed: 5 },
  );
  expect(left).toBeGreaterThan(3000);
});

/** Indices of the copies that stay. */
const staying = (p: Program): number[] => {
  const { gone } = shared(p);
  return p.steps.flatMap(({ copy }, index) => (copy && !gone.has(index) ? [index] : []));
};

/** A program with an input and two layers of it. */
function layers(): { p: Program; x: number; a: number; b: number } {
  const p = new Program();
  const x = p.tensor(2);
  p.external.add(x);
  const [a, b] = [p.tensor(1), p.tensor(2)];
  p.step([x], [a]);
  p.step([x], [b]);
  return { p, x, a, b };
}

describe('a concatenation is written in place', () => {
  test('by its parts, which are read later on too', () => {
    const { p, a, b } = layers();
    const y = p.concat([a, b]);
    p.step([a, y], [p.tensor(1)]);
    const { places } = shared(p);
    expect(staying(p)).toEqual([]);
    expect([a, b].map((id) => places.get(id))).toEqual([{ root: y, offset: 0, size: UNIT }, { root: y, offset: UNIT, size: 2 * UNIT }]);
  });

  test('inside another one', () => {
    const { p, a, b } = layers();
    const inner = p.concat([a, b]);
    const c = p.tensor(1);
    p.step([inner], [c]);
    const outer = p.concat([c, inner]);
    expect(staying(p)).toEqual([5]); // c is made from what lies in the same buffer: it is copied, being the smaller one
    expect(shared(p).places.get(b)).toEqual({ root: outer, offset: 2 * UNIT, size: 2 * UNIT });
  });

  test('by a part that is kept, and by a view of a part', () => {
    const { p, a, b } = layers();
    p.kept.add(a);
    p.concat([a, p.tensor(0, b)]);
    expect(staying(p)).toEqual([]);
  });
});

describe('a part is copied', () => {
  test('where it is an input', () => {
    const { p, x, a } = layers();
    p.concat([a, x]);
    expect(staying(p)).toEqual([3]);
  });

  test('where it appears twice', () => {
    const { p, a, b } = layers();
    p.concat([a, b, a]);
    expect(staying(p)).toEqual([2, 4]);
  });

  test('where it lies in another concatenation already', () => {
    const { p, a, b } = layers();
    p.concat([a, b]);
    p.concat([b, a]);
    expect(staying(p)).toEqual([4, 5]);
  });

  test('where it begins at no offset that a binding may have, or ends within a quad', () => {
    const { p, a } = layers();
    const [odd, third] = [p.tensor(1.25 - 0.25 / 64), p.tensor(1)];
    p.step([a], [odd]);
    p.step([a], [third]);
    p.concat([odd, third]);
    expect(staying(p)).toEqual([4, 5]);
  });

  test('where it changes afterwards and the concatenation is still read', () => {
    const { p, x, a, b } = layers();
    const y = p.concat([a, b]);
    p.step([x], [a]);
    p.step([y], [p.tensor(1)]);
    expect(staying(p)).toEqual([2]);
  });
});

describe('a gradient is shared', () => {
  test('by the parts of a concatenation, where others add to one of them', () => {
    const { p, x } = layers();
    const whole = p.tensor(3);
    p.step([x], [whole]);
    const [a, b] = [p.tensor(1), p.tensor(2)];
    p.copy(whole, a, 0);
    p.copy(whole, b, 1);
    p.step([x], [b]);
    expect(staying(p)).toEqual([]);
  });

  test('by both branches of a residual block, once the first has been read', () => {
    const { p, x } = layers();
    const [sum, main, shortcut] = [p.tensor(2), p.tensor(2), p.tensor(2)];
    p.step([x], [sum]);
    p.copy(sum, main, 0);
    p.copy(sum, shortcut, 0);
    p.step([main], [p.tensor(2)]);
    p.step([x], [shortcut]);
    expect(staying(p)).toEqual([]);
  });

  test('but not while the first is still to be read', () => {
    const { p, x } = layers();
    const [sum, main, shortcut] = [p.tensor(2), p.tensor(2), p.tensor(2)];
    p.step([x], [sum]);
    p.copy(sum, main, 0);
    p.copy(sum, shortcut, 0);
    p.step([x], [shortcut]);
    p.step([main], [p.tensor(2)]);
    expect(staying(p)).toHaveLength(1);
  });

  test('with the seed, unless something is added to it', () => {
    const { p, x, b } = layers();
    const seed = p.tensor(2);
    p.external.add(seed);
    const [main, shortcut] = [p.tensor(2), p.tensor(2)];
    p.copy(seed, main, 0);
    p.copy(seed, shortcut, 0);
    p.step([main], [b]);
    p.step([x], [shortcut]);
    expect(staying(p)).toEqual([3]);
    expect(shared(p).places.get(main)!.root).toBe(seed);
  });

  test('with the tensor that the caller reads', () => {
    const { p, b } = layers();
    const dx = p.tensor(2);
    p.external.add(dx);
    p.kept.add(dx);
    p.copy(b, dx, 0);
    expect(staying(p)).toEqual([]);
    expect(shared(p).places.get(b)!.root).toBe(dx);
  });
});
