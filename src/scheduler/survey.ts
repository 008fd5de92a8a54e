/** Records what is measured of a layer over a set of pictures: the best pictures of every channel, and how its values are spread. */
import { channelHistogram, channelHistogramGrid, HISTOGRAM } from '../../shaders/channel_histogram.wgsl.ts';
import { channelMoments, MOMENT } from '../../shaders/channel_moments.wgsl.ts';
import { channelPeak } from '../../shaders/channel_peak.wgsl.ts';
import { rowsGrid, type Rows } from '../../shaders/channel_rows.wgsl.ts';
import { ENTRY, topPatches, topPatchesGrid } from '../../shaders/top_patches.wgsl.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

/** A layer's output [N, C, ...] as rows. */
export function rowsOf({ shape }: Pick<TensorRef, 'shape'>): Rows {
  const [batch, channels, ...rest] = shape as [number, number, ...number[]];
  return { batch, channels, plane: elements(rest) };
}

/** Shape of the list of a layer's best pictures: [C, K, 3]. */
export const topShape = (y: Pick<TensorRef, 'shape'>, count: number): [number, number, number] => [rowsOf(y).channels, count, ENTRY.words];

/** lists [C, K, 3] u32 += the peaks of y [N, C, ...]; pictures [1 + N] u32 says how many images count, and their numbers. */
export function recordTop(recorder: Recorder, y: TensorRef, pictures: TensorRef, lists: TensorRef): void {
  const rows = rowsOf(y);
  const peaks = recorder.scratch(`${y.label}.peaks`, [rows.batch, rows.channels, 2], 'u32');
  recorder.dispatch({ kernel: 'channel_peak', part: 'peak', code: channelPeak(rows), tensors: { y, peaks }, grid: rowsGrid(rows), flops: elements(y.shape) });
  const top = { channels: rows.channels, count: lists.shape[1]! };
  recorder.dispatch({ kernel: 'top_patches', code: topPatches(top), tensors: { peaks, pictures, lists }, grid: topPatchesGrid(top), flops: rows.batch * rows.channels });
}

export const momentsShape = (y: Pick<TensorRef, 'shape'>): [number, number, number] => [rowsOf(y).batch, rowsOf(y).channels, MOMENT.words];
export const histogramsShape = (y: Pick<TensorRef, 'shape'>): [number, number] => [rowsOf(y).channels, HISTOGRAM.words];

/** moments [N, C, MOMENT.words] u32 and histograms [C, HISTOGRAM.words] u32 of y [N, C, ...]. */
export function recordMoments(recorder: Recorder, y: TensorRef, pictures: TensorRef, { moments, histograms }: { readonly moments: TensorRef; readonly histograms: TensorRef }): void {
  const rows = rowsOf(y);
  recorder.dispatch({ kernel: 'channel_moments', part: 'moments', code: channelMoments(rows), tensors: { y, moments }, grid: rowsGrid(rows), flops: 5 * elements(y.shape) });
  recorder.dispatch({
    kernel: 'channel_histogram',
    part: 'histogram',
    code: channelHistogram(rows),
    tensors: { y, moments, pictures, histograms },
    grid: channelHistogramGrid(rows),
    flops: 2 * elements(y.shape),
  });
}
