/** Weights as pictures: filters in colour, kernels as small multiples, and how their values spread. */
import { UnitscopeError } from '../errors.ts';
import { mapPlane, NOT_FINITE_COLOR } from '../image/colormap.ts';
import type { Color, Image } from '../image/image.ts';
import { createImage, enlarge } from '../image/image.ts';
import { drawLettering, letteringSize } from '../image/lettering.ts';
import { channelPlanes } from '../image/preprocess.ts';
import { sheet } from '../image/sheet.ts';
import type { Preprocess } from '../network/network.ts';
import { weightHistogram, weightStatistics, type Kernels } from './weights.ts';

export const SCALES = ['shared', 'each'] as const;
/** What the strongest colour stands for: the largest weight of all kernels, or of each its own. */
export type Scale = (typeof SCALES)[number];

const BACKGROUND: Color = [16, 16, 20];
const INK: Color = [200, 200, 206];

/** Pixels of a filter: as many as make a sheet `wide`, within limits. */
const FILTER = { least: 48, most: 112, wide: 900 } as const;

/** Whether kernels are pictures themselves: they read three channels of an image. */
export const isColored = ({ first, inputs, height, width }: Kernels): boolean => first && inputs === 3 && height * width > 1;

/**
 * The filters of a layer that reads a colour image, one picture each, in the order of its units: 0 is the mid grey, `scale` is
 * what reaches black or the full colour. The channels come as the network takes them.
 * @throws usage
 */
export function filterSheet(kernels: Kernels, channels: Preprocess['channels'], scale: Scale): Image {
  const planes = channelPlanes(channels);
  if (!isColored(kernels) || planes.length !== 3) throw new UnitscopeError('usage', `the kernels of '${kernels.layer}' are no colour pictures`, { layer: kernels.layer });
  const { outputs, height, width, data } = kernels;
  const size = height * width;
  const shared = reachOf(data);
  const columns = columnsFor(outputs);
  const side = Math.min(FILTER.most, Math.max(FILTER.least, FILTER.wide / columns));
  const zoom = Math.max(1, Math.round(side / Math.max(height, width)));
  const images = Array.from({ length: outputs }, (_, m) => {
    const own = data.subarray(3 * m * size, 3 * (m + 1) * size);
    const reach = scale === 'each' ? reachOf(own) : shared;
    const image = createImage(width, height, [128, 128, 128]);
    for (let i = 0; i < size; i++) {
      const finite = planes.every((_, c) => Number.isFinite(own[c * size + i]!));
      planes.forEach((plane, c) => (image.data[4 * i + plane] = finite ? 128 + (reach > 0 ? (127 * own[c * size + i]!) / reach : 0) : NOT_FINITE_COLOR[plane]!));
    }
    return enlarge(image, zoom);
  });
  return sheet(images, { columns, gap: 4, background: BACKGROUND });
}

export interface KernelSheet {
  readonly image: Image;
  /** How many outputs and inputs it shows, from the first on. */
  readonly outputs: number;
  readonly inputs: number;
  /** What the strongest colour stands for; undefined where each kernel has its own. */
  readonly reach: number | undefined;
}

/** The side that a sheet of kernels is made for, pixels. */
const SIDE = 1400;

/** A colour that a few outliers do not take from the others: weights beyond this share look as strong as those at it. */
const SHARE = 0.995;

/** Weights of a matrix that take the place of one kernel, along each axis. */
const POINTS = 8;

/**
 * The kernels as small multiples, a row for each output and a column for each input, blue below 0 and orange above. Kernels of one
 * weight make a matrix of points; those with one input (depthwise) stand in rows.
 * @param most outputs and inputs that are shown; of a matrix eight times as many, of kernels with one input its square
 */
export function kernelSheet(kernels: Kernels, { scale = 'shared', most }: { readonly scale?: Scale; readonly most: number }): KernelSheet {
  const { height, width, data } = kernels;
  const size = height * width;
  const alone = kernels.inputs === 1 && size > 1;
  const room = alone ? most * most : size === 1 ? most * POINTS : most;
  const [outputs, inputs] = [Math.min(kernels.outputs, room), Math.min(kernels.inputs, room)];
  const shared = quantileOfSizes(data, SHARE);
  const kernel = (m: number, c: number): Float32Array => data.subarray((m * kernels.inputs + c) * size, (m * kernels.inputs + c + 1) * size);
  const shown = { outputs, inputs, reach: scale === 'shared' ? shared : undefined };
  if (size === 1) {
    const rows = Array.from({ length: outputs }, (_, m) => {
      const row = data.subarray(m * kernels.inputs, m * kernels.inputs + inputs);
      return mapPlane(row, inputs, 1, 'diverging', rangeOf(scale === 'each' ? reachOf(row) : shared));
    });
    const zoom = Math.max(1, Math.min(24, Math.floor(SIDE / Math.max(outputs, inputs))));
    return { ...shown, image: enlarge(sheet(rows, { columns: 1, gap: 0, background: BACKGROUND }), zoom) };
  }
  const columns = alone ? columnsFor(outputs) : inputs;
  const rows = alone ? Math.ceil(outputs / columns) : outputs;
  const zoom = Math.max(1, Math.min(16, Math.floor((SIDE / Math.max(rows, columns) - 1) / Math.max(height, width))));
  const images = Array.from({ length: outputs * inputs }, (_, i) => {
    const plane = kernel(Math.floor(i / inputs), i % inputs);
    return enlarge(mapPlane(plane, width, height, 'diverging', rangeOf(scale === 'each' ? reachOf(plane) : shared)), zoom);
  });
  return { ...shown, image: sheet(images, { columns, gap: zoom > 2 ? 2 : 1, background: BACKGROUND }) };
}

