/**
 * While anything awaits the GPU in Node, Dawn asks for results at every turn of the event loop, by `setImmediate`, and so
 * takes a whole core from the software GPU. In tests it asks once a millisecond.
 */
globalThis.setImmediate = Object.assign(
  <T extends unknown[]>(callback: (...words: T) => void, ...words: T) => setTimeout(callback, 1, ...words) as unknown as NodeJS.Immediate,
  { __promisify__: globalThis.setImmediate.__promisify__ },
);
