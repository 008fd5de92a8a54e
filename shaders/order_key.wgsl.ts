/**
 * Floats as unsigned integers of the same order, so that nothing depends on how a driver compares NaN or very small numbers.
 *   key = bits | 2^31 for positive floats, ~bits for negative ones; -0 counts as 0; NaN is NOTHING, which is below all others
 * Source: the usual order of radix sorts (Herf 2001), as in rank.wgsl.ts.
 */
import { bitsOf, keyOf } from './rank.wgsl.ts';

/** Key of what is no number. */
export const NOTHING = 0;

/** Key of 0. */
export const ZERO = 0x80000000;

/** Bits of infinity: larger ones, without their sign, are NaN. */
export const INFINITE = '0x7f800000u';

/** WGSL: the key of a float's bits. */
export const orderKey = `
fn orderKey(v: u32) -> u32 {
  let size = v & 0x7fffffffu;
  let bits = select(v, 0u, size == 0u);
  return select(${keyOf('u32', 'bits')}, ${NOTHING}u, size > ${INFINITE});
}`;

/** WGSL: the bits of the float of a key. */
export const keyBits = `
fn keyBits(key: u32) -> u32 { return ${bitsOf('u32', 'key')}; }`;

/** The float of a key; NaN for NOTHING. */
export function keyValue(key: number): number {
  if (key === NOTHING) return NaN;
  const bits = key >= ZERO ? key - ZERO : ~key >>> 0;
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}
