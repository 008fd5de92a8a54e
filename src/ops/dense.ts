/** Fully connected layer over everything after the batch axis, with bias and a fused activation. */
import { dense as kernel, denseBackward, denseBlocks, denseGrid, denseQuads, type DenseTile } from '../../shaders/dense.wgsl.ts';
import { WORKGROUP } from '../../shaders/prelude.wgsl.ts';
import { activationOf, FUSED, gatedGradient, NO_ACTIVATION, type FusedAttributes } from './activation.ts';
import { learnDense } from './dense_learn.ts';
import type { Capabilities, Choice, Op, Recorder, TensorRef } from './op.ts';
import { elements } from './shape.ts';

interface Chunk {
  readonly w: TensorRef;
  readonly first: number;
  readonly quads: number;
}

/** [M, K] -> chunks of [K4, M] vec4f, each within one binding. */
function pack(recorder: Recorder, weight: Float32Array, inputs: number, outputs: number): Chunk[] {
  const quads = Math.ceil(inputs / 4);
  const perChunk = Math.max(1, Math.min(quads, Math.floor(recorder.capabilities.maxBinding / (16 * outputs))));
  return Array.from({ length: Math.ceil(quads / perChunk) }, (_, index) => {
    const start = index * perChunk;
    const count = Math.min(perChunk, quads - start);
    const w = recorder.constant(`weight.${index}`, [count, outputs, 4], () => packParts(weight, inputs, outputs, start, count));
    return { w, first: start * 4, quads: count };
  });
}

/** Bytes that are packed at a time: they stay in a processor's cache, and a page in motion. */
const PART = 2 * 2 ** 20;

/** The quads [first, first + count) of [K4, M] vec4f, part by part; what lies behind K is zero. */
function* packParts(weight: Float32Array, inputs: number, outputs: number, first: number, count: number): Generator<Float32Array> {
  const perPart = Math.max(1, Math.floor(PART / (16 * outputs)));
  for (let start = first; start < first + count; start += perPart) {
    const quads = Math.min(perPart, first + count - start);
    const packed = new Float32Array(quads * outputs * 4);
    const length = Math.min(quads * 4, inputs - start * 4);
    for (let m = 0; m < outputs; m++) {
      const from = m * inputs + start * 4;
      for (let k = 0; k < length; k++) packed[((k >> 2) * outputs + m) * 4 + (k & 3)] = weight[from + k]!;
    }
    yield packed;
  }
}

/**
 * Rows, images and invocations of a sum. A software adapter pays for loads: many rows share those of the inputs. A GPU
 * needs many invocations more: a workgroup for every few rows.
 */
function tileFor(batch: number, { software }: Capabilities): { tile: DenseTile; choice: Choice } {
  const images = Math.min(batch, software ? 4 : 8);
  const rows = software && images === 1 ? 8 : 4;
  const tile: DenseTile = { rows, images, split: software ? 1 : WORKGROUP };
  const why = batch === 1 ? 'every weight is read once, whatever the kernel' : `a weight serves ${images} images when it is loaded`;
  return { tile, choice: { variant: `${rows} rows x ${images} images${software ? '' : `, ${WORKGROUP} invocations a sum`}`, why } };
}

export const dense: Op<FusedAttributes> = {
  name: 'dense',
  attributes: FUSED,
  weights: { weight: true, bias: false },
  arity: [1, 1],
  shape([x], _attributes, { weight, bias }, refuse) {
    const inputs = elements(x!.slice(1));
    if (weight!.shape.length !== 2 || weight!.shape[1] !== inputs) {
      throw refuse(`weight must be [M, ${inputs}] for an input of [${x}], got [${weight!.shape}]`);
    }
    if (bias && elements(bias.shape) !== weight!.shape[0]) {
      throw refuse(`bias must be [${weight!.shape[0]}], got [${bias.shape}]`);
    }
    return [x![0]!, weight!.shape[0]!];
  },
  forward(c) {
    const { weight, bias } = c.node.weights;
    const [outputs, inputs] = weight!.shape as [number, number];
    const batch = c.y.shape[0]!;
    const chunks = pack(c, weight!.data, inputs, outputs);
    const { tile, choice } = tileFor(batch, c.capabilities);
    const b = bias && c.constant('bias', [outputs], () => bias.data);
    chunks.forEach(({ w, first, quads }, index) => {
      const start = index === 0;
      const activation = index === chunks.length - 1 ? activationOf(c.attributes) : NO_ACTIVATION;
      c.dispatch({
        kernel: 'dense',
        code: kernel({ batch, inputs, outputs, first, quads, tile, bias: b !== undefined, start, activation }),
        tensors: { x: c.x[0]!, w, ...(b && start && { bias: b }), y: c.y },
        grid: denseGrid(denseBlocks({ batch, outputs, tile }), tile),
        choice,
        flops: 2 * batch * outputs * Math.min(quads * 4, inputs - first),
        ...(chunks.length > 1 && { part: `chunk${index}` }),
      });
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const { weight } = c.node.weights;
    const [outputs, inputs] = weight!.shape as [number, number];
    const batch = c.y.shape[0]!;
    const dy = gatedGradient(c);
    const { tile, choice } = tileFor(batch, c.capabilities);
    for (const { w, first, quads } of pack(c, weight!.data, inputs, outputs)) {
      c.dispatch({
        kernel: 'dense',
        code: denseBackward({ batch, inputs, outputs, first, quads, tile, accumulate: target.accumulate }),
        tensors: { dy, w, dx: target.tensor },
        grid: denseGrid(denseQuads({ batch, quads, tile }), tile),
        choice,
        flops: 2 * batch * outputs * Math.min(quads * 4, inputs - first),
      });
    }
  },
  learn: learnDense,
};
