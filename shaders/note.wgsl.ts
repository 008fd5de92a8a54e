/**
 * Notes an iteration of a synthesis in a ring of rows.
 *   progress[clock % ROWS, n] = (score[n], length[n])
 *   score, length [N] f32: of the gradient (lengths.wgsl.ts)    clock [1] u32: iterations done    progress [ROWS, N, NOTE.words] f32
 * One invocation, one image.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearMain } from './prelude.wgsl.ts';

/** f32 words of one image's row. */
export const NOTE = { score: 0, gradient: 1, words: 2 } as const;

/** Rows of the ring: the most iterations of one submission. */
export const NOTE_ROWS = 64;

export function note({ batch }: { readonly batch: number }): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> score: array<f32>;
@group(0) @binding(1) var<storage, read> length: array<f32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read_write> progress: array<vec2f>;

${linearMain(batch)}
  progress[clock[0] % ${NOTE_ROWS}u * ${batch}u + i] = vec2f(score[i], length[i]);
}`;
}
