/** THE list of ops: one line each, and by name. */
import { add } from './add.ts';
import { averagePool } from './average_pool.ts';
import { batchNorm } from './batch_norm.ts';
import { binaries } from './binary.ts';
import { clip } from './clip.ts';
import { concat } from './concat.ts';
import { conv2d } from './conv2d.ts';
import { convTranspose2d } from './conv_transpose2d.ts';
import { curves } from './curve.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { globalAveragePool } from './global_average_pool.ts';
import { globalMaxPool } from './global_max_pool.ts';
import { layerNorm } from './layer_norm.ts';
import { logSoftmax } from './log_softmax.ts';
import { lpPool } from './lp_pool.ts';
import { lrn } from './lrn.ts';
import { lrnWithin } from './lrn_within.ts';
import { maxPool } from './max_pool.ts';
import type { Op } from './op.ts';
import { prelu } from './prelu.ts';
import { reductions } from './reduce.ts';
import { relu } from './relu.ts';
import { resize } from './resize.ts';
import { softmax } from './softmax.ts';
import { transpose } from './transpose.ts';
import { flatten, identity, reshape } from './view.ts';
import { pad, slice } from './window.ts';

export const OPS: ReadonlyMap<string, Op> = new Map(
  [
    add,
    averagePool,
    batchNorm,
    ...binaries,
    clip,
    concat,
    conv2d,
    convTranspose2d,
    ...curves,
    dense,
    dropout,
    flatten,
    globalAveragePool,
    globalMaxPool,
    identity,
    layerNorm,
    logSoftmax,
    lpPool,
    lrn,
    lrnWithin,
    maxPool,
    pad,
    prelu,
    ...reductions,
    relu,
    reshape,
    resize,
    slice,
    softmax,
    transpose,
  ]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((op) => [op.name, op]),
);
