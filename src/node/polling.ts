/**
 * While anything awaits the GPU in Node, Dawn asks for results at every turn of the event loop, by `setImmediate`. That
 * takes a whole core, which a software adapter could use.
 */

/** Dawn asks once a millisecond from now on. Everything else that uses the global `setImmediate` waits as long; idempotent. */
export function askOnceAMillisecond(): void {
  const { __promisify__ } = globalThis.setImmediate;
  const later = <T extends unknown[]>(callback: (...words: T) => void, ...words: T) => setTimeout(callback, 1, ...words) as unknown as NodeJS.Immediate;
  globalThis.setImmediate = Object.assign(later, { __promisify__ });
}
