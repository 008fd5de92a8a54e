/**
 * What readers may make of an untrusted file. A few bytes can stand for an object of hundreds (an empty message, an empty
 * list), so readers count what they make, and stop before a small file has taken much memory.
 */
import { UnitscopeError } from '../errors.ts';

/** Beyond the size of the file. Networks of today stay below a tenth of it. */
const SPARE_BYTES = 24 * 2 ** 20;

/** Most layers of a network; deep ones of today have a few thousand. */
const LAYER_LIMIT = 10_000;

export class Budget {
  private left: number;

  constructor(
    private readonly file: string,
    fileBytes: number,
  ) {
    this.left = fileBytes + SPARE_BYTES;
  }

  /** Counts what is about to be made, in bytes as JavaScript holds it, roughly. Throws 'model-unsupported'. */
  take(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) throw new UnitscopeError('model-unsupported', 'the file has far more parts than a network has', { file: this.file });
  }
}

/** Throws 'model-unsupported' for a graph that is larger than any network. */
export function checkLayerCount(count: number, file: string): void {
  if (count <= LAYER_LIMIT) return;
  throw new UnitscopeError('model-unsupported', `the file has more than ${LAYER_LIMIT.toLocaleString('en')} layers`, { file });
}
