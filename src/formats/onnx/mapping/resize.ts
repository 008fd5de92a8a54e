/**
 * Resize and Upsample along height and width. Formulas: ONNX operator specification, Resize. What only other modes
 * read (roi, extrapolation_value, cubic_coeff_a, exclude_outside) means nothing for nearest and linear.
 */
import { axesOf } from '../axes.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import type { RuntimeOperand } from '../value.ts';
import { emitImage, imageOf } from './image.ts';

const ROUNDINGS = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];
const COORDINATES = ['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'];

/** One axis: the size that it gets, and the stated scale, 0 where it follows from the sizes. */
interface Stretch {
  readonly size: number;
  readonly scale: number;
}

interface Sampling {
  readonly mode: string;
  readonly coordinates: string;
  readonly rounding: string;
}

export const resize: Mapping = (t) => {
  t.attributes.ignore('cubic_coeff_a', 'exclude_outside', 'extrapolation_value');
  const mode = modeOf(t);
  const isOld = t.opset < 11;
  const stated = isOld ? 'asymmetric' : t.attributes.text('coordinate_transformation_mode', 'half_pixel');
  const nearest = isOld ? 'simple' : t.attributes.text('nearest_mode', 'round_prefer_floor');
  const antialias = t.opset >= 18 && t.attributes.integer('antialias', 0) !== 0;
  const x = t.runtime(0);
  const stretches = stretchesOf(t, x, isOld);
  const shrinks = stretches.some(({ size }, axis) => size < x.shape[axis]!);
  if (antialias && mode === 'linear' && shrinks) throw t.refuse('antialias is not supported', 'antialias');
  const symmetric = stated === 'half_pixel_symmetric';
  if (symmetric && stretches.some(({ size, scale }, axis) => scale > 0 && scale * x.shape[axis]! !== size)) {
    throw t.refuse('coordinate_transformation_mode half_pixel_symmetric with a scale that makes no whole size is not supported');
  }
  emitResize(t, x, stretches, samplingOf(t, mode, symmetric ? 'half_pixel' : stated, nearest, stretches));
};

/** Upsample, the Resize of versions 7 and 9 (and 1, with a scale per axis in attributes). */
export const upsample: Mapping = (t) => {
  const mode = modeOf(t);
  const x = t.runtime(0);
  let scales: readonly number[] | undefined;
  if (t.opset >= 9) scales = Array.from(t.weight(1, 'the scales').data);
  else if (t.opset >= 7) scales = t.attributes.floats('scales');
  else scales = [1, 1, t.attributes.float('height_scale', 1), t.attributes.float('width_scale', 1)];
  if (scales?.length !== x.shape.length) throw t.invalid(`the scales [${scales ?? ''}] do not fit the input [${x.shape}]`);
  const stretches = scales.map((scale, axis) => scaledTo(t, x.shape[axis]!, scale));
  emitResize(t, x, stretches, samplingOf(t, mode, 'asymmetric', 'simple', stretches));
};

function modeOf(t: NodeTranslation): string {
  const mode = t.attributes.text('mode', 'nearest');
  if (mode === 'nearest' || mode === 'linear') return mode;
  if (mode === 'bilinear' && t.opset < 9) return 'linear';
  throw t.refuse(`mode '${mode.slice(0, 20)}' is not supported, only nearest and linear`, 'mode');
}

/** The rounding of old versions: down, or up along an axis that shrinks. */
function simpleRounding(t: NodeTranslation, mode: string, stretches: readonly Stretch[]): string {
  const scales = stretches.map(({ scale }) => scale);
  const shrinks = scales.some((scale) => scale < 1);
  if (mode === 'nearest' && shrinks && scales.some((scale) => scale > 1)) {
    throw t.refuse(`the scales [${scales}], which shrink one axis and stretch another, are not supported in mode nearest of version ${t.opset}`);
  }
  return shrinks ? 'ceil' : 'floor';
}

