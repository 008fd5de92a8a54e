/** Colours that tell classes apart on a dark ground. */
import { toColor } from './colormap.ts';
import type { Color } from './image.ts';

/** Two lightnesses in turn: neighbours in hue differ in both. */
const LIGHTNESS = [0.8, 0.62] as const;
const CHROMA = 0.17;
/** Of the first class, degrees: a warm red. */
const HUE = 25;

/** One colour for each of `count` classes: hues all around the circle. */
export function classColors(count: number): Color[] {
  return Array.from({ length: count }, (_, n) => {
    const [red, green, blue] = toColor({ lightness: LIGHTNESS[n % 2]!, chroma: CHROMA, hue: HUE + (360 * n) / count });
    return [Math.round(red!), Math.round(green!), Math.round(blue!)];
  });
}
