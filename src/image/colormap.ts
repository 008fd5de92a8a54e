/**
 * Colour maps: from a number to a colour. Each is a table of 256 colours, made at load from a short
 * description in OKLCh (lightness, chroma, hue), so that equal steps of the number look equally large.
 * Source of the colour space: B. Ottosson, "A perceptual color space for image processing", 2020.
 */
import { UnitscopeError } from '../errors.ts';
import type { Color, Image } from './image.ts';
import { createImage } from './image.ts';

export type ColorMapName = 'grey' | 'ember' | 'diverging';

/** 256 colours, three bytes each (RGB), from the low end to the high end. */
export type ColorMap = Uint8Array;

/** Where a value that is not finite is: a colour that no map contains. */
export const NOT_FINITE_COLOR: Color = [255, 0, 255];

/** A colour as lightness 0..1, chroma 0..0.4 and hue in degrees. */
export interface Oklch {
  lightness: number;
  chroma: number;
  hue: number;
}

/**
 * `grey`: black to white. `ember`: ink, violet, ember red, yellow, near white, with lightness growing
 * linearly. `diverging`: blue for the negative, dark grey for 0, orange for the positive, both arms equally light and
 * told apart by colour-blind eyes too.
 */
export const COLOR_MAPS: Readonly<Record<ColorMapName, ColorMap>> = {
  grey: table((t) => [t * 255, t * 255, t * 255]),
  ember: table((t) =>
    toColor({ lightness: 0.13 + 0.84 * t, chroma: 0.2 * Math.sin(Math.PI * t) ** 0.75, hue: 275 + 190 * t }),
  ),
  diverging: table((t) => {
    // The two middle entries are both 0, so that 0 has no tint.
    const arm = Math.max(0, (Math.abs(2 * t - 1) * 255 - 1) / 254);
    return toColor({ lightness: 0.22 + 0.55 * arm, chroma: 0.15 * arm ** 0.75, hue: t < 0.5 ? 250 : 62 });
  }),
};

/** The colour of the fraction `t` of a map; `t` is clamped to 0..1. */
export function mapColor(map: ColorMap, t: number): Color {
  if (!Number.isFinite(t)) return NOT_FINITE_COLOR;
  const i = 3 * Math.round(Math.min(1, Math.max(0, t)) * 255);
  return [map[i] as number, map[i + 1] as number, map[i + 2] as number];
}

/**
 * A plane [height, width] of numbers as a picture: `range` = [low, high] spans the map, what lies beyond is clamped.
 * A range without extent shows the middle of a diverging map and the low end of the others.
 */
export function mapPlane(
  plane: ArrayLike<number>,
  width: number,
  height: number,
  map: ColorMapName,
  range: readonly [number, number] = planeRange(plane, map),
): Image {
  if (plane.length !== width * height) {
    throw new UnitscopeError('usage', `a plane of ${width} x ${height} needs ${width * height} values, got ${plane.length}`);
  }
  const image = createImage(width, height);
  const colors = COLOR_MAPS[map];
  const [low, high] = range;
  const flat = map === 'diverging' ? 0.5 : 0;
  for (let i = 0; i < plane.length; i++) {
    const value = plane[i] as number;
    const t = high > low ? (value - low) / (high - low) : flat;
    image.data.set(Number.isFinite(value) ? mapColor(colors, t) : NOT_FINITE_COLOR, i * 4);
    image.data[i * 4 + 3] = 255;
  }
  return image;
}

/**
 * The range that shows all finite values: symmetric about 0 for `diverging`, from 0 on when nothing is
 * negative (activations after a ReLU), else from the least to the greatest.
 */
export function planeRange(plane: ArrayLike<number>, map: ColorMapName): [number, number] {
  let low = 0;
  let high = -Infinity;
  let least = Infinity;
  for (let i = 0; i < plane.length; i++) {
    const value = plane[i] as number;
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    high = Math.max(high, value);
  }
  if (least > high) return [0, 0];
  if (map === 'diverging') {
    high = Math.max(Math.abs(least), Math.abs(high));
    low = -high;
  } else if (least < 0) low = least;
  return [low, high];
}

function table(color: (t: number) => readonly number[]): ColorMap {
  const bytes = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i++) bytes.set(color(i / 255), i * 3);
  return new Uint8Array(bytes.buffer);
}

/** The nearest sRGB colour of the same lightness and hue: chroma gives way where the screen ends. */
export function toColor(color: Oklch): number[] {
  let rgb = linearRgb(color);
  for (let chroma = color.chroma; chroma > 0 && rgb.some((v) => v < -1e-4 || v > 1.0001); ) {
    chroma = Math.max(0, chroma - 0.002);
    rgb = linearRgb({ ...color, chroma });
  }
  return rgb.map((v) => 255 * (v <= 0.0031308 ? 12.92 * Math.max(0, v) : 1.055 * v ** (1 / 2.4) - 0.055));
}

function linearRgb({ lightness, chroma, hue }: Oklch): number[] {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}
