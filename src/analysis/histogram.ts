/**
 * Histograms over ranges that are powers of two: those of parts add up exactly, whatever ranges the parts have, as the
 * bins of a larger range are unions of those of a smaller one.
 */

export interface Histogram {
  /** The range is 0..2^exponent, or, where it is signed, -2^exponent..2^exponent. */
  readonly exponent: number;
  readonly signed: boolean;
  /** Of bins of one width, an even number of them: a bin holds its lower edge, and not its upper one. */
  readonly counts: readonly number[];
}

/** The same over a range that holds the one it has. */
export function widened({ exponent, signed, counts }: Histogram, to: Pick<Histogram, 'exponent' | 'signed'>): Histogram {
  const middle = counts.length / 2;
  const factor = 2 ** (to.exponent - exponent + (to.signed && !signed ? 1 : 0));
  const wide = new Array<number>(counts.length).fill(0);
  counts.forEach((count, bin) => {
    const from = signed ? bin - middle : bin;
    wide[Math.floor(from / factor) + (to.signed ? middle : 0)]! += count;
  });
  return { exponent: to.exponent, signed: to.signed, counts: wide };
}

/** Of the numbers of both. */
export function added(a: Histogram, b: Histogram): Histogram {
  const range = { exponent: Math.max(a.exponent, b.exponent), signed: a.signed || b.signed };
  const [p, q] = [widened(a, range), widened(b, range)];
  return { ...range, counts: p.counts.map((count, bin) => count + q.counts[bin]!) };
}

/** The edges of the range. */
export function rangeOf({ exponent, signed }: Histogram): readonly [number, number] {
  return [signed ? -(2 ** exponent) : 0, 2 ** exponent];
}
