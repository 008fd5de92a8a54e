/** What an image is made from when it is found by following a gradient, as one interface; and where it starts. */
import { NumpyRandom } from '../image/numpy_random.ts';
import type { Shape } from '../network/network.ts';
import type { Recorder } from '../ops/op.ts';
import { spectrumWidth } from '../scheduler/fourier.ts';
import {
  recordFourierImage,
  recordFourierImageBackward,
  recordPixelImage,
  recordPixelImageBackward,
  type FourierOptions,
  type ImageGradients,
  type ImageTensors,
} from '../scheduler/parameterization.ts';

export const PARAMETERIZATIONS = ['pixels', 'fourier'] as const;

export interface ImageParameterization {
  readonly kind: (typeof PARAMETERIZATIONS)[number];
  /** Of the parameters of RGB images. */
  shape(batch: number, height: number, width: number): Shape;
  /** Parameters to start from, one stream of numbers through all images of the shape: close to grey, or to the mean color. */
  initial(shape: Shape, seed: number, deviation?: number): Float32Array;
  record(recorder: Recorder, tensors: ImageTensors): void;
  recordBackward(recorder: Recorder, gradients: ImageGradients): void;
}

/** Standard deviation of the parameters at the start, as Lucid has it. */
const DEVIATION = 0.01;

/** `decay` is the spectrum's; pixels have none. */
export function imageParameterization(kind: ImageParameterization['kind'], options: FourierOptions = {}): ImageParameterization {
  if (kind === 'pixels') {
    return {
      kind,
      shape: (batch, height, width) => [batch, 3, height, width],
      initial: initialPixels,
      record: (recorder, tensors) => recordPixelImage(recorder, tensors, options),
      recordBackward: (recorder, gradients) => recordPixelImageBackward(recorder, gradients, options),
    };
  }
  return {
    kind,
    shape: (batch, height, width) => [batch, 3, height, spectrumWidth(width), 2],
    initial: initialSpectrum,
    record: (recorder, tensors) => recordFourierImage(recorder, tensors, options),
    recordBackward: (recorder, gradients) => recordFourierImageBackward(recorder, gradients, options),
  };
}

/** Pixels [N, C, H, W] of N(0, deviation), in the order of numpy's `normal`. */
export function initialPixels(shape: Shape, seed: number, deviation = DEVIATION): Float32Array {
  const random = new NumpyRandom(seed);
  return Float32Array.from({ length: shape.reduce((all, size) => all * size, 1) }, () => random.normal(0, deviation));
}

/**
 * A spectrum [N, C, H, K, 2] of N(0, deviation): of each image all real parts, then all imaginary ones, which are the numbers
 * that numpy's `normal(size=(2, C, H, K))` gives Lucid.
 */
export function initialSpectrum(shape: Shape, seed: number, deviation = DEVIATION): Float32Array {
  const random = new NumpyRandom(seed);
  const [batch, ...rest] = shape as [number, ...number[]];
  const bins = rest.slice(0, -1).reduce((all, size) => all * size, 1);
  const spectrum = new Float32Array(2 * batch * bins);
  for (let n = 0; n < batch; n++) {
    for (let part = 0; part < 2; part++) for (let bin = 0; bin < bins; bin++) spectrum[2 * (n * bins + bin) + part] = random.normal(0, deviation);
  }
  return spectrum;
}
