/** Copies that are left out: programs of copies and computations give the same with and without them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coalesce, type Place, type Touches } from '../../src/scheduler/coalesce.ts';

const UNIT = 64;

/** A program over tensors of whole units; it is made step by step, and can be run in the memory that it is given. */
class Program {
  readonly places = new Map<number, Place>();
  readonly steps: Touches[] = [];
  readonly external = new Set<number>();
  readonly kept = new Set<number>();
  pass = 'first';

  tensor(units: number, of?: number): number {
    const id = this.places.size;
    this.places.set(id, of === undefined ? { root: id, offset: 0, size: units * UNIT } : this.places.get(of)!);
    return id;
  }

  step(reads: readonly number[], writes: readonly number[]): void {
    this.steps.push({ pass: this.pass, reads, writes });
  }

  copy(from: number, to: number, at: number): void {
    this.steps.push({ pass: this.pass, reads: [from], writes: [to], copy: { from, to, at: at * UNIT } });
  }

  units(id: number): number {
    return this.places.get(id)!.size / UNIT;
  }

  /** Parts one behind the other, as a concatenation does. */
  concat(parts: readonly number[]): number {
    const y = this.tensor(parts.reduce((sum, part) => sum + this.units(part), 0));
    let at = 0;
    for (const part of parts) {
      this.copy(part, y, at);
      at += this.units(part);
    }
    return y;
  }

  coalesce(): ReturnType<typeof coalesce> {
    return coalesce(this.places, this.steps, this);
  }

  /** What everybody outside sees after every pass of two rounds, and the pairs that one dispatch reads and writes. */
  run(places: ReadonlyMap<number, Place>, gone: ReadonlySet<number>): { seen: unknown[]; clashes: number[] } {
    const memory = new Map([...places.values()].map(({ root }) => [root, new Map<number, number>()]));
    const cells = (id: number): { of: Map<number, number>; from: number; count: number } => {
      const { root, offset, size } = places.get(id)!;
      return { of: memory.get(root)!, from: offset / UNIT, count: size / UNIT };
    };
    const read = (id: number): number[] => {
      const { of, from, count } = cells(id);
      return Array.from({ length: count }, (_, i) => of.get(from + i) ?? 0);
    };
    const write = (id: number, values: readonly number[], at = 0): void => {
      const { of, from } = cells(id);
      values.forEach((value, i) => of.set(from + at + i, value));
    };
    const seen: unknown[] = [];
    const clashes: number[] = [];
    for (let round = 1; round <= 2; round++) {
      for (const id of this.external) write(id, read(id).map((_, i) => hash([round, id, i])));
      for (const pass of ['first', 'second']) {
        this.steps.forEach((step, index) => {
          if (step.pass !== pass || gone.has(index)) return;
          const roots = (ids: readonly number[]): number[] => ids.map((id) => places.get(id)!.root);
          if (roots(step.reads).some((root) => roots(step.writes).includes(root))) clashes.push(index);
          if (!step.copy) {
            const inputs = step.reads.flatMap(read);
            for (const id of step.writes) write(id, read(id).map((_, i) => hash([index, i, ...inputs])));
            return;
          }
          const { from, to, at } = step.copy;
          if (this.units(to) >= this.units(from)) write(to, read(from), at / UNIT);
          else write(to, read(from).slice(at / UNIT, at / UNIT + this.units(to)));
        });
        seen.push([...this.kept].map((id) => [id, read(id)]));
      }
    }
    return { seen, clashes };
  }
}

const hash = (words: readonly number[]): number => words.reduce((sum, word) => (Math.imul(sum ^ word, 0x01000193) + word + 1) | 0, 0x811c9dc5 | 0);

/** A random program: every choice is a number, taken modulo what there is to choose from. */
function random(choices: readonly (readonly [kind: number, number, number, number])[]): Program {
  const p = new Program();
  const ready = [p.tensor(1), p.tensor(2), p.tensor(3)];
  for (const id of ready) p.external.add(id);
  const pick = (n: number): number => ready[n % ready.length]!;
  const root = (id: number): number => p.places.get(id)!.root;
  choices.forEach(([kind, a, b, c], index) => {
    if (index === Math.floor(choices.length / 2)) p.pass = 'second';
    let made: number | undefined;
    if (kind < 3) p.step([pick(a), pick(b)], [(made = p.tensor(1 + (c % 3)))]);
    else if (kind < 6) made = p.concat([pick(a), pick(b), pick(c)].slice(0, 1 + (kind % 3)));
    else if (kind < 8) {
      const from = pick(a);
      const at = b % p.units(from);
      made = p.tensor(1 + (c % (p.units(from) - at)));
      p.copy(from, made, at);
    } else if (kind === 8) made = p.tensor(0, pick(a));
    else if (kind === 9 && root(pick(a)) !== root(pick(b))) p.step([pick(a)], [pick(b)]);
    else if (kind === 10 && root(pick(a)) !== root(pick(b)) && p.units(pick(a)) <= p.units(pick(b))) {
      p.copy(pick(a), pick(b), c % (p.units(pick(b)) - p.units(pick(a)) + 1));
    } else if (kind === 11) p.kept.add(pick(a));
    if (made !== undefined) ready.push(made);
    if (kind === 0 && c % 5 === 0) p.external.add(made!);
  });
  p.kept.add(ready.at(-1)!);
  for (const id of p.external) p.kept.add(id);
  return p;
}

test('any program gives the same, and no dispatch reads and writes one buffer that did not before', () => {
  let left = 0;
  const choice = fc.tuple(fc.nat(11), fc.nat(40), fc.nat(40), fc.nat(40));
  fc.assert(
    fc.property(fc.array(choice, { minLength: 1, maxLength: 30 }), (choices) => {
      const p = random(choices);
      const { places, gone } = p.coalesce();
      left += gone.size;
      const [plain, shared] = [p.run(p.places, new Set()), p.run(places, gone)];
      expect(shared.seen).toEqual(plain.seen);
      expect(shared.clashes).toEqual(plain.clashes.filter((step) => !gone.has(step)));
    }),
    { numRuns: 3000, seed: 5 },
  );
  expect(left).toBeGreaterThan(3000);
});

/** Indices of the copies that stay. */
const staying = (p: Program): number[] => {
  const { gone } = p.coalesce();
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
    const { places } = p.coalesce();
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
    expect(p.coalesce().places.get(b)).toEqual({ root: outer, offset: 2 * UNIT, size: 2 * UNIT });
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
    expect(p.coalesce().places.get(main)!.root).toBe(seed);
  });

  test('with the tensor that the caller reads', () => {
    const { p, b } = layers();
    const dx = p.tensor(2);
    p.external.add(dx);
    p.kept.add(dx);
    p.copy(b, dx, 0);
    expect(staying(p)).toEqual([]);
    expect(p.coalesce().places.get(b)!.root).toBe(dx);
  });
});
