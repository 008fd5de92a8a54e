/** Chance without a state: numbers that are a function of whole numbers, so that step 1000 needs no step before it. */

/**
 * A number of 32 bits from whole numbers of 32 bits; a change of any of them changes about half of its bits.
 * Source: the mixing of MurmurHash3, Appleby 2011.
 */
export function mix(...words: readonly number[]): number {
  let hash = words.length;
  for (const word of words) {
    let part = Math.imul(word | 0, 0xcc9e2d51);
    part = Math.imul((part << 15) | (part >>> 17), 0x1b873593);
    hash ^= part;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The numbers from 0 to below `count` in an order that is a function of the seed (Fisher and Yates). */
export function shuffled(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = mix(seed, i) % (i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}
