/**
 * Chance with a state: a stream of numbers that a seed decides.
 * Sources: Blackman and Vigna, Scrambled Linear Pseudorandom Number Generators, 2018 (xoshiro128**); Marsaglia's polar method.
 */
export class Random {
  private readonly state: Uint32Array;
  /** The polar method makes normal values in pairs; the second waits here. */
  private spare: number | undefined;

  /** @param seed of its 32 low bits all count */
  constructor(seed: number) {
    this.state = Uint32Array.from({ length: 4 }, (_, n) => scramble(seed + Math.imul(n + 1, 0x9e3779b9)));
  }

  /** 32 random bits as a number in 0..2^32-1. */
  bits(): number {
    const { state } = this;
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const [third, fourth] = [c ^ a, d ^ b];
    state[0] = a ^ fourth;
    state[1] = b ^ third;
    state[2] = third ^ (b << 9);
    state[3] = (fourth << 11) | (fourth >>> 21);
    return result;
  }

  /** In [0, 1). */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** A whole number in 0..count-1. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Of mean 0 and standard deviation 1. */
  normal(): number {
    if (this.spare !== undefined) {
      const { spare } = this;
      this.spare = undefined;
      return spare;
    }
    for (;;) {
      const [u, v] = [2 * this.uniform() - 1, 2 * this.uniform() - 1];
      const square = u * u + v * v;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.spare = v * factor;
      return u * factor;
    }
  }
}

/** Spreads a change of any bit over all of them (the last step of MurmurHash3, Appleby 2011). */
function scramble(word: number): number {
  let bits = word | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
