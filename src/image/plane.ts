/** Planes of numbers, rows from the top: blurring and scaling in floating point, before they become colours. */
import { UnitscopeError } from '../errors.ts';

/**
 * A plane [height, width] blurred with a Gaussian of this standard deviation in pixels; 0 changes nothing. The kernel ends at four
 * standard deviations, the border mirrors with the edge repeated (d c b a | a b c d), as scipy.ndimage.gaussian_filter does.
 */
export function blurPlane(plane: ArrayLike<number>, width: number, height: number, sigma: number): Float32Array {
  if (!(sigma >= 0 && sigma <= 1000)) throw new UnitscopeError('usage', `the standard deviation of a blur must be from 0 to 1000 pixels, got ${sigma}`);
  if (sigma === 0) return Float32Array.from(plane);
  const radius = Math.floor(4 * sigma + 0.5);
  const taps = Float64Array.from({ length: radius + 1 }, (_, d) => Math.exp(-(d * d) / (2 * sigma * sigma)));
  const total = taps.reduce((sum, tap, d) => sum + (d === 0 ? tap : 2 * tap), 0);
  const weights = taps.map((tap) => tap / total);
  const rows = alongLines(plane, weights, { lines: height, length: width, step: 1, jump: width });
  return Float32Array.from(alongLines(rows, weights, { lines: width, length: height, step: width, jump: 1 }));
}

/** `length` elements that lie `step` apart, `lines` times, beginning `jump` apart. */
interface Lines {
  readonly lines: number;
  readonly length: number;
  readonly step: number;
  readonly jump: number;
}

/** Convolves every line. */
function alongLines(plane: ArrayLike<number>, weights: Float64Array, { lines, length, step, jump }: Lines): Float64Array {
  const blurred = new Float64Array(plane.length);
  const radius = weights.length - 1;
  /** Where sample i - radius of a line lies, from its first. */
  const places = Int32Array.from({ length: length + 2 * radius }, (_, i) => {
    const m = (((i - radius) % (2 * length)) + 2 * length) % (2 * length);
    return step * Math.min(m, 2 * length - 1 - m);
  });
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      let sum = weights[0]! * plane[line * jump + i * step]!;
      for (let d = 1; d <= radius; d++) sum += weights[d]! * (plane[line * jump + places[radius + i - d]!]! + plane[line * jump + places[radius + i + d]!]!);
      blurred[line * jump + i * step] = sum;
    }
  }
  return blurred;
}

/** A plane [height, width] at another size, bilinear between the centres of its elements; the border repeats the edge. */
export function resizePlane(plane: ArrayLike<number>, width: number, height: number, toWidth: number, toHeight: number): Float32Array {
  const places = (from: number, to: number): { low: number; high: number; share: number }[] =>
    Array.from({ length: to }, (_, i) => {
      const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
      const low = Math.floor(at);
      return { low, high: Math.min(low + 1, from - 1), share: at - low };
    });
  const columns = places(width, toWidth);
  const rows = places(height, toHeight);
  return Float32Array.from({ length: toWidth * toHeight }, (_, i) => {
    const y = rows[Math.floor(i / toWidth)]!;
    const x = columns[i % toWidth]!;
    const [top, bottom] = [y.low, y.high].map((row) => plane[row * width + x.low]! * (1 - x.share) + plane[row * width + x.high]! * x.share) as [number, number];
    return top * (1 - y.share) + bottom * y.share;
  });
}
