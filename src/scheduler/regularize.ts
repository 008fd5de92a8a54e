/** Records the steps around forward and backward that make an image climb: present, observe, step, regularize. */
import { CLIPS, MAX_BLUR_TAPS, PROGRESS, PROGRESS_ROWS, SETTING, STATE, type ClipKind } from '../../shaders/ascent.wgsl.ts';
import { ascend } from '../../shaders/ascend.wgsl.ts';
import { blur } from '../../shaders/blur.wgsl.ts';
import { cut } from '../../shaders/cut.wgsl.ts';
import { measure } from '../../shaders/measure.wgsl.ts';
import { observe } from '../../shaders/observe.wgsl.ts';
import { percentile } from '../../shaders/percentile.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import { present } from '../../shaders/present.wgsl.ts';
import { rankKey } from '../../shaders/rank_key.wgsl.ts';
import { snapshot } from '../../shaders/snapshot.wgsl.ts';
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

/** Every tensor that the loop keeps on the GPU; all but the network's are named, for `Runner.write` and `read`. */
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
}

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
  };
}

/** present: clip the image to valid pixels and hand it to the network as x. Comes before `forward`. */
export function recordPresent(builder: PlanBuilder, { xx }: AscentTensors, x: TensorRef, units: PixelUnits): void {
  const [batch, , height, width] = x.shape as [number, number, number, number];
  builder.recorder('present', 'image', 'present').dispatch({
    kernel: 'present',
    code: present({ batch, plane: height * width, ...units }),
    tensors: { xx, x },
    grid: linearGrid(elements(x.shape)),
    flops: 3 * elements(x.shape),
  });
}

/** observe: score the target layer y, write the progress row, keep the snapshots. Comes after `forward`. */
export function recordObserve(builder: PlanBuilder, t: AscentTensors, y: TensorRef): void {
  const [batch] = t.xx.shape as [number];
  const image = elements(t.xx.shape) / batch;
  const layer = elements(y.shape) / batch;
  builder.recorder('observe', 'image', 'observe').dispatch({
    kernel: 'observe',
    code: observe({ batch, layer, image }),
    tensors: { y, xx: t.xx, x0: t.x0, unit: t.unit, settings: t.settings, state: t.state, progress: t.progress },
    grid: [batch, 1, 1],
    flops: batch * (layer + 6 * image),
  });
  builder.recorder('observe', 'image', 'snapshot').dispatch({
    kernel: 'snapshot',
    code: snapshot({ batch, image }),
    tensors: { xx: t.xx, state: t.state, best: t.best, majority: t.majority },
    grid: linearGrid(batch * image),
    flops: 0,
  });
}

/**
 * ascend, blur and one pass per clip: the regularize pass in its published order. The caller leaves out the passes
 * that no image wants in an iteration. Comes after `backward`, whose gradient is dx.
 */
export function recordRegularize(builder: PlanBuilder, t: AscentTensors, dx: TensorRef, { scale }: PixelUnits): void {
  const [batch, channels, height, width] = t.xx.shape as [number, number, number, number];
  const plane = height * width;
  const count = elements(t.xx.shape);
  const { xx, settings, state, progress, taps } = t;
  const step = builder.recorder('ascend', 'image', 'ascend');
  step.dispatch({
    kernel: 'measure',
    part: 'measure',
    code: measure({ batch, plane, scale }),
    tensors: { dx, settings, state, progress },
    grid: [batch, 1, 1],
    flops: 3 * count,
  });
  step.dispatch({
    kernel: 'ascend',
    code: ascend({ batch, plane, scale }),
    tensors: { dx, settings, state, xx },
    grid: linearGrid(count),
    flops: 4 * count,
  });
  const smooth = builder.recorder('blur', 'image', 'blur');
  const across = smooth.scratch('blurred', xx.shape);
  for (const [axis, x, y] of [['x', xx, across], ['y', across, xx]] as const) {
    smooth.dispatch({
      kernel: 'blur',
      part: axis,
      code: blur({ batch, channels, height, width, axis }),
      tensors: { x, taps, settings, state, y },
      grid: linearGrid(count),
      flops: 0,
    });
  }
  for (const kind of CLIPS) {
    const clip = builder.recorder(clipPass(kind), 'image', 'clip');
    const perImage = kind === 'smallValue' ? channels * plane : plane;
    const keys = clip.scratch(`${kind} keys`, [batch, perImage]);
    const withGradient = kind === 'contribution' || kind === 'absContribution';
    clip.dispatch({
      kernel: 'rank_key',
      part: 'keys',
      code: rankKey({ batch, plane, scale, kind }),
      tensors: { xx, ...(withGradient && { dx }), keys },
      grid: linearGrid(batch * perImage),
      flops: 3 * count,
    });
    clip.dispatch({
      kernel: 'percentile',
      part: 'percentile',
      code: percentile({ count: perImage, kind }),
      tensors: { keys, settings, state },
      grid: [batch, 1, 1],
      flops: 0,
    });
    clip.dispatch({
      kernel: 'cut',
      code: cut({ batch, channels, plane, kind }),
      tensors: { keys, settings, state, xx },
      grid: linearGrid(count),
      flops: 0,
    });
  }
}
