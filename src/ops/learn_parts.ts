/** Gradients of weights as sums over parts of their terms, which are added up last, in a fixed order. */
import { conv2dSum, SUM_SIZES, sumSizes } from '../../shaders/conv2d_sum.wgsl.ts';
import { linearGrid, MAX_GROUPS } from '../../shaders/prelude.wgsl.ts';
import { NO_ACTIVATION } from './activation.ts';
import type { Recorder, TensorRef } from './op.ts';
import { elements } from './shape.ts';

/**
 * Shares `blocks` of terms out among about `wanted` parts, has the sums of the parts recorded, [parts, ...] like `dw`, and
 * adds them up; one part goes where it belongs at once.
 */
export function inParts(
  recorder: Recorder,
  label: string,
  dw: TensorRef,
  blocks: number,
  wanted: number,
  record: (target: TensorRef, parts: number, perPart: number) => void,
): void {
  const count = elements(dw.shape);
  const most = Math.max(1, Math.min(blocks, MAX_GROUPS, Math.floor(recorder.capabilities.maxBinding / (4 * count))));
  const perPart = Math.ceil(blocks / Math.min(most, Math.max(1, Math.ceil(wanted))));
  const parts = Math.ceil(blocks / perPart);
  if (parts === 1) {
    record(dw, 1, perPart);
    return;
  }
  const sums = recorder.scratch(`${dw.label}.sums`, [parts, ...dw.shape]);
  record(sums, parts, perPart);
  // One row of `count` positions of one image.
  const image = { originY: 0, originX: 0, imageHeight: 0, imageWidth: 0 };
  const sizes = recorder.constant(`${label}.sums`, [SUM_SIZES], () => sumSizes({ count, rows: 1, positions: count, area: count, outWidth: 1, parts, ...image }));
  recorder.dispatch({
    kernel: 'conv2d_sum',
    part: `${label}.sum`,
    code: conv2dSum({ bias: false, activation: NO_ACTIVATION, accumulate: false }),
    tensors: { sizes, sums, y: dw },
    grid: linearGrid(count),
    flops: 0,
  });
}
