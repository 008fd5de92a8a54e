/**
 * Inverted dropout and its gradient, which make the same mask anew from the clock.
 *   y[i] = kept(i) x[i] / (1 - rate)      dx[i] = kept(i) dy[i] / (1 - rate)
 *   kept(i): scramble(key ^ i) >= rate 2^32      key = scramble(step ^ scramble(seed ^ layer))
 *   x, y, dy, dx [N, ...] f32    clock [4] u32: step, seed, 0, 0. One invocation, some elements.
 * Sources: Srivastava et al. 2014; scramble is the last mixing of Appleby's MurmurHash3.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { elementsOf, f32, linearMain, plus, range, spreadOver, store } from './prelude.wgsl.ts';

export interface DropoutParameters {
  readonly count: number;
  /** The part of the elements that is dropped, from 0 to below 1. */
  readonly rate: number;
  /** Number of the layer, below 2^32: layers drop others. */
  readonly layer: number;
}

/** Every bit of the result depends on every bit of `value`. */
const scramble = (type: 'u32' | 'vec4u'): string => `
fn scramble_${type}(value: ${type}) -> ${type} {
  var h = value;
  h ^= h >> ${type}(16u);
  h *= 0x85ebca6bu;
  h ^= h >> ${type}(13u);
  h *= 0xc2b2ae35u;
  return h ^ (h >> ${type}(16u));
}`;

export const dropout = (p: DropoutParameters): string => masked(p, 'x', 'y', false);

export const dropoutBackward = (p: DropoutParameters & { readonly accumulate: boolean }): string => masked(p, 'dy', 'dx', p.accumulate);

function masked({ count, rate, layer }: DropoutParameters, source: string, target: string, accumulate: boolean): string {
  const elements = elementsOf(count);
  const { type, stride, each } = elements;
  const bits = type === 'vec4f' ? 'vec4u' : 'u32';
  const threshold = Math.min(2 ** 32 - 1, Math.round(rate * 2 ** 32));
  const index = (at: string): string => (type === 'vec4f' ? `vec4u(4u * (${at})) + vec4u(0u, 1u, 2u, 3u)` : at);
  const kept = (at: string): string => `scramble_${bits}(key ^ (${index(at)})) >= ${bits}(${threshold}u)`;
  return wgsl`
@group(0) @binding(0) var<storage, read> ${source}: array<${type}>;
@group(0) @binding(1) var<storage, read> clock: array<u32>;
@group(0) @binding(2) var<storage, read_write> ${target}: array<${type}>;
${[...new Set(['u32', bits] as const)].map(scramble).join('\n')}

${linearMain(stride)}
  let key = ${bits}(scramble_u32(clock[0] ^ scramble_u32(clock[1] ^ ${layer}u)));
  ${range(each).map((step) => `let v${step} = ${source}[${plus('i', step * stride)}];`).join('\n  ')}
  ${spreadOver('i', elements, (step) => {
    const at = plus('i', step * stride);
    return store(`${target}[${at}]`, `select(${type}(0), v${step} * ${f32(1 / (1 - rate))}, ${kept(at)})`, accumulate);
  })}
}`;
}
