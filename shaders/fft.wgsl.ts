/**
 * A stage of a Fourier transform whose radix fits into registers: fft_stage.wgsl.ts says what it reads and writes.
 *   turns [n, 2] f32: e^(2 pi i t / n)
 * One invocation, one butterfly: all its loads, then the whole small transform without a loop.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { Lines, transform } from './dft.wgsl.ts';
import { butterflies, declarations, element, locate, type Stage } from './fft_stage.wgsl.ts';
import { linearGrid, linearMain, range } from './prelude.wgsl.ts';

/** Largest radix that is written out. */
export const MOST_UNROLLED = 16;

function small({ radix, sign }: Stage): { readonly lines: Lines; readonly y: readonly string[] } {
  const lines = new Lines();
  return { lines, y: transform(lines, range(radix).map((r) => `v${r}`), sign) };
}

export const fftGrid = (s: Stage): [number, number, number] => linearGrid(butterflies(s));

export const fftFlops = (s: Stage): number => butterflies(s) * (small(s).lines.flops + (s.done > 1 ? 6 * (s.radix - 1) : 0));

export function fft(s: Stage): string {
  const { lines, y } = small(s);
  return wgsl`
${declarations(s, false)}

${linearMain(butterflies(s))}
  ${locate(s, 'i')}
  ${range(s.radix).map((r) => `let v${r} = ${element(s, r)};`).join('\n  ')}
  ${lines.all.join('\n  ')}
  ${y.map((value, r) => `save(to, lane, at + ${r * s.done}u, ${value});`).join('\n  ')}
}`;
}
