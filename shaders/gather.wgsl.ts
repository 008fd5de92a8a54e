/**
 * Lays numbers out anew: packs weights that change, as they were packed once by the processor.
 *   y[i] = w[at[i] - 1], or 0 where at[i] is 0
 *   w [K] f32    at [count] u32    y [count] f32
 * One invocation, some elements.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { linearGrid, linearMain, plus, range, spread, spreadOver, type Spread } from './prelude.wgsl.ts';

const shares = (count: number): Spread => spread(count, 4);

export const gatherGrid = (count: number): [number, number, number] => linearGrid(shares(count).stride);

export function gather(p: { readonly count: number }): string {
  const share = shares(p.count);
  return wgsl`
@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read> at: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

${linearMain(share.stride)}
  ${range(share.each).map((step) => `let a${step} = at[${plus('i', step * share.stride)}];`).join('\n  ')}
  ${range(share.each).map((step) => `let v${step} = select(0.0, w[max(a${step}, 1u) - 1u], a${step} > 0u);`).join('\n  ')}
  ${spreadOver('i', share, (step) => `y[${plus('i', step * share.stride)}] = v${step};`)}
}`;
}
