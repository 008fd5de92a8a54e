/** Assigns tensors to buffers: tensors whose lives do not overlap share one. */

export interface Life {
  readonly id: number;
  readonly bytes: number;
  /** Index of the first step that writes it and of the last that touches it; pinned tensors live always. */
  readonly first: number;
  readonly last: number;
  readonly pinned: boolean;
}

export interface Assignment {
  /** Buffer index by tensor id. */
  readonly bufferOf: ReadonlyMap<number, number>;
  /** Bytes by buffer. */
  readonly buffers: readonly number[];
}

/** The most bytes alive at one step, pinned ones included: no assignment can use less. */
export function liveBytes(lives: readonly Life[]): number {
  const pinned = lives.filter((life) => life.pinned).reduce((sum, { bytes }) => sum + bytes, 0);
  const change = new Map<number, number>();
  for (const { first, last, bytes } of lives.filter((life) => !life.pinned)) {
    change.set(first, (change.get(first) ?? 0) + bytes);
    change.set(last + 1, (change.get(last + 1) ?? 0) - bytes);
  }
  let now = pinned;
  let most = pinned;
  for (const [, bytes] of [...change].sort(([a], [b]) => a - b)) most = Math.max(most, (now += bytes));
  return most;
}

/**
 * Greedy by time: a tensor takes the free buffer that fits it best (the smallest that is large enough, else the
 * largest, which grows), or a new one. Pinned tensors have a buffer to themselves.
 */
export function assignBuffers(lives: readonly Life[]): Assignment {
  const bufferOf = new Map<number, number>();
  const buffers: number[] = [];
  const busyUntil: number[] = [];
  for (const life of [...lives].sort((a, b) => a.first - b.first || b.bytes - a.bytes || a.id - b.id)) {
    const free = life.pinned ? [] : busyUntil.map((last, index) => ({ last, index })).filter(({ last }) => last < life.first);
    const fit = (index: number): number => {
      const spare = buffers[index]! - life.bytes;
      return spare >= 0 ? spare : 1e15 - spare;
    };
    const best = free.map(({ index }) => index).sort((a, b) => fit(a) - fit(b))[0];
    const index = best ?? buffers.length;
    buffers[index] = Math.max(buffers[index] ?? 0, life.bytes);
    busyUntil[index] = life.pinned ? Infinity : life.last;
    bufferOf.set(life.id, index);
  }
  return { bufferOf, buffers };
}