/** Translates the words of the file; `simple` is the rounding of old versions. */
function samplingOf(t: NodeTranslation, mode: string, coordinates: string, nearest: string, stretches: readonly Stretch[]): Sampling {
  const rounding = nearest === 'simple' ? simpleRounding(t, mode, stretches) : nearest;
  // (x + 0.5) / scale rounded down is the half-pixel position rounded to the nearest, halves up.
  if (coordinates === 'tf_half_pixel_for_nn' && mode === 'nearest' && rounding === 'floor') {
    return { mode, coordinates: 'half_pixel', rounding: 'round_prefer_ceil' };
  }
  if (!COORDINATES.includes(coordinates)) throw t.refuse(`coordinate_transformation_mode '${coordinates.slice(0, 30)}' is not supported`, 'coordinate_transformation_mode');
  if (mode === 'linear') return { mode, coordinates, rounding: ROUNDINGS[0]! };
  if (!ROUNDINGS.includes(rounding)) throw t.refuse(`nearest_mode '${rounding.slice(0, 30)}' is not supported`, 'nearest_mode');
  return { mode, coordinates, rounding };
}

function scaledTo(t: NodeTranslation, size: number, scale: number): Stretch {
  if (!(scale > 0) || !Number.isFinite(scale)) throw t.invalid(`the scale ${scale} is wrong`);
  // The product in float32, as engines compute it.
  return { size: Math.floor(Math.fround(scale * size)), scale };
}

/** What every axis of x is stretched to. */
function stretchesOf(t: NodeTranslation, x: RuntimeOperand, isOld: boolean): Stretch[] {
  const stays = x.shape.map((size): Stretch => ({ size, scale: 1 }));
  const named = t.opset >= 18 ? t.attributes.integers('axes') : undefined;
  const axes = named ? axesOf(t, named, x.shape) : [...x.shape.keys()];
  const at = isOld ? 1 : 2;
  const scales = t.operand(at) ? t.weight(at, 'the scales').data : undefined;
  if (scales && scales.length > 0) {
    if (scales.length !== axes.length) throw t.invalid(`the scales [${scales}] do not fit the input [${x.shape}]`);
    axes.forEach((axis, index) => (stays[axis] = scaledTo(t, x.shape[axis]!, scales[index]!)));
    return stays;
  }
  const sizes = isOld ? undefined : t.integers(3, 'the sizes');
  if (!sizes) throw t.invalid('neither scales nor sizes are there');
  if (sizes.length !== axes.length || sizes.some((size) => size < 1)) throw t.invalid(`the sizes [${sizes}] do not fit the input [${x.shape}]`);
  const policy = t.opset >= 18 ? t.attributes.text('keep_aspect_ratio_policy', 'stretch') : 'stretch';
  if (policy === 'stretch') {
    axes.forEach((axis, index) => (stays[axis] = { size: sizes[index]!, scale: 0 }));
    return stays;
  }
  if (policy !== 'not_larger' && policy !== 'not_smaller') {
    throw t.refuse(`keep_aspect_ratio_policy '${policy.slice(0, 20)}' is not supported`, 'keep_aspect_ratio_policy');
  }
  const ratios = axes.map((axis, index) => sizes[index]! / x.shape[axis]!);
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  for (const axis of axes) stays[axis] = { size: Math.floor(scale * x.shape[axis]! + 0.5), scale };
  return stays;
}

function emitResize(t: NodeTranslation, x: RuntimeOperand, stretches: readonly Stretch[], sampling: Sampling): void {
  const shape = stretches.map(({ size }) => size);
  if (shape.every((size, axis) => size === x.shape[axis]) && stretches.every(({ scale }) => scale === 0 || scale === 1)) {
    t.emit({ op: 'identity', inputs: [x], shape });
    return;
  }
  if (stretches.slice(0, 2).some(({ size, scale }, axis) => size !== x.shape[axis] || (scale !== 0 && scale !== 1))) {
    throw t.refuseShape(`resizing [${x.shape}] to [${shape}] is not supported, only height and width`);
  }
  const image = imageOf(t);
  const signal: Stretch = { size: 1, scale: 0 };
  const [rows, columns] = [...(image.axes === 1 ? [signal] : []), ...stretches.slice(2)] as [Stretch, Stretch];
  const size = [rows.size, columns.size];
  emitImage(t, image, {
    op: 'resize',
    inputs: [image.x],
    attributes: { ...sampling, size, scale: [rows.scale, columns.scale] },
    shape: [x.shape[0]!, x.shape[1]!, ...size],
  });
}
