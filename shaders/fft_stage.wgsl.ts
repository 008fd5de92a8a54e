/**
 * What the stages of a Fourier transform along one axis share: what they read, what they write, and where.
 * A stage of radix R, behind stages whose radices have the product D, makes of x [n] and for S = n / R, j < S, k = j mod D
 *   v[r] = x[j + r S] e^(sign 2 pi i r k / (R D))      y[(j - k) R + k + r D] = sum over q of v[q] e^(sign 2 pi i q r / R)
 * After the last stage y is the transform of what the first one read, in order.
 * Real lines are transformed two by two, a as the real and b as the imaginary part of one complex line.
 *   load   complex  x [blocks, n, side, 2]
 *          halves   x [lines, n/2 + 1, 2] of two lines a, b: A + i B, each with the other half that makes its transform real;
 *                   imaginary parts that would have to be 0 count as 0
 *          real     x [lines, n] of two lines: a + i b
 *          pairs    x [lines / 2, width, 2], transforms of a + i b: those of a and of b alone, as blocks of n lines
 *   store  complex  y [blocks, n, side, 2]
 *          real     y [lines, n], times `factor`
 *          halves   y [blocks, n, side, 2], times `factor`, and twice that where a bin stands for its mirror image too
 * Where `gain` [n, side] is bound, what `complex` loads or `halves` stores is multiplied by it.
 * Source: Stockham's order, as in Govindaraju et al. 2008.
 */
import { COMPLEX, type Sign } from './dft.wgsl.ts';
import { f32 } from './prelude.wgsl.ts';

export interface Stage {
  /** Length of the transforms. */
  readonly n: number;
  readonly radix: number;
  /** Product of the radices before. */
  readonly done: number;
  readonly sign: Sign;
  /** There are `blocks` times `side` transforms; those of a block lie side by side. */
  readonly blocks: number;
  readonly side: number;
  readonly load: 'complex' | 'halves' | 'real' | 'pairs';
  readonly store: 'complex' | 'real' | 'halves';
  /** Real lines and their length. */
  readonly lines: number;
  readonly width: number;
  readonly factor: number;
  readonly gain: boolean;
}

/** Transforms of `radix` numbers. */
export const butterflies = ({ n, radix, blocks, side }: Stage): number => (blocks * side * n) / radix;

const half = (width: number): number => Math.floor(width / 2) + 1;

/** A value of the second line of a pair, which the last pair may lack. */
const second = ({ lines }: Stage, length: number, value: string, none: string): string =>
  lines % 2 === 0 ? value : `select(${none}, ${value}, first < ${(lines - 1) * length}u)`;

function loadText(s: Stage): string {
  const { n, side, width } = s;
  if (s.load === 'complex') return `return ${s.gain ? `gain[j * ${side}u + lane] * ` : ''}x[first + j * ${side}u];`;
  if (s.load === 'real') return `return vec2f(x[first + j], ${second(s, n, `x[first + ${n}u + j]`, '0.0')});`;
  if (s.load === 'pairs') {
    return `let line = first + j;
  let row = line / 2u * ${width}u;
  let z = x[row + lane];
  let mirror = x[row + (${width}u - lane) % ${width}u];
  return 0.5 * select(vec2f(z.x + mirror.x, z.y - mirror.y), vec2f(z.y + mirror.y, mirror.x - z.x), line % 2u == 1u);`;
  }
  return `let mirrored = j >= ${half(n)}u;
  let k = select(j, ${n}u - j, mirrored);
  let a = x[first + k];
  let b = ${second(s, half(n), `x[first + ${half(n)}u + k]`, 'vec2f(0)')};
  let imaginary = select(vec2f(a.y, b.y), vec2f(-a.y, -b.y), mirrored);
  let seen = select(imaginary, vec2f(0), k == 0u || 2u * k == ${n}u);
  return vec2f(a.x - seen.y, b.x + seen.x);`;
}

