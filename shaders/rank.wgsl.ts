/**
 * How a clip finds its percentile without a sort: radix select, what its kernels share.
 *   threshold = lerp(sorted[rank], sorted[rank + 1], fraction), exactly as numpy interpolates it
 * Keys are the bits of the floats, turned so that their unsigned order is that of the floats. Three rounds fix the key of
 * that rank by 11, 11 and 10 bits, the highest first: `rank_key` (at first) or `rank_count` counts the digits of the keys
 * that share the bits found so far, `rank_digit` finds in the counts the digit that the rank falls into.
 * Counting is by integer atomics in storage memory: the order does not change a sum, and neither a workgroup's
 * memory nor its barriers are needed, which are dear on a software adapter. Each round has counts of its own and clears
 * those of the next one; those of the first round are zero between the passes.
 * Source: numpy.percentile (method `linear`); radix select after Alabi et al. 2012.
 */

/** Bits of a digit, but for the last one, which is what remains; counts per image and round. */
export const DIGIT = 11;
export const BINS = 2 ** DIGIT;
export const ROUNDS = 3;

/** u32 words of one image's search. */
export const SEARCH = {
  /** 1 where the image wants this clip and moves. */
  wanted: 0,
  /** Low bits of the key that are still open: 32 before the first round. */
  open: 1,
  /** The bits found so far, in their places. */
  prefix: 2,
  /** Keys of that prefix that come before the one of the rank. */
  remaining: 3,
  /** The smallest key above all keys of the prefix. */
  above: 4,
  /** Bits of the fraction between the key of the rank and the next larger one; 0 where there is no larger one. */
  fraction: 5,
  /** The percentile, bits of an f32. */
  threshold: 6,
  words: 8,
} as const;

/** WGSL: a word of image n's search. */
export const word = (name: Exclude<keyof typeof SEARCH, 'words'>): string => `search[n * ${SEARCH.words}u + ${SEARCH[name]}u]`;

/** WGSL: the key of a float's bits, and the bits of a key; `of` is u32 or vec4u. */
export const keyOf = (of: 'u32' | 'vec4u', bits: string): string =>
  `select(${bits} | ${of}(0x80000000u), ~${bits}, (${bits} & ${of}(0x80000000u)) != ${of}(0))`;
export const bitsOf = (of: 'u32' | 'vec4u', key: string): string =>
  `select(~${key}, ${key} & ${of}(0x7fffffffu), (${key} & ${of}(0x80000000u)) != ${of}(0))`;

/** WGSL: counts a round's digit of every lane of `key` for which `counted` (one bool per lane) holds. */
export function countDigits(round: number, lanes: 1 | 4, counted?: string): string {
  const shift = Math.max(32 - DIGIT * (round + 1), 0);
  const mask = 2 ** (32 - DIGIT * round - shift) - 1;
  const one = (lane: string): string => {
    const add = `atomicAdd(&counts[n * ${ROUNDS * BINS}u + ${round * BINS}u + ((key${lane} >> ${shift}u) & ${mask}u)], 1u);`;
    return counted ? `if (${counted}${lane}) { ${add} }` : add;
  };
  return lanes === 4 ? ['.x', '.y', '.z', '.w'].map(one).join(' ') : one('');
}

/** WGSL: clears the counts of the round after this one (of the first after the last); the image's invocations share it. */
export function clearNext(round: number, invocations: number): string {
  const next = ((round + 1) % ROUNDS) * BINS;
  return `for (var bin = t; bin < ${BINS}u; bin += ${invocations}u) { atomicStore(&counts[n * ${ROUNDS * BINS}u + ${next}u + bin], 0u); }`;
}
