/** Records the steps around the network that let an image follow a gradient: what the network is shown, lengths, steps, notes. */
import { lengths } from '../../shaders/lengths.wgsl.ts';
import { measure, measureWalk } from '../../shaders/measure.wgsl.ts';
import { networkInput, networkInputBackward, networkInputGrid, type NetworkInputParameters } from '../../shaders/network_input.wgsl.ts';
import { note } from '../../shaders/note.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { redirect } from '../../shaders/redirect.wgsl.ts';
import { stride } from '../../shaders/stride.wgsl.ts';
import { timetableRow, timetableTick } from '../../shaders/timetable.wgsl.ts';
import { walkGrid } from '../../shaders/walk.wgsl.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

/** x[c] = sum over k of matrix[c][k] image[k] + offset[c]. */
export type InputMap = Pick<NetworkInputParameters, 'matrix' | 'offset'>;

const inputOf = ({ shape }: TensorRef, map: InputMap): NetworkInputParameters => ({ ...map, batch: shape[0]!, plane: elements(shape.slice(2)) });

/** x [N, C, H, W] = the image [N, K, H, W] as the network takes it. */
export function recordNetworkInput(recorder: Recorder, { image, x }: { readonly image: TensorRef; readonly x: TensorRef }, map: InputMap): void {
  const p = inputOf(image, map);
  recorder.dispatch({ kernel: 'network_input', code: networkInput(p), tensors: { image, x }, grid: networkInputGrid(p), flops: 2 * elements(x.shape) });
}

/** dimage, written over, from dx. */
export function recordNetworkInputBackward(recorder: Recorder, { dx, dimage }: { readonly dx: TensorRef; readonly dimage: TensorRef }, map: InputMap): void {
  const p = inputOf(dx, map);
  recorder.dispatch({ kernel: 'network_input', code: networkInputBackward(p), tensors: { dx, dimage }, grid: networkInputGrid(p), flops: 2 * elements(dx.shape) });
}

/** length [N] = the Euclidean norm of each image of x [N, ...]; -1 where a value is not finite. */
export function recordLengths(recorder: Recorder, x: TensorRef, length: TensorRef): void {
  const [batch, ...rest] = x.shape as [number, ...number[]];
  const plane = elements(rest);
  const walk = measureWalk(plane);
  const norms = recorder.scratch(`${x.label}.norms`, [batch, walk.invocations, 2]);
  recorder.dispatch({ kernel: 'measure', part: 'norms', code: measure({ plane, scale: [1] }), tensors: { dx: x, norms }, grid: walkGrid(walk, batch), flops: 2 * elements(x.shape) });
  recorder.dispatch({ kernel: 'lengths', part: 'lengths', code: lengths({ parts: walk.invocations }), tensors: { norms, length }, grid: [batch, 1, 1], flops: 0 });
}

/** dx becomes `open` in the images whose length is 0. */
export function recordRedirect(recorder: Recorder, { dx, open, length }: { readonly dx: TensorRef; readonly open: TensorRef; readonly length: TensorRef }): void {
  const [batch, ...rest] = dx.shape as [number, ...number[]];
  recorder.dispatch({ kernel: 'redirect', code: redirect({ batch, image: elements(rest) }), tensors: { dx, open, length }, grid: linearGrid(elements(dx.shape)), flops: 0 });
}

/** w moves up g [N, ...] by the schedule's first number, root mean square, in each image. */
export function recordStride(recorder: Recorder, { w, g, schedule }: { readonly w: TensorRef; readonly g: TensorRef; readonly schedule: TensorRef }): void {
  const [batch, ...rest] = w.shape as [number, ...number[]];
  const length = recorder.scratch('length', [batch]);
  recordLengths(recorder, g, length);
  recorder.dispatch({ kernel: 'stride', code: stride({ batch, image: elements(rest) }), tensors: { g, length, schedule, w }, grid: linearGrid(elements(w.shape)), flops: 2 * elements(w.shape) });
}

export interface NoteTensors {
  readonly score: TensorRef;
  readonly length: TensorRef;
  /** [1] u32: iterations done. */
  readonly clock: TensorRef;
  /** [NOTE_ROWS, N, NOTE.words]. */
  readonly progress: TensorRef;
}

export function recordNote(recorder: Recorder, tensors: NoteTensors): void {
  const batch = tensors.score.shape[0]!;
  recorder.dispatch({ kernel: 'note', code: note({ batch }), tensors: { ...tensors }, grid: linearGrid(batch), flops: 0 });
}

/** row = that of the table [T, ...] whose turn it is; the last one past the end. */
export function recordRow(recorder: Recorder, { table, clock, row }: { readonly table: TensorRef; readonly clock: TensorRef; readonly row: TensorRef }): void {
  const width = elements(row.shape);
  recorder.dispatch({ kernel: 'timetable', part: row.label, code: timetableRow({ rows: table.shape[0]!, width }), tensors: { table, clock, row }, grid: linearGrid(width), flops: 0 });
}

export function recordTick(recorder: Recorder, clock: TensorRef): void {
  recorder.dispatch({ kernel: 'timetable', part: 'tick', code: timetableTick(), tensors: { clock }, grid: [1, 1, 1], flops: 0 });
}
