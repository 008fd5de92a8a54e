/** Heat maps: a coarse grid of numbers spread over the pixels of a picture, and laid over it as colours. */
import { UnitscopeError } from '../errors.ts';
import { COLOR_MAPS, mapColor, NOT_FINITE_COLOR, type ColorMapName } from './colormap.ts';
import { checkImage, createImage, type Image } from './image.ts';

export interface ValueGrid {
  /** Row by row. */
  readonly values: ArrayLike<number>;
  /** Pixel coordinates at which its rows and columns lie, growing; the first pixel's centre is 0. */
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** `nearest`: every pixel has the value that lies nearest. `bilinear`: between the values around it, along each axis. */
export type Spread = 'nearest' | 'bilinear';

/** Two neighbours on an axis, and the share of the second. */
interface Between {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

function between(places: readonly number[], at: number, how: Spread): Between {
  const found = places.findIndex((place) => place >= at);
  const high = found < 0 ? places.length - 1 : found;
  const low = found < 0 ? high : Math.max(0, high - 1);
  const width = places[high]! - places[low]!;
  const share = width > 0 ? Math.min(1, Math.max(0, (at - places[low]!) / width)) : 0;
  // Halfway between two the first of them is taken.
  return how === 'bilinear' ? { low, high, share } : share > 0.5 ? { low: high, high, share: 0 } : { low, high: low, share: 0 };
}

/** The grid at every pixel of [height, width]; past its outermost rows and columns their values go on. @throws usage */
export function spreadGrid({ values, rows, columns }: ValueGrid, width: number, height: number, how: Spread): Float32Array {
  if (rows.length === 0 || columns.length === 0 || values.length !== rows.length * columns.length) {
    throw new UnitscopeError('usage', `a grid of ${rows.length} x ${columns.length} needs as many values, got ${values.length}`);
  }
  const across = Array.from({ length: width }, (_, j) => between(columns, j, how));
  const plane = new Float32Array(width * height);
  for (let i = 0; i < height; i++) {
    const down = between(rows, i, how);
    across.forEach(({ low, high, share }, j) => {
      const line = (row: number): number => mix(values[row * columns.length + low]!, values[row * columns.length + high]!, share);
      plane[i * width + j] = mix(line(down.low), line(down.high), down.share);
    });
  }
  return plane;
}

/** With a share of 0 or 1 the other value does not count, even where it is not finite. */
const mix = (a: number, b: number, share: number): number => (share === 0 ? a : share === 1 ? b : a + share * (b - a));

/** How bright the picture is under the colours, and how much of it the strongest ones hide. */
const DIM = 0.7;
const HIDE = 0.85;

/**
 * The picture in grey under the colours of a plane [height, width] of numbers. A colour is the stronger the further its value
 * lies from what is nothing: from 0, the middle of the range, for `diverging`, from the low end for the others.
 */
export function overlayHeat(image: Image, plane: ArrayLike<number>, map: ColorMapName, [low, high]: readonly [number, number]): Image {
  checkImage(image);
  if (plane.length !== image.width * image.height) throw new UnitscopeError('usage', `a picture of ${image.width} x ${image.height} needs as many values, got ${plane.length}`);
  const result = createImage(image.width, image.height);
  for (let at = 0; at < plane.length; at++) {
    const value = plane[at]!;
    const finite = Number.isFinite(value);
    const t = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : map === 'diverging' ? 0.5 : 0;
    const strength = HIDE * (finite ? (map === 'diverging' ? Math.abs(2 * t - 1) : t) : 1);
    const color = finite ? mapColor(COLOR_MAPS[map], t) : NOT_FINITE_COLOR;
    const [r, g, b] = [0, 1, 2].map((c) => image.data[4 * at + c]!) as [number, number, number];
    const grey = DIM * (0.299 * r + 0.587 * g + 0.114 * b);
    for (let c = 0; c < 3; c++) result.data[4 * at + c] = grey + strength * (color[c]! - grey);
    result.data[4 * at + 3] = 255;
  }
  return result;
}
