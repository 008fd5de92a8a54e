/** Work in numbered pieces that comes back late: the GPU has the next piece while the numbers of the last one travel. */
import { throwIfAborted } from '../errors.ts';

const IN_FLIGHT = 2;

/**
 * Launches the pieces 0 to below `count` in order, a few ahead of what has come back, and yields their results in order.
 * Nothing is under way any more when it ends.
 * @param launch submits a piece at once, and promises its result
 * @throws aborted, and what the pieces throw
 */
export async function* inFlight<T>(count: number, launch: (piece: number) => Promise<T>, signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
  const flights: Promise<T>[] = [];
  try {
    for (let next = 0; next < count || flights.length > 0; ) {
      throwIfAborted(signal);
      while (flights.length < IN_FLIGHT && next < count) {
        const flight = launch(next++);
        // It may fail while nobody waits for it; whoever takes it is told.
        flight.catch(() => undefined);
        flights.push(flight);
      }
      yield await flights.shift()!;
    }
  } finally {
    await Promise.allSettled(flights);
  }
}