/** The columns of a sheet that is a square or somewhat wider: as many as leave no row half empty, where some do. */
function columnsFor(count: number): number {
  const least = Math.ceil(Math.sqrt(count));
  for (let columns = least; columns <= 1.6 * least; columns++) if (count % columns === 0) return columns;
  return least;
}

/** A range without extent would show no 0. */
const rangeOf = (reach: number): readonly [number, number] => [-reach, reach];

/** The largest size of a finite value. */
function reachOf(values: Float32Array): number {
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
}

/** Parts that sizes are sorted into: fine enough for a colour. */
const PARTS = 4096;

/** The size below which a share of the finite values lies, rounded up to a 4,096th of the largest. */
function quantileOfSizes(values: Float32Array, share: number): number {
  const reach = reachOf(values);
  const counts = new Uint32Array(PARTS);
  let left = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    counts[reach > 0 ? Math.min(PARTS - 1, Math.floor((PARTS * Math.abs(value)) / reach)) : 0]!++;
    left++;
  }
  left *= share;
  const part = counts.findIndex((count) => (left -= count) <= 0);
  return (reach * (part + 1)) / PARTS;
}

const CHART = { width: 960, height: 420, margin: 40, top: 56, bins: 110 } as const;
const BAR: Color = [224, 142, 62];
const BAR_BELOW: Color = [70, 132, 214];
const LINE: Color = [70, 70, 78];

/** How the weights of a layer spread: bars from -reach to reach, heights relative to the highest; lines at 0 and at the deviations. */
export function histogramPicture(kernels: Kernels): Image {
  const { width, height, margin, top, bins } = CHART;
  const { reach, counts } = weightHistogram(kernels, bins);
  const { mean, deviation, count } = weightStatistics(kernels);
  const image = createImage(width, height, BACKGROUND);
  const floor = height - margin;
  const room = width - 2 * margin;
  const at = (value: number): number => margin + Math.round(room * (reach > 0 ? (value / reach + 1) / 2 : 0.5));
  for (const value of [mean - deviation, mean + deviation]) if (Math.abs(value) <= reach) box(image, at(value), top, 1, floor - top, LINE);
  const tallest = counts.reduce((a, b) => Math.max(a, b), 1);
  counts.forEach((bar, n) => {
    const [left, right] = [n, n + 1].map((edge) => margin + Math.round((room * edge) / bins)) as [number, number];
    const tall = Math.round(((floor - top) * bar) / tallest);
    // A bin that is not empty can be seen.
    if (bar > 0) box(image, left, floor - Math.max(1, tall), right - left - 1, Math.max(1, tall), n < bins / 2 ? BAR_BELOW : BAR);
  });
  box(image, margin, floor, room, 1, INK);
  box(image, at(0), top, 1, floor - top, INK);
  const write = (text: string, centre: number, y: number): void => drawLettering(image, text, Math.round(centre - letteringSize(text, 2).width / 2), y, { zoom: 2, color: INK });
  write(shortNumber(-reach), margin + letteringSize(shortNumber(-reach), 2).width / 2, floor + 14);
  write('0', at(0), floor + 14);
  write(shortNumber(reach), width - margin - letteringSize(shortNumber(reach), 2).width / 2, floor + 14);
  drawLettering(image, `${kernels.layer}  ${count} weights  mean ${shortNumber(mean)}  deviation ${shortNumber(deviation)}`, margin, 22, { zoom: 2, color: INK });
  return image;
}

/** Three digits, without signs that the lettering lacks. */
const shortNumber = (value: number): string => String(Number(value.toPrecision(3))).replace('+', '');

function box(image: Image, left: number, top: number, width: number, height: number, color: Color): void {
  for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) image.data.set([...color, 255], 4 * (y * image.width + x));
}
