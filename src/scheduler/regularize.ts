/** Records the steps around forward and backward that make an image climb: present, observe, step, regularize. */
import { CLIPS, MAX_BLUR_TAPS, PROGRESS, PROGRESS_ROWS, SETTING, STATE, type ClipKind } from '../../shaders/ascent.wgsl.ts';
import { ascend, ascendWalk } from '../../shaders/ascend.wgsl.ts';
import { blur, blurGrid } from '../../shaders/blur.wgsl.ts';
import { cut, cutWalk } from '../../shaders/cut.wgsl.ts';
import { measure, measureWalk } from '../../shaders/measure.wgsl.ts';
import { observe } from '../../shaders/observe.wgsl.ts';
import { peak, peakWalk } from '../../shaders/peak.wgsl.ts';
import { present, presentWalk } from '../../shaders/present.wgsl.ts';
import { BINS, ROUNDS, SEARCH } from '../../shaders/rank.wgsl.ts';
import { countWalk, rankCount } from '../../shaders/rank_count.wgsl.ts';
import { rankDigit } from '../../shaders/rank_digit.wgsl.ts';
import { keyCount, keyWalk, rankKey } from '../../shaders/rank_key.wgsl.ts';
import { rate } from '../../shaders/rate.wgsl.ts';
import { snapshot, snapshotWalk } from '../../shaders/snapshot.wgsl.ts';
import { walkGrid } from '../../shaders/walk.wgsl.ts';
import type { TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';
import type { PlanBuilder } from './builder.ts';

/** The image's units: x = scale[c] xx, and a pixel of 0..255 is xx + mean[c]. */
export interface PixelUnits {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** The pass of a clip. */
export const clipPass = (kind: ClipKind): string => `clip.${kind}`;

/** Every tensor that the loop keeps on the GPU; all but the network's and `sums` are named, for `Runner.write` and `read`. */
export interface AscentTensors {
  readonly xx: TensorRef;
  readonly x0: TensorRef;
  readonly best: TensorRef;
  readonly majority: TensorRef;
  readonly settings: TensorRef;
  readonly taps: TensorRef;
  readonly unit: TensorRef;
  readonly state: TensorRef;
  readonly progress: TensorRef;
  /** The percentile of the clip under way. */
  readonly search: TensorRef;
  readonly counts: TensorRef;
  /** What present leaves for observe. */
  readonly sums: TensorRef;
}

const planeOf = ({ shape }: TensorRef): number => shape[2]! * shape[3]!;

/** The loop's own tensors for N images of x's shape. */
export function ascentTensors(builder: PlanBuilder, x: TensorRef): AscentTensors {
  const [n] = x.shape as [number];
  return {
    xx: builder.persistent('image', x.shape),
    x0: builder.persistent('start', x.shape),
    best: builder.persistent('best', x.shape),
    majority: builder.persistent('majority', x.shape),
    settings: builder.persistent('settings', [n, SETTING.words]),
    taps: builder.persistent('taps', [n, MAX_BLUR_TAPS + 1]),
    unit: builder.persistent('unit', [n], 'u32'),
    state: builder.persistent('state', [n, STATE.words], 'u32'),
    progress: builder.persistent('progress', [PROGRESS_ROWS, n, PROGRESS.words]),
    search: builder.persistent('search', [n, SEARCH.words], 'u32'),
    counts: builder.persistent('counts', [n, ROUNDS, BINS], 'u32'),
    sums: builder.tensor('sums', [n, presentWalk(planeOf(x)).invocations, 4]),
  };
}

/** present: clip the image to valid pixels and hand it to the network as x. Comes before `forward`. */
export function recordPresent(builder: PlanBuilder, { xx, x0, sums }: AscentTensors, x: TensorRef, units: PixelUnits): void {
  const plane = planeOf(x);
  builder.recorder('present', 'image', 'present').dispatch({
    kernel: 'present',
    code: present({ plane, ...units }),
    tensors: { x0, xx, x, sums },
    grid: walkGrid(presentWalk(plane), x.shape[0]!),
    flops: 9 * elements(x.shape),
  });
}

/** observe: score the target layer y, write the progress row, keep the snapshots. Comes after `forward`. */
export function recordObserve(builder: PlanBuilder, t: AscentTensors, y: TensorRef): void {
  const [batch, channels] = t.xx.shape as [number, number];
  const plane = planeOf(t.xx);
  const layer = elements(y.shape) / batch;
  const look = builder.recorder('observe', 'image', 'observe');
  const peaks = look.scratch('peaks', [batch, peakWalk(layer).invocations, 4], 'u32');
  look.dispatch({
    kernel: 'peak',
    part: 'peak',
    code: peak({ layer }),
    tensors: { y, peaks },
    grid: walkGrid(peakWalk(layer), batch),
    flops: batch * layer,
  });
  look.dispatch({
    kernel: 'observe',
    code: observe({ batch, layer, channels, plane }),
    tensors: { y, sums: t.sums, peaks, unit: t.unit, settings: t.settings, state: t.state, progress: t.progress },
    grid: [batch, 1, 1],
    flops: 0,
  });
  builder.recorder('observe', 'image', 'snapshot').dispatch({
    kernel: 'snapshot',
    code: snapshot({ channels, plane }),
    tensors: { xx: t.xx, state: t.state, best: t.best, majority: t.majority },
    grid: walkGrid(snapshotWalk(plane), batch),
    flops: 0,
  });
}

/**
 * rate, then ascend or ascend.blur, then one pass per clip: the regularize pass in its published order. The caller
 * chooses among the two, and leaves out the clips that no image wants in an iteration. Comes after `backward`, whose
 * gradient is dx.
 */
export function recordRegularize(builder: PlanBuilder, t: AscentTensors, dx: TensorRef, { scale }: PixelUnits): void {
  recordRate(builder, t, dx, scale);
  recordAscend(builder, t, dx, scale);
  recordBlur(builder, t, dx, scale);
  for (const kind of CLIPS) recordClip(builder, t, dx, scale, kind);
}

function recordRate(builder: PlanBuilder, { xx, settings, state, progress }: AscentTensors, dx: TensorRef, scale: readonly number[]): void {
  const [batch, channels] = xx.shape as [number, number];
  const plane = planeOf(xx);
  const look = builder.recorder('rate', 'image', 'rate');
  const norms = look.scratch('norms', [batch, measureWalk(plane).invocations, 2]);
  look.dispatch({
    kernel: 'measure',
    part: 'measure',
    code: measure({ plane, scale }),
    tensors: { dx, norms },
    grid: walkGrid(measureWalk(plane), batch),
    flops: 3 * elements(xx.shape),
  });
  look.dispatch({
    kernel: 'rate',
    code: rate({ batch, channels, plane }),
    tensors: { norms, settings, state, progress },
    grid: [batch, 1, 1],
    flops: 0,
  });
}

function recordAscend(builder: PlanBuilder, { xx, settings, state }: AscentTensors, dx: TensorRef, scale: readonly number[]): void {
  const plane = planeOf(xx);
  builder.recorder('ascend', 'image', 'ascend').dispatch({
    kernel: 'ascend',
    code: ascend({ plane, scale }),
    tensors: { dx, settings, state, xx },
    grid: walkGrid(ascendWalk(plane), xx.shape[0]!),
    flops: 4 * elements(xx.shape),
  });
}

/** The step, and then the blur of the images whose turn it is: one walk through the image less than one after the other. */
function recordBlur(builder: PlanBuilder, { xx, taps, settings, state }: AscentTensors, dx: TensorRef, scale: readonly number[]): void {
  const [batch, channels, height, width] = xx.shape as [number, number, number, number];
  const smooth = builder.recorder('ascend.blur', 'image', 'blur');
  const turned = smooth.scratch('blurred, transposed', [batch, channels, width, height]);
  const down = { channels, rows: height, columns: width, scale };
  smooth.dispatch({
    kernel: 'blur',
    part: 'columns',
    code: blur(down),
    tensors: { x: xx, dx, taps, settings, state, y: turned },
    grid: blurGrid(down, batch),
    flops: 4 * elements(xx.shape),
  });
  const along = { channels, rows: width, columns: height };
  smooth.dispatch({
    kernel: 'blur',
    part: 'rows',
    code: blur(along),
    tensors: { x: turned, taps, settings, state, y: xx },
    grid: blurGrid(along, batch),
    flops: 0,
  });
}

function recordClip(builder: PlanBuilder, t: AscentTensors, dx: TensorRef, scale: readonly number[], kind: ClipKind): void {
  const { xx, settings, state, search, counts } = t;
  const [batch, channels] = xx.shape as [number, number];
  const p = { plane: planeOf(xx), scale, kind };
  const count = keyCount(p);
  const clip = builder.recorder(clipPass(kind), 'image', 'clip');
  const keys = clip.scratch(`${kind} keys`, [batch, count], 'u32');
  const withGradient = kind === 'contribution' || kind === 'absContribution';
  clip.dispatch({
    kernel: 'rank_key',
    part: 'keys',
    code: rankKey(p),
    tensors: { xx, settings, state, ...(withGradient && { dx }), keys, counts, search },
    grid: walkGrid(keyWalk(count), batch),
    flops: 3 * elements(xx.shape),
  });
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) {
      clip.dispatch({
        kernel: 'rank_count',
        part: `count ${round}`,
        code: rankCount({ count, round }),
        tensors: { keys, search, counts },
        grid: walkGrid(countWalk(count), batch),
        flops: 0,
      });
    }
    clip.dispatch({
      kernel: 'rank_digit',
      part: `digit ${round}`,
      code: rankDigit(),
      tensors: { counts, search },
      grid: [batch, 1, 1],
      flops: 0,
    });
  }
  clip.dispatch({
    kernel: 'cut',
    code: cut({ count, channels: kind === 'smallValue' ? 1 : channels }),
    tensors: { keys, search, xx },
    grid: walkGrid(cutWalk(count), batch),
    flops: 0,
  });
}
