/** Where integrated gradients start: an input that shows nothing. */
import { UnitscopeError } from '../errors.ts';
import { blurPlane } from '../image/plane.ts';
import { pixelBounds } from '../image/preprocess.ts';
import type { Preprocess, Tensor } from '../network/network.ts';

export const BASELINES = ['zero', 'black', 'white', 'blur'] as const;

/** `zero`: x = 0, the mean colour of most networks. `black`, `white`: a picture of that colour. `blur`: x itself, blurred. */
export type Baseline = (typeof BASELINES)[number];

/** Standard deviation of the blur as a share of the shorter side, where none is given: shapes are gone, colours are left. */
const BLUR = 0.1;

export interface BaselineOptions {
  /** Needed for black and white. */
  readonly preprocess?: Preprocess | undefined;
  /** Standard deviation of the blur, pixels. */
  readonly sigma?: number | undefined;
}

/** The baseline of x [1, C, H, W] as [C, H, W], network units. @throws usage */
export function baselineOf(kind: Baseline, { shape, data }: Tensor, { preprocess, sigma }: BaselineOptions): Float32Array {
  const [, channels, height, width] = shape as [number, number, number, number];
  const size = height * width;
  if (kind === 'zero') return new Float32Array(data.length);
  if (kind === 'blur') {
    const reach = sigma ?? BLUR * Math.min(height, width);
    const blurred = new Float32Array(data.length);
    for (let c = 0; c < channels; c++) blurred.set(blurPlane(data.subarray(c * size, (c + 1) * size), width, height, reach), c * size);
    return blurred;
  }
  if (!preprocess) {
    throw new UnitscopeError('usage', `what is ${kind} at the input is not known`, { attribute: 'baseline' }, 'give the preprocessing: how pixels become input');
  }
  const { low, high } = pixelBounds(preprocess, channels);
  return Float32Array.from(data, (_, i) => (kind === 'black' ? low : high)[Math.floor(i / size)]!);
}
