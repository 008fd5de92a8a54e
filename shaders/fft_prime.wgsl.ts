/**
 * A stage of a Fourier transform whose radix R is a large odd prime: fft_stage.wgsl.ts says what it reads and writes.
 *   a[j] = v[j] + v[R - j]      b[j] = v[j] - v[R - j]      j = 1 .. (R - 1) / 2
 *   y[q] = v[0] + sum over j of a[j] cos(2 pi j q / R) + sign i b[j] sin(2 pi j q / R)      y[R - q]: with -sign
 *   turns [n, 2] f32: e^(2 pi i t / n)
 * That is 2 R^2 operations, a quarter of the definition; the detour over a convolution of length 2^m >= 2 R (Bluestein) has
 * about 10 m 2^m, which at R = 227 is half of them, but goes over the memory many times.
 * One invocation: of some butterflies some pairs of results, so that what it loads serves many of them.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { butterflies, declarations, element, locate, type Stage } from './fft_stage.wgsl.ts';
import { linearGrid, linearMain, range } from './prelude.wgsl.ts';

/** Butterflies of one invocation, and pairs of results of each. */
const BUTTERFLIES = 4;
const PAIRS = 4;

const pairs = ({ radix }: Stage): number => (radix - 1) / 2;
const groups = (s: Stage): number => Math.ceil(butterflies(s) / BUTTERFLIES);
const invocations = (s: Stage): number => groups(s) * Math.ceil(pairs(s) / PAIRS);

export const fftPrimeGrid = (s: Stage): [number, number, number] => linearGrid(invocations(s));

export const fftPrimeFlops = (s: Stage): number => butterflies(s) * pairs(s) * (8 * pairs(s) + 10 + (s.done > 1 ? 12 : 0));

export function fftPrime(s: Stage): string {
  const { radix, n, sign } = s;
  const [b, u] = [range(Math.min(BUTTERFLIES, butterflies(s))), range(Math.min(PAIRS, pairs(s)))];
  const each = (text: (b: number) => string): string => b.map(text).join('\n  ');
  const both = (text: (b: number, u: number) => string): string => b.flatMap((k) => u.map((q) => text(k, q))).join('\n    ');
  const put = (k: number): string => `if (g + ${k * groups(s)}u < ${butterflies(s)}u) {
    if (chunk == 0u) { save(to_${k}, lane_${k}, at_${k}, sum${k}); }
    ${u.map((q) => `if (first + ${q}u <= ${pairs(s)}u) {
      let i${q} = vec2f(-s${k}_${q}.y, s${k}_${q}.x);
      save(to_${k}, lane_${k}, at_${k} + q${q} * ${s.done}u, c${k}_${q} ${sign === 1 ? '+' : '-'} i${q});
      save(to_${k}, lane_${k}, at_${k} + (${radix}u - q${q}) * ${s.done}u, c${k}_${q} ${sign === 1 ? '-' : '+'} i${q});
    }`).join('\n    ')}
  }`;
  return wgsl`
${declarations(s, true)}

${linearMain(invocations(s))}
  let g = i % ${groups(s)}u;
  let chunk = i / ${groups(s)}u;
  let first = chunk * ${PAIRS}u + 1u;
  ${each((k) => `let own${k} = min(g + ${k * groups(s)}u, ${butterflies(s) - 1}u);\n  ${locate(s, `own${k}`, `_${k}`)}`)}
  ${u.map((q) => `let q${q} = min(first + ${q}u, ${pairs(s)}u);\n  var t${q} = 0u;`).join('\n  ')}
  ${each((k) => `let head${k} = ${element(s, 0, `_${k}`)};\n  var sum${k} = head${k};`)}
  ${both((k, q) => `var c${k}_${q} = head${k}; var s${k}_${q} = vec2f(0);`)}
  for (var r = 1u; r <= ${pairs(s)}u; r++) {
    ${each((k) => `let up${k} = ${element(s, 'r', `_${k}`)}; let down${k} = ${element(s, `(${radix}u - r)`, `_${k}`)};
    let a${k} = up${k} + down${k}; let b${k} = up${k} - down${k}; sum${k} += a${k};`)}
    ${u.map((q) => `t${q} += q${q}; t${q} = select(t${q}, t${q} - ${radix}u, t${q} >= ${radix}u); let w${q} = turns[t${q} * ${n / radix}u];`).join('\n    ')}
    ${both((k, q) => `c${k}_${q} += w${q}.x * a${k}; s${k}_${q} += w${q}.y * b${k};`)}
  }
  ${each(put)}
}`;
}
