/** Weights from a formula, so that a network of 61 M parameters needs no file (README of the reference data). */
import type { Tensor } from '../../src/network/network.ts';

/** FNV-1a of a name, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Uniform values in -amplitude .. amplitude from a hash of (name, index). */
export function formulaTensor(name: string, shape: readonly number[], amplitude: number): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const offset = Math.imul(fnv1a(name), 0x9e3779b9) >>> 0;
  for (let i = 0; i < data.length; i++) {
    let x = (i + offset) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x = (x ^ (x >>> 16)) >>> 0;
    data[i] = ((x >>> 8) * 2 ** -24 - 0.5) * 2 * amplitude;
  }
  return { shape, data };
}

/** Weight and bias of a layer; shape is (out, in / groups, ...). */
export function formulaWeights(layer: string, shape: readonly number[]): Map<string, Tensor> {
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  return new Map([
    [`${layer}/w`, formulaTensor(`${layer}/w`, shape, Math.sqrt(6 / fanIn))],
    [`${layer}/b`, formulaTensor(`${layer}/b`, [shape[0]!], 0.1)],
  ]);
}
