/**
 * Which pixels of one image axis the units along one axis of a tensor see, as if the image and every map went on beyond
 * their borders. Exact for every unit: strides that are fractions repeat after a few units, so these are listed.
 */

/** Unit i = k period + r sees the pixels first[r] + k step .. last[r] + k step; nothing where first is Infinity. */
export interface Reach {
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** Pixels from unit i to unit i + period, where period is the length of the lists; 0 where all units see the same. */
  readonly step: number;
}

/** The indices from, from + gap, ...: `count` of them. */
export interface Taps {
  readonly from: number;
  readonly gap: number;
  readonly count: number;
}

/** Which indices of an operand's axis an output index reads: those of output i + period lie `advance` further. */
export interface IndexMap {
  readonly period: number;
  readonly advance: number;
  taps(index: number): Taps;
}

/** Longest list that is followed. */
const PERIOD_LIMIT = 1024;

/** The image itself: pixel i sees pixel i. */
export const PIXELS: Reach = { first: [0], last: [0], step: 1 };

/** The pixels that one unit sees. */
export function reachOf({ first, last, step }: Reach, unit: number): readonly [number, number] {
  const period = first.length;
  const k = Math.floor(unit / period);
  const r = unit - k * period;
  return [first[r]! + k * step, last[r]! + k * step];
}

/** What the units behind an operation see, or undefined where that repeats too late. */
export function through(reach: Reach, map: IndexMap): Reach | undefined {
  const period = reach.first.length;
  const repeats = period / commonDivisor(period, Math.abs(map.advance));
  if (!(map.period * repeats <= PERIOD_LIMIT)) return undefined;
  const units = Array.from({ length: map.period * repeats }, (_, index) => spanOf(reach, map.taps(index)));
  return listed(units, (reach.step * map.advance * repeats) / period);
}

/** What the taps see together: steps are even, so the outermost lie among the first and the last `period` taps. */
function spanOf(reach: Reach, { from, gap, count }: Taps): readonly [number, number] {
  const ends = Math.min(count, reach.first.length);
  let span: readonly [number, number] = [Infinity, -Infinity];
  for (let j = 0; j < ends; j++) {
    span = covering(span, reachOf(reach, from + gap * j));
    span = covering(span, reachOf(reach, from + gap * (count - 1 - j)));
  }
  return span;
}

const covering = (a: readonly [number, number], b: readonly [number, number]): readonly [number, number] => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

const listed = (units: readonly (readonly [number, number])[], step: number): Reach => ({ first: units.map(([first]) => first), last: units.map(([, last]) => last), step });

/** What units see that read the same unit of both; undefined where the two move apart. */
export function united(a: Reach, b: Reach): Reach | undefined {
  const [m, n] = [a.first.length, b.first.length];
  const period = (m / commonDivisor(m, n)) * n;
  if (a.step * n !== b.step * m || period > PERIOD_LIMIT) return undefined;
  return listed(Array.from({ length: period }, (_, unit) => covering(reachOf(a, unit), reachOf(b, unit))), (a.step * period) / m);
}

/** What all of `count` units see together, of an image of `size` pixels. */
export function together(reach: Reach, count: number, size: number): Reach {
  const [first, last] = spanOf(reach, { from: 0, gap: 1, count });
  const [from, to] = [Math.max(first, 0), Math.min(last, size - 1)];
  return { first: [from > to ? Infinity : from], last: [from > to ? -Infinity : to], step: 0 };
}

/** Whether every unit of `outer` sees all that the only unit of `inner` does. */
export function contains(outer: Reach, inner: Reach): boolean {
  return outer.step === 0 && outer.first[0]! <= inner.first[0]! && outer.last[0]! >= inner.last[0]!;
}

/** Most pixels that a unit sees; pixels from one unit to the next; centre of unit 0 in pixels, where pixel i is at i. */
export function measured({ first, last, step }: Reach): { readonly size: number; readonly stride: number; readonly offset: number } {
  const stride = step / first.length;
  const centres = first.flatMap((from, r) => (from === Infinity ? [] : [(from + last[r]!) / 2 - stride * r]));
  return {
    size: Math.max(0, ...first.map((from, r) => last[r]! - from + 1)),
    stride,
    offset: centres.length === 0 ? 0 : centres.reduce((sum, centre) => sum + centre, 0) / centres.length,
  };
}

/** A window of `kernel` taps, `dilation` apart, that moves by `stride` and begins `before` ahead of the first element. */
export function windowMap(kernel: number, stride: number, before: number, dilation = 1): IndexMap {
  return { period: 1, advance: stride, taps: (index) => ({ from: index * stride - before, gap: dilation, count: kernel }) };
}

/** The same from the other side: output i is reached by element e and tap k where i = e stride - before + k dilation. */
export function transposedMap(kernel: number, stride: number, before: number, dilation: number): IndexMap {
  const common = commonDivisor(stride, dilation);
  const every = stride / common;
  return {
    period: stride,
    advance: 1,
    taps(index) {
      const tap = Array.from({ length: Math.min(every, kernel) }, (_, k) => k).find((k) => (index + before - dilation * k) % stride === 0);
      if (tap === undefined) return { from: 0, gap: 1, count: 0 };
      return { from: (index + before - dilation * tap) / stride, gap: -dilation / common, count: Math.floor((kernel - 1 - tap) / every) + 1 };
    },
  };
}

/**
 * Sampling at the points (numerator i + origin) / denominator, whole numbers all.
 * @param nearest makes the point a pixel; without it both pixels beside the point are read
 */
export function sampledMap(numerator: number, origin: number, denominator: number, nearest?: (numerator: number, denominator: number) => number): IndexMap {
  const common = commonDivisor(numerator, denominator);
  return {
    period: denominator / common,
    advance: numerator / common,
    taps(index) {
      const point = numerator * index + origin;
      if (nearest) return { from: nearest(point, denominator), gap: 1, count: 1 };
      const below = Math.floor(point / denominator);
      return { from: below, gap: 1, count: below * denominator === point ? 1 : 2 };
    },
  };
}

export function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