function saveText(s: Stage): string {
  const { n, side, width, factor, lines } = s;
  if (s.store === 'complex') return `y[first + k * ${side}u] = v;`;
  if (s.store === 'real') {
    const other = `y[first + ${n}u + k] = v.y * ${f32(factor)};`;
    return `y[first + k] = v.x * ${f32(factor)};
  ${lines % 2 === 0 ? other : `if (first < ${(lines - 1) * n}u) { ${other} }`}`;
  }
  const share = `select(${f32(2 * factor)}, ${f32(factor)}, lane == 0u || 2u * lane == ${width}u)`;
  return `y[first + k * ${side}u] = v * (${share}${s.gain ? ` * gain[k * ${side}u + lane]` : ''});`;
}

/** Where the lines of a block begin in x, and in y. */
const firstOf = ({ n, side }: Stage, kind: Stage['load'] | Stage['store'], of: 'x' | 'y'): string => {
  if (kind === 'real') return `block * ${2 * n}u`;
  if (kind === 'pairs') return `block * ${n}u`;
  if (kind === 'halves' && of === 'x') return `block * ${2 * half(n)}u`;
  return `block * ${n * side}u + lane`;
};

/** Declarations: bindings, and the functions `load`, `save` and, where a stage needs them, `turned`. @param looped the stage reads `turns` anyway */
export function declarations(s: Stage, looped: boolean): string {
  const turns = looped || s.done > 1;
  return `
@group(0) @binding(0) var<storage, read> x: array<${s.load === 'real' ? 'f32' : 'vec2f'}>;
${turns ? '@group(0) @binding(1) var<storage, read> turns: array<vec2f>;' : ''}
${s.gain ? '@group(0) @binding(2) var<storage, read> gain: array<f32>;' : ''}
@group(0) @binding(3) var<storage, read_write> y: array<${s.store === 'real' ? 'f32' : 'vec2f'}>;

${COMPLEX}

fn load(first: u32, lane: u32, j: u32) -> vec2f {
  ${loadText(s)}
}

fn save(first: u32, lane: u32, k: u32, v: vec2f) {
  ${saveText(s)}
}
${s.done > 1 ? `
// v e^(sign 2 pi i t / n)
fn turned(v: vec2f, t: u32) -> vec2f {
  let w = turns[t];
  return times(v, vec2f(w.x, ${s.sign === 1 ? '' : '-'}w.y));
}` : ''}`;
}

/** Statements that find the butterfly of index `i` (an expression): lane, j, k, where to read, where to write. Names end in `tag`. */
export function locate(s: Stage, i: string, tag = ''): string {
  const steps = s.n / s.radix;
  const named = (text: string): string => text.replace(/\b(block|lane)\b/g, `$1${tag}`);
  return `let lane${tag} = ${s.side === 1 ? '0u' : `${i} % ${s.side}u`};
  let turn${tag} = ${s.side === 1 ? i : `${i} / ${s.side}u`};
  let block${tag} = turn${tag} / ${steps}u;
  let j${tag} = turn${tag} - block${tag} * ${steps}u;
  let k${tag} = ${s.done === 1 ? '0u' : `j${tag} % ${s.done}u`};
  let first${tag} = ${named(firstOf(s, s.load, 'x'))};
  let to${tag} = ${named(firstOf(s, s.store, 'y'))};
  let at${tag} = (j${tag} - k${tag}) * ${s.radix}u + k${tag};`;
}

/** Number r (an expression, or a number) of a butterfly, turned as the stage asks. */
export function element(s: Stage, r: string | number, tag = ''): string {
  const steps = s.n / s.radix;
  const stride = s.n / (s.radix * s.done);
  const value = `load(first${tag}, lane${tag}, j${tag} + ${typeof r === 'number' ? `${r * steps}u` : `${r} * ${steps}u`})`;
  return s.done === 1 || r === 0 ? value : `turned(${value}, k${tag} * ${typeof r === 'number' ? `${r * stride}u` : `(${r} * ${stride}u)`})`;
}
