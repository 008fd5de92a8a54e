/** Attributions as pictures: in colour, as grey, as strength, and laid over what they explain. */
import { UnitscopeError } from '../errors.ts';
import type { Preprocess, Tensor } from '../network/network.ts';
import { COLOR_MAPS, mapColor, mapPlane, type ColorMapName } from './colormap.ts';
import { normalizedGradient } from './deprocess.ts';
import { checkImage, type Image } from './image.ts';
import { blurPlane } from './plane.ts';

/**
 * `raw`: colour, 0 is mid grey. `grey`: the channels' mean, 0 is mid grey. `norm`: strength, which is the L2 norm over the channels.
 * `norm-blur`: strength, blurred. `overlay`: strength as heat over the picture.
 */
export const ATTRIBUTION_DISPLAYS = ['raw', 'grey', 'norm', 'norm-blur', 'overlay'] as const;

export interface AttributionDisplay {
  readonly mode: (typeof ATTRIBUTION_DISPLAYS)[number];
  /** Standard deviation of the blur of `norm-blur` and `overlay`, pixels; 0 leaves it out. */
  readonly blur?: number;
  /** Percentile of the absolute values that is drawn at full strength, and what is larger no stronger: few outliers would leave all else dark. */
  readonly full?: number;
  /** What `overlay` lies over: as large as the attribution. */
  readonly picture?: Image;
}

/** Of strength. */
const MAP: ColorMapName = 'ember';

/** The picture of an attribution [1, C, H, W], or of one of a single plane [1, 1, H, W]. @throws usage */
export function drawAttribution(values: Tensor, preprocess: Preprocess, { mode, blur = 0, full = 100, picture }: AttributionDisplay): Image {
  const [, channels, height, width] = values.shape as [number, number, number, number];
  if (mode === 'raw' || mode === 'grey') {
    const capped = { shape: values.shape, data: cappedAt(values.data, full) };
    const isMap = channels === 1 && preprocess.mean.length > 1;
    return isMap ? mapPlane(capped.data, width, height, 'grey') : normalizedGradient(capped, preprocess, { mode });
  }
  const strong = strength(values);
  const heat = cappedAt(mode === 'norm' ? strong : blurPlane(strong, width, height, blur), full);
  if (mode !== 'overlay') return mapPlane(heat, width, height, MAP);
  if (!picture) throw new UnitscopeError('usage', 'an overlay needs the picture that it lies over');
  return overlayHeat(picture, heat);
}

/** The L2 norm over the channels of [1, C, H, W], as [H, W]. */
export function strength({ shape, data }: Tensor): Float32Array {
  const [, channels, height, width] = shape as [number, number, number, number];
  const size = height * width;
  return Float32Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += data[c * size + i]! ** 2;
    return Math.sqrt(sum);
  });
}

/** Shares of the picture's and of the heat's colour at full heat and at none: what is cold stays a picture, but a dark one. */
const [DARKEST, COLD] = [0.35, 0.55];

/**
 * Heat [H, W], from 0 to its largest value, over a picture of that size: colour map ember; where there is none, the picture alone,
 * darkened. The picture turns grey, so that all colour is heat.
 */
export function overlayHeat(picture: Image, heat: ArrayLike<number>): Image {
  checkImage(picture);
  if (heat.length !== picture.width * picture.height) {
    throw new UnitscopeError('usage', `heat of ${heat.length} values does not lie over a picture of ${picture.width} x ${picture.height}`);
  }
  let most = 0;
  for (let i = 0; i < heat.length; i++) if (Number.isFinite(heat[i])) most = Math.max(most, heat[i]!);
  const data = new Uint8ClampedArray(picture.data.length);
  for (let i = 0; i < heat.length; i++) {
    const [r, g, b] = [0, 1, 2].map((c) => picture.data[4 * i + c]!) as [number, number, number];
    const grey = 0.299 * r + 0.587 * g + 0.114 * b;
    const t = Number.isFinite(heat[i]) ? (most > 0 ? Math.max(0, heat[i]!) / most : 0) : NaN;
    const color = mapColor(COLOR_MAPS[MAP], t);
    const hot = Number.isFinite(t) ? t : 1;
    const [own, added] = [COLD + (DARKEST - COLD) * hot, 0.75 * hot];
    for (let c = 0; c < 3; c++) data[4 * i + c] = own * grey + added * color[c]!;
    data[4 * i + 3] = 255;
  }
  return { width: picture.width, height: picture.height, data };
}

/** The values with none further from 0 than the percentile of |value| (of those that are finite, the nearest one above). */
function cappedAt(values: Float32Array, percentile: number): Float32Array {
  if (!(percentile > 0 && percentile <= 100)) throw new UnitscopeError('usage', `the percentile at full strength must be above 0 and at most 100, got ${percentile}`);
  const sizes = values.map(Math.abs).filter(Number.isFinite).sort();
  const most = sizes[Math.ceil((percentile / 100) * sizes.length) - 1] ?? 0;
  // Where so many are 0, the few others are all there is to see.
  if (percentile === 100 || most === 0) return values;
  return values.map((value) => (Number.isFinite(value) ? Math.min(Math.max(value, -most), most) : value));
}
