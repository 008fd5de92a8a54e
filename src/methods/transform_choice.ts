/**
 * Draws how an image is moved before the network sees it, anew for every step, so that what it shows does not hang on the
 * place of single pixels.
 *
 * Lucid pads, crops, resizes, turns and crops one after another, with two resamplings. Here the same choices make one affine
 * map: shifts are exact, what is turned or scaled is resampled once, and grey lies around the image as far as one looks. The
 * result has the image's size: its middle, where Lucid's differs in size from step to step.
 */
import { mix } from './chance.ts';

export interface TransformSettings {
  /** Range of the first shift, pixels: each axis moves by -jitter / 2 .. jitter / 2. */
  readonly firstJitter: number;
  /** One is drawn; above 1 the image grows. */
  readonly scales: readonly number[];
  /** One is drawn, degrees, clockwise on the screen. */
  readonly angles: readonly number[];
  /** Range of the shift after scaling and turning. */
  readonly lastJitter: number;
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** The matrix [6] of a step, a function of its numbers alone. */
export type DrawTransform = (seed: number, step: number) => Float32Array;

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** The standard transforms of Lucid, render_vis; no turn is six times as likely as any other. Its padding of 12 leaves room for them. */
export const LUCID: TransformSettings = {
  firstJitter: 8,
  scales: numbers(-5, 5).map((step) => 1 + step / 50),
  angles: [...numbers(-10, 10), 0, 0, 0, 0, 0],
  lastJitter: 4,
};

/** The image as it is. */
export const IDENTITY: readonly number[] = [1, 0, 0, 0, 1, 0];

export const lucidTransforms = (size: Size): DrawTransform => drawTransforms(LUCID, size);

/** Around the middle of the image: result -> last shift -> turned back -> scaled back -> first shift -> image. */
export function drawTransforms({ firstJitter, scales, angles, lastJitter }: TransformSettings, { height, width }: Size): DrawTransform {
  return (seed, step) => {
    const draw = (choice: number, count: number): number => mix(seed, step, choice) % count;
    const shift = (choice: number, jitter: number): number => draw(choice, jitter + 1) - Math.floor(jitter / 2);
    const scale = scales[draw(0, scales.length)] ?? 1;
    const angle = ((angles[draw(1, angles.length)] ?? 0) * Math.PI) / 180;
    const [c, s] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
    const middle = [(width - 1) / 2, (height - 1) / 2] as const;
    const moved = [shift(2, lastJitter) - middle[0], shift(3, lastJitter) - middle[1]] as const;
    return Float32Array.of(
      c,
      s,
      c * moved[0] + s * moved[1] + shift(4, firstJitter) + middle[0],
      -s,
      c,
      -s * moved[0] + c * moved[1] + shift(5, firstJitter) + middle[1],
    );
  };
}
