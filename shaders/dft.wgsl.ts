/**
 * A small Fourier transform as lines of WGSL over named complex numbers (vec2f): everything stays in registers.
 *   y[k] = sum over j < n of x[j] e^(sign 2 pi i j k / n)
 * For n = a b it is b transforms of a numbers, then a of b (Cooley and Tukey 1965); an odd prime takes the terms j and n - j
 * together, whose cosines are equal and whose sines are opposite.
 */
import { f32, range } from './prelude.wgsl.ts';

export type Sign = 1 | -1;

/** e^(2 pi i t / n): cosine and sine, exact at the quarters of a turn. */
export function turn(t: number, n: number): readonly [number, number] {
  const whole = ((t % n) + n) % n;
  const quarter = Math.floor((4 * whole) / n);
  const angle = (2 * Math.PI * (whole - (quarter * n) / 4)) / n;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return ([[c, s], [-s, c], [-c, -s], [s, -c]] as const)[quarter]!;
}

/** WGSL: the product of two complex numbers. */
export const COMPLEX = 'fn times(a: vec2f, b: vec2f) -> vec2f { return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }';

/** Lines that are being written, each of which names a complex number. */
export class Lines {
  readonly all: string[] = [];
  flops = 0;

  define(expression: string, flops: number): string {
    const name = `t${this.all.length}`;
    this.all.push(`let ${name} = ${expression};`);
    this.flops += flops;
    return name;
  }
}

/** Writes the transform of the named numbers; gives the names of the result, in order. */
export function transform(lines: Lines, x: readonly string[], sign: Sign): string[] {
  const n = x.length;
  if (n === 1) return [...x];
  const a = divisor(n);
  if (a === 1) return n === 2 ? pair(lines, x[0]!, x[1]!) : odd(lines, x, sign);
  const b = n / a;
  // j = b j1 + j2 and k = k1 + a k2: of the product j k / n, what is whole falls away.
  const parts = range(b).map((j2) =>
    transform(lines, range(a).map((j1) => x[b * j1 + j2]!), sign).map((part, k1) => turned(lines, part, sign * j2 * k1, n)),
  );
  const y = Array<string>(n);
  for (const k1 of range(a)) transform(lines, parts.map((part) => part[k1]!), sign).forEach((value, k2) => (y[k1 + a * k2] = value));
  return y;
}

/** The largest divisor of n up to its root: 1 for a prime. */
const divisor = (n: number): number => range(Math.floor(Math.sqrt(n)), 1).findLast((a) => n % a === 0)!;

const pair = (lines: Lines, a: string, b: string): string[] => [lines.define(`${a} + ${b}`, 2), lines.define(`${a} - ${b}`, 2)];

/** x e^(2 pi i t / n). */
function turned(lines: Lines, x: string, t: number, n: number): string {
  const [c, s] = turn(t, n);
  if (c === 1) return x;
  if (c === -1) return lines.define(`-${x}`, 2);
  if (s === 1) return lines.define(`vec2f(-${x}.y, ${x}.x)`, 1);
  if (s === -1) return lines.define(`vec2f(${x}.y, -${x}.x)`, 1);
  return lines.define(`times(${x}, vec2f(${f32(c)}, ${f32(s)}))`, 6);
}

function odd(lines: Lines, x: readonly string[], sign: Sign): string[] {
  const n = x.length;
  const halves = range((n - 1) / 2, 1).map((j) => pair(lines, x[j]!, x[n - j]!));
  const y = Array<string>(n);
  y[0] = lines.define([x[0]!, ...halves.map(([sum]) => sum!)].join(' + '), 2 * halves.length);
  for (const k of range(halves.length, 1)) {
    const weighed = (part: 0 | 1): string => halves.map((half, j) => `${f32(turn(k * (j + 1), n)[part])} * ${half[part]!}`).join(' + ');
    const even = lines.define(`${x[0]!} + ${weighed(0)}`, 4 * halves.length);
    const rest = lines.define(weighed(1), 4 * halves.length - 2);
    const [plus, minus] = pair(lines, even, lines.define(`vec2f(-${rest}.y, ${rest}.x)`, 1));
    [y[k], y[n - k]] = sign === 1 ? [plus!, minus!] : [minus!, plus!];
  }
  return y;
}
