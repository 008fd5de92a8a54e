/** Programs of copies and computations over symbolic tensors, and a machine that runs them in memory laid out at will. */
import fc from 'fast-check';
import type { Place, Touches } from '../../src/scheduler/coalesce.ts';

export const UNIT = 64;

/** A program over tensors of whole units; it is made step by step, and can be run in the memory that it is given. */
export class Program {
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
    this.steps.push({ pass: this.pass, reads: [from], writes: [to], copy: { from, to, at: at * UNIT, pieces: 1 } });
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

  /** As it was written. */
  get order(): number[] {
    return this.steps.map((_, index) => index);
  }

  /** What everybody outside sees after every pass of two rounds, and the pairs that one dispatch reads and writes. */
  run(places: ReadonlyMap<number, Place>, order: readonly number[]): { seen: unknown[]; clashes: number[] } {
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
        order.forEach((index) => {
          const step = this.steps[index]!;
          if (step.pass !== pass) return;
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

/** Choices for a random program. */
export const choices = fc.array(fc.tuple(fc.nat(11), fc.nat(40), fc.nat(40), fc.nat(40)), { minLength: 1, maxLength: 30 });

/** A random program: every choice is a number, taken modulo what there is to choose from. */
export function randomProgram(choices: readonly (readonly [kind: number, number, number, number])[]): Program {
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
