/**
 * Packs blocks of bytes that live for a while into as few bytes as it can: blocks that are never alive together may
 * lie over each other. Not all in one buffer, because a dispatch may not read and write the same one: some blocks
 * have to be apart. Finding the least is hard: several greedy orders are tried, and the best ones varied a little.
 */

export interface Block {
  readonly id: number;
  readonly bytes: number;
  /** First and last step at which it is alive. */
  readonly first: number;
  readonly last: number;
  /** Blocks that may not lie in the same buffer. */
  readonly apart: ReadonlySet<number>;
}

export interface Spot {
  readonly buffer: number;
  /** Byte of the buffer at which it begins. */
  readonly offset: number;
}

export interface Packing {
  readonly spots: ReadonlyMap<number, Spot>;
  /** Bytes by buffer. */
  readonly buffers: readonly number[];
  readonly bytes: number;
}

/** Where a storage binding may begin, under WebGPU's default limits. */
export const ALIGNMENT = 256;

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

const span = ({ first, last }: Block): number => last - first;

/** What is placed first; ties go to the earlier block. */
const ORDERS: readonly ((a: Block, b: Block) => number)[] = [
  (a, b) => b.bytes - a.bytes,
  (a, b) => b.bytes - a.bytes || span(b) - span(a),
  (a, b) => b.bytes * (span(b) + 1) - a.bytes * (span(a) + 1),
  (a, b) => b.bytes * Math.cbrt(span(b) + 1) - a.bytes * Math.cbrt(span(a) + 1),
  (a, b) => span(b) - span(a) || b.bytes - a.bytes,
  (a, b) => a.first - b.first || b.bytes - a.bytes,
  (a, b) => b.last - a.last || b.bytes - a.bytes,
];

interface Taste {
  /** Rather make a buffer longer than begin another one, where both cost the same. */
  readonly grow: boolean;
  /** Of buffers that cost the same, rather take the largest than the smallest. */
  readonly large: boolean;
}

const TASTES: readonly Taste[] = [
  { grow: false, large: true },
  { grow: false, large: false },
  { grow: true, large: true },
  { grow: true, large: false },
];

/** How often each of the best orders is varied, at most, and how many pairs of blocks may be looked at for it. */
const ROUNDS = 200;
const PATIENCE = 500_000;

interface Attempt {
  readonly order: readonly Block[];
  readonly taste: Taste;
  readonly packing: Packing;
}

/** @param most bytes of a buffer, unless a single block has more */
export function pack(blocks: readonly Block[], most: number): Packing {
  const sorted = [...blocks].sort((a, b) => a.first - b.first || a.id - b.id);
  const attempts = ORDERS.map((compare) => [...sorted].sort(compare)).flatMap((order) =>
    TASTES.map((taste): Attempt => ({ order, taste, packing: place(order, taste, most)! })),
  );
  const draw = numbers();
  const best = attempts.sort(nicer).slice(0, 3).map((attempt) => vary(attempt, most, peak(sorted), draw));
  return best.sort(nicer)[0]!.packing;
}

/** Fewer bytes; else more buffers, so that steps which have nothing to do with each other need not wait. */
const nicer = ({ packing: a }: Attempt, { packing: b }: Attempt): number => a.bytes - b.bytes || b.buffers.length - a.buffers.length;

/** Moves one block after another to another place of the order, and keeps what makes it no worse. */
function vary(start: Attempt, most: number, least: number, draw: (below: number) => number): Attempt {
  let now = start;
  const rounds = Math.min(ROUNDS, PATIENCE / start.order.length ** 2);
  for (let round = 0; round < rounds && now.packing.bytes > least; round++) {
    const order = [...now.order];
    const [moved] = order.splice(draw(order.length), 1);
    order.splice(draw(order.length + 1), 0, moved!);
    const packing = place(order, now.taste, most, now.packing.bytes);
    if (packing) now = { ...now, order, packing };
  }
  return now;
}

/** The most bytes alive at one step. */
export function peak(blocks: readonly Pick<Block, 'first' | 'last' | 'bytes'>[]): number {
  const change = new Map<number, number>();
  for (const { first, last, bytes } of blocks) {
    change.set(first, (change.get(first) ?? 0) + bytes);
    change.set(last + 1, (change.get(last + 1) ?? 0) - bytes);
  }
  let now = 0;
  let most = 0;
  for (const [, bytes] of [...change].sort(([a], [b]) => a - b)) most = Math.max(most, (now += bytes));
  return most;
}

interface Laid {
  readonly offset: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/** One block after another where it costs the fewest bytes; undefined once that is more than `enough`. */
function place(order: readonly Block[], { grow, large }: Taste, most: number, enough = Infinity): Packing | undefined {
  const spots = new Map<number, Spot>();
  const buffers: number[] = [];
  /** What lies in each buffer, by offset. */
  const laid: Laid[][] = [];
  let total = 0;
  for (const block of order) {
    const bytes = aligned(block.bytes);
    const closed = new Set<number | undefined>();
    for (const id of block.apart) closed.add(spots.get(id)?.buffer);
    let best: { buffer: number; offset: number; growth: number } | undefined;
    buffers.forEach((size, buffer) => {
      if (closed.has(buffer)) return;
      const offset = gap(laid[buffer]!, block, bytes);
      const growth = Math.max(0, offset + bytes - size);
      if (growth > 0 && offset + bytes > most) return;
      const preferred = best && growth === best.growth && (large ? size > buffers[best.buffer]! : size < buffers[best.buffer]!);
      if (!best || growth < best.growth || preferred) best = { buffer, offset, growth };
    });
    if (!best || (grow ? best.growth > bytes : best.growth >= bytes)) best = { buffer: buffers.length, offset: 0, growth: bytes };
    const { buffer, offset, growth } = best;
    if ((total += growth) > enough) return undefined;
    buffers[buffer] = (buffers[buffer] ?? 0) + growth;
    const list = (laid[buffer] ??= []);
    const at = list.findIndex((other) => other.offset >= offset);
    list.splice(at < 0 ? list.length : at, 0, { offset, end: offset + bytes, first: block.first, last: block.last });
    spots.set(block.id, { buffer, offset });
  }
  return { spots, buffers, bytes: total };
}

/** The lowest place where a block fits between those that are alive with it. */
function gap(laid: readonly Laid[], { first, last }: Block, bytes: number): number {
  let offset = 0;
  for (const other of laid) {
    if (other.first > last || first > other.last) continue;
    if (other.offset - offset >= bytes) break;
    if (other.end > offset) offset = other.end;
  }
  return offset;
}

/** Whole numbers below a bound, the same on every machine (xorshift32). */
function numbers(): (below: number) => number {
  let state = 0x9e3779b1 | 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
