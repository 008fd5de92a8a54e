/**
 * Leaves out copies: where a step only copies a block of one tensor to another, and no other step would notice, both
 * sides share the block's memory. A part of a concatenation is then written in place, and the gradient of a part,
 * of a branch, of a view is the gradient that it would be copied from.
 */

/** Elements [offset, offset + size) of the memory that the tensor `root` owns. */
export interface Place {
  readonly root: number;
  readonly offset: number;
  readonly size: number;
}

/** All of `from` or all of `to`, whichever is smaller; its block in the other one starts at element `at`. */
export interface Block {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  /** More than one where the block lies scattered. */
  readonly pieces: number;
}

/** What a step does to tensors, by id. */
export interface Touches {
  readonly pass: string;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Set where the step does nothing but this. */
  readonly copy?: Block | undefined;
}

/** Who looks at tensors between the steps. */
export interface Watchers {
  /** Written from outside, at any time: these keep memory of their own. */
  readonly external: ReadonlySet<number>;
  /** Read from outside once the pass that makes them has run. */
  readonly kept: ReadonlySet<number>;
}

/** Elements (of 4 bytes) at which a binding may begin, under WebGPU's default limits. */
const ALIGNMENT = 256 / 4;

interface Access extends Place {
  readonly step: number;
  readonly write: boolean;
}

class Memory {
  /** Every access to a root's memory, in the order of the steps. */
  private readonly accesses = new Map<number, Access[]>();
  private readonly members = new Map<number, number[]>();
  readonly gone = new Set<number>();

  constructor(
    readonly places: Map<number, Place>,
    private readonly steps: readonly Touches[],
    private readonly watchers: Watchers,
  ) {
    for (const [id, { root }] of places) this.members.set(root, [...(this.members.get(root) ?? []), id]);
    steps.forEach(({ reads, writes, copy }, step) => {
      for (const id of reads) this.listOf(id).push({ ...this.touched(id, copy), step, write: false });
      for (const id of writes) this.listOf(id).push({ ...this.touched(id, copy), step, write: true });
    });
  }

  /** The part of a tensor that a step touches: a copy only its block. */
  private touched(id: number, copy: Block | undefined): Place {
    const place = this.places.get(id)!;
    if (!copy || copy.pieces > 1) return place;
    const size = Math.min(this.places.get(copy.from)!.size, this.places.get(copy.to)!.size);
    return size < place.size ? { ...place, offset: place.offset + copy.at, size } : place;
  }

  /** Whether the copy of step `c` could be left out by moving the memory of `moved`, all of it, into that of `into`. */
  fits(c: number, moved: number, into: number): boolean {
    const { from, at } = this.steps[c]!.copy!;
    const small = this.places.get(moved)!;
    const large = this.places.get(into)!;
    if (small.root === large.root || small.size !== this.places.get(small.root)!.size || small.size > large.size) return false;
    const block: Place = { root: large.root, offset: large.offset + at, size: small.size };
    if (block.offset % ALIGNMENT !== 0) return false;
    // Kernels may write whole quads: none may reach into what lies behind the block.
    if (block.size % 4 !== 0 && block.offset + block.size !== this.places.get(block.root)!.size) return false;
    if (this.watched(this.watchers.external, small)) return false;
    if (this.boundTogether(c, small.root, large.root)) return false;
    const [source, sink] = moved === from ? [small, block] : [block, small];
    return this.sameValues(c, source, sink);
  }

  /** Moves the memory; the step is gone. */
  merge(c: number, moved: number, into: number): void {
    const { at } = this.steps[c]!.copy!;
    const { root: old } = this.places.get(moved)!;
    const { root, offset } = this.places.get(into)!;
    const shift = <T extends Place>(place: T): T => ({ ...place, root, offset: place.offset + offset + at });
    for (const id of this.members.get(old)!) this.places.set(id, shift(this.places.get(id)!));
    this.members.set(root, [...this.members.get(root)!, ...this.members.get(old)!]);
    this.gone.add(c);
    const left = [...(this.accesses.get(root) ?? []), ...(this.accesses.get(old) ?? []).map(shift)].filter(({ step }) => step !== c);
    this.accesses.set(root, left.sort((a, b) => a.step - b.step));
    this.members.delete(old);
    this.accesses.delete(old);
  }

  /** One dispatch may not bind a buffer for reading and for writing. */
  private boundTogether(c: number, a: number, b: number): boolean {
    const written = new Map<number, boolean>();
    for (const { step, write } of this.accesses.get(a) ?? []) written.set(step, write || written.get(step) === true);
    return (this.accesses.get(b) ?? []).some(({ step, write }) => step !== c && written.has(step) && (write || written.get(step) === true));
  }

  /** Whether everybody who reads either side of the copy still finds there what the copy would have left. */
  private sameValues(c: number, source: Place, sink: Place): boolean {
    const before = this.within(source);
    const after = this.within(sink);
    if (after.some(({ step }) => step < c) || before.some(({ step, write }) => write && step > c)) return false;
    const changed = after.find(({ step, write }) => write && step > c)?.step ?? Infinity;
    const { external, kept } = this.watchers;
    const sourceExternal = this.watched(external, source);
    if (changed < Infinity && (sourceExternal || this.watched(kept, source))) return false;
    if (before.some(({ step, write }) => !write && step > changed)) return false;
    if (!this.watched(external, sink) && !this.watched(kept, sink)) return true;
    // Whoever watches the sink sees it change with the source: not before its own pass, then.
    const { pass } = this.steps[c]!;
    return !sourceExternal && before.every(({ step, write }) => !write || this.steps[step]!.pass === pass);
  }

  private within(block: Place): Access[] {
    return (this.accesses.get(block.root) ?? []).filter((access) => overlap(access, block));
  }

  private watched(ids: ReadonlySet<number>, block: Place): boolean {
    return this.members.get(block.root)!.some((id) => ids.has(id) && overlap(this.places.get(id)!, block));
  }

  private listOf(id: number): Access[] {
    const { root } = this.places.get(id)!;
    const known = this.accesses.get(root);
    if (known) return known;
    const made: Access[] = [];
    this.accesses.set(root, made);
    return made;
  }
}

const overlap = (a: Place, b: Place): boolean => a.offset < b.offset + b.size && b.offset < a.offset + a.size;

/**
 * @param places where every tensor lies so far: views share the memory of their roots already.
 * @returns where they lie now, and the indices of the steps that are left out.
 */
export function coalesce(
  places: ReadonlyMap<number, Place>,
  steps: readonly Touches[],
  watchers: Watchers,
): { readonly places: ReadonlyMap<number, Place>; readonly gone: ReadonlySet<number> } {
  const memory = new Memory(new Map(places), steps, watchers);
  const size = ({ from, to }: Block): number => Math.min(places.get(from)!.size, places.get(to)!.size);
  const copies = steps.flatMap(({ copy }, c) => (copy?.pieces === 1 ? [{ c, copy }] : []));
  // Where two are in each other's way, the larger one is saved.
  for (const { c, copy: { from, to } } of copies.sort((a, b) => size(b.copy) - size(a.copy) || a.c - b.c)) {
    if (memory.fits(c, to, from)) memory.merge(c, to, from);
    else if (memory.fits(c, from, to)) memory.merge(c, from, to);
  }
  return { places: memory.places, gone: memory.gone };
}
