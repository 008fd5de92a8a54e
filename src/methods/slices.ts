/**
 * Runs a loop of passes in slices: several iterations per submission, as many as keep the GPU busy for 50-100 ms, two
 * submissions in flight, and one row of numbers per iteration that comes back through a ring of staging buffers.
 */
import type { Runner } from '../scheduler/runner.ts';

export interface SliceOptions {
  readonly runner: Runner;
  /** Name of the tensor that the passes write one row of per iteration, round and round. */
  readonly source: string;
  /** Rows of that tensor, and f32 words of a row. */
  readonly rows: number;
  readonly rowWords: number;
  /** First iteration, and the end; the end may move while it runs. */
  readonly first: number;
  readonly last: () => number;
  readonly passes: (step: number) => string[];
  /** Called with the next iteration after each submission. */
  readonly submitted: (next: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Aim for the time of one submission, ms: short enough for a desktop to stay alive, long enough to fill a GPU. */
export const SLICE_MS = { least: 50, most: 100 } as const;

/** The next slice length: doubles below the window, shrinks in proportion above it. */
export function adaptSlice(steps: number, ms: number, most: number): number {
  if (ms > SLICE_MS.most) return Math.max(1, Math.floor((steps * SLICE_MS.most) / ms));
  return ms < SLICE_MS.least ? Math.min(most, steps * 2) : steps;
}

const IN_FLIGHT = 2;

export async function* runSlices(o: SliceOptions): AsyncGenerator<{ step: number; row: Float32Array }, void, void> {
  const { engine } = o.runner;
  const bytes = o.rows * o.rowWords * 4;
  const ring = Array.from({ length: IN_FLIGHT }, (_, i) =>
    engine.createBuffer(`progress ring ${i}`, bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
  );
  const free = [...ring];
  const flights: { first: number; count: number; staging: GPUBuffer; numbers: Promise<ArrayBuffer> }[] = [];
  let next = o.first;
  let slice = 1;
  let landed = performance.now();
  const launch = (): void => {
    const count = Math.min(slice, o.last() - next, o.rows);
    const staging = free.pop()!;
    const first = next;
    const names = Array.from({ length: count }, (_, i) => o.passes(first + i)).flat();
    const { buffer, offset } = o.runner.binding(o.source);
    o.runner.run(names, (encoder) => encoder.copyBufferToBuffer(buffer, offset, staging, 0, bytes));
    next += count;
    o.submitted(next);
    const numbers = engine.map(staging, bytes);
    // It may fail while nobody waits for it; whoever takes the flight is told.
    numbers.catch(() => undefined);
    flights.push({ first, count, staging, numbers });
  };
  try {
    while (next < o.last() || flights.length > 0) {
      while (flights.length < IN_FLIGHT && next < o.last() && !o.signal?.aborted) launch();
      const flight = flights.shift();
      if (!flight) return; // stopped on request, everything has landed
      const numbers = new Float32Array(await flight.numbers);
      free.push(flight.staging);
      const now = performance.now();
      slice = adaptSlice(flight.count, now - landed, o.rows);
      landed = now;
      for (let step = flight.first; step < flight.first + flight.count; step++) {
        const row = step % o.rows;
        yield { step, row: numbers.subarray(row * o.rowWords, (row + 1) * o.rowWords) };
      }
    }
  } finally {
    for (const { numbers } of flights) await numbers.catch(() => undefined);
    for (const buffer of ring) engine.destroyBuffer(buffer);
  }
}
