/**
 * numpy's legacy random generator (`np.random.RandomState(seed)`), so that a start image made from a seed
 * is the one that published logs and other programs made from that seed.
 * Sources: Matsumoto and Nishimura, Mersenne Twister, 1998 (MT19937); Marsaglia's polar method.
 */
import { UnitscopeError } from '../errors.ts';

const WORDS = 624;
const SHIFT = 397;

/** The stream of `np.random.seed(seed)`. One call of a method draws what the same call draws in numpy. */
export class NumpyRandom {
  readonly #state = new Uint32Array(WORDS);
  #next = WORDS;
  /** The polar method makes normal values in pairs; the second waits here. */
  #spare: number | undefined;

  /** Throws `usage` unless `seed` is a whole number in 0..2^32-1, as numpy does. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw new UnitscopeError('usage', `the seed must be a whole number from 0 to 4294967295, got ${seed}`, {
        attribute: 'seed',
      });
    }
    let word = seed >>> 0;
    this.#state[0] = word;
    for (let i = 1; i < WORDS; i++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) >>> 0;
      this.#state[i] = word;
    }
  }

  /** 32 random bits as a number in 0..2^32-1. */
  bits32(): number {
    if (this.#next === WORDS) this.#twist();
    let y = this.#state[this.#next++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  randomSample(): number {
    const high = this.bits32() >>> 5;
    const low = this.bits32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * this.randomSample();
  }

  /** A normal value of the given mean and standard deviation. */
  normal(mean = 0, std = 1): number {
    return mean + std * this.#gauss();
  }

  #gauss(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    let x1: number;
    let x2: number;
    let r2: number;
    do {
      x1 = 2 * this.randomSample() - 1;
      x2 = 2 * this.randomSample() - 1;
      r2 = x1 * x1 + x2 * x2;
    } while (r2 >= 1 || r2 === 0);
    const f = Math.sqrt((-2 * preciseLog(r2)) / r2);
    this.#spare = f * x1;
    return f * x2;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < WORDS; i++) {
      const y = ((state[i] as number) & 0x80000000) | ((state[(i + 1) % WORDS] as number) & 0x7fffffff);
      const mix = y & 1 ? 0x9908b0df : 0;
      state[i] = (state[(i + SHIFT) % WORDS] as number) ^ (y >>> 1) ^ mix;
    }
    this.#next = 0;
  }
}

const LN2_HIGH = Math.fround(Math.LN2);
/** What ln 2 has beyond LN2_HIGH; LN2_HIGH * k is exact for every exponent k. */
const LN2_LOW = -1.904654299957768e-9;

/**
 * ln x for a normal x > 0, within 0.52 units of the last place. Math.log may be a unit off and differs between
 * engines; with this one a seed makes the same image in every browser.
 *
 * x = 2^k m, m in [sqrt 1/2, sqrt 2], s = (m - 1) / (m + 1): ln x = k ln 2 + 2 (s + s^3/3 + s^5/5 + ...),
 * with s and the sum kept as a value and its rounding error.
 */
export function preciseLog(x: number): number {
  let k = Math.floor(Math.log2(x));
  let m = x * 2 ** -k;
  if (m > Math.SQRT2) {
    m /= 2;
    k += 1;
  } else if (m < Math.SQRT1_2) {
    m *= 2;
    k -= 1;
  }
  const f = m - 1;
  const g = m + 1;
  const gLow = m - (g - 1);
  const s = f / g;
  const sLow = (f - s * g - productError(s, g) - s * gLow) / g;

  const z = s * s;
  let tail = 0;
  for (let n = 25; n >= 3; n -= 2) tail = tail * z + 1 / n;
  const small = 2 * (sLow + s * z * tail) + k * LN2_LOW;

  const base = k * LN2_HIGH;
  const high = base + 2 * s;
  const error = base - high + 2 * s;
  return high + (error + small);
}

/** a * b minus its rounded value, exactly (Dekker 1971). */
function productError(a: number, b: number): number {
  const [aHigh, aLow] = split(a);
  const [bHigh, bLow] = split(b);
  return aHigh * bHigh - a * b + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

function split(a: number): [number, number] {
  const scaled = a * 134217729; // 2^27 + 1
  const high = scaled - (scaled - a);
  return [high, a - high];
}
