/** Weights and inputs without files: a hash of the index, so that every run and every program makes the same numbers. */
import type { Shape, Tensor } from '../../src/index.ts';

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** `shape` values, uniform in -amplitude..amplitude; `name` seeds them. */
export function formulaTensor(name: string, shape: Shape, amplitude: number): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const seed = Math.imul(hash(name), 0x9e3779b9) >>> 0;
  for (let i = 0; i < data.length; i++) {
    let x = (i + seed) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x ^= x >>> 16;
    data[i] = ((x >>> 8) * 2 ** -24 - 0.5) * 2 * amplitude;
  }
  return { shape, data };
}

/** Weight and bias of a layer whose weight is [M, ...fan-in]: uniform, amplitude sqrt(6 / fan-in) and 0.1. */
export function formulaWeights(layer: string, shape: Shape): { weight: Tensor; bias: Tensor } {
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  return { weight: formulaTensor(`${layer}/w`, shape, Math.sqrt(6 / fanIn)), bias: formulaTensor(`${layer}/b`, [shape[0]!], 0.1) };
}
