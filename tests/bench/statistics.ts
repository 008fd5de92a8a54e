/** Numbers about samples and about the agreement of two results. */

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @throws RangeError without samples */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError('no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}

/** |y - reference| / |reference|, L2 over all elements; infinite where the lengths differ or a value is not a number. */
export function relativeError(y: Float32Array, reference: Float32Array): number {
  if (y.length !== reference.length) return Infinity;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < y.length; i++) {
    difference += (y[i]! - reference[i]!) ** 2;
    norm += reference[i]! ** 2;
  }
  const error = Math.sqrt(difference) / Math.sqrt(norm);
  if (norm === 0) return difference === 0 ? 0 : Infinity;
  return Number.isNaN(error) ? Infinity : error;
}

export interface SamplePlan {
  readonly count: number;
  readonly repeat: number;
}

/** Above this time of one run, ms, fewer samples are taken. */
export const SLOW = 3000;
/** A sample should last this long, ms, for the wait at its end to be small beside it; with a most of runs queued at once. */
const LEAST = 20;
const MOST_QUEUED = 64;

/** How to sample work of which one run takes `single` ms. */
export function planSamples(single: number, samples: number): SamplePlan {
  return {
    count: single > SLOW ? Math.min(samples, 3) : samples,
    repeat: Math.min(MOST_QUEUED, Math.max(1, Math.round(LEAST / Math.max(single, 0.01)))),
  };
}
