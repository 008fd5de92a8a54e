/**
 * Records what an image is made from when it is found by following a gradient: pixels, or a spectrum whose frequencies all
 * move at the pace of their share in natural images; both with colors from 0 to 1. And how the gradient gets back.
 */
import { color, colorBackward, colorGrid, type ColorParameters } from '../../shaders/color.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';
import { recordInverseFft, recordInverseFftBackward, spectrumWidth } from './fourier.ts';

export interface ColorOptions {
  /** The three channels are directions in which the colors of natural images vary, not red, green and blue: default true. */
  readonly correlate?: boolean | undefined;
  /** Colors are kept between 0 and 1 by a sigmoid, around grey; else they are clipped, around the mean color. Default true. */
  readonly sigmoid?: boolean | undefined;
}

export interface FourierOptions extends ColorOptions {
  /** The amplitude of a frequency f falls with f^decay: default 1, as in natural images. */
  readonly decay?: number | undefined;
}

export interface ImageTensors {
  /** Of pixels: [N, C, H, W]. Of a spectrum: [N, C, H, floor(W / 2) + 1, 2]. */
  readonly parameters: TensorRef;
  /** [N, C, H, W] f32, colors from 0 to 1; C = 3 where they are correlated. */
  readonly image: TensorRef;
}

export interface ImageGradients {
  /** What the parameters made. */
  readonly image: TensorRef;
  readonly dimage: TensorRef;
  /** Written over. */
  readonly dparameters: TensorRef;
}

/** image = colors of (parameters). @throws usage where the shapes do not fit */
export function recordPixelImage(recorder: Recorder, { parameters, image }: ImageTensors, options: ColorOptions = {}): void {
  checkPixels(parameters, image);
  recordColor(recorder, parameters, image, options);
}

export function recordPixelImageBackward(recorder: Recorder, { image, dimage, dparameters }: ImageGradients, options: ColorOptions = {}): void {
  checkPixels(dparameters, image);
  recordColorBackward(recorder, { image, dimage, dsignals: dparameters }, options);
}

/**
 * image = colors of (inverse transform of (spectrum gain)). An odd width has the transform of just that width; Lucid makes
 * an image that is one column wider and cuts it. @throws usage where the shapes do not fit
 */
export function recordFourierImage(recorder: Recorder, { parameters, image }: ImageTensors, { decay = 1, ...options }: FourierOptions = {}): void {
  const signals = recorder.scratch('signals', image.shape);
  recordInverseFft(recorder, { spectrum: parameters, image: signals, gain: gainOf(recorder, image, decay) });
  recordColor(recorder, signals, image, options);
}

export function recordFourierImageBackward(recorder: Recorder, { image, dimage, dparameters }: ImageGradients, { decay = 1, ...options }: FourierOptions = {}): void {
  const dsignals = recorder.scratch('d signals', image.shape);
  recordColorBackward(recorder, { image, dimage, dsignals }, options);
  recordInverseFftBackward(recorder, { dimage: dsignals, dspectrum: dparameters, gain: gainOf(recorder, image, decay) });
}

/**
 * [H, floor(W / 2) + 1]: sqrt(W H) / max(f, 1 / max(W, H))^decay / 4, f being the length of the frequency in turns per pixel.
 * Source: Lucid, fft_image.
 */
export function spectrumGain(height: number, width: number, decay: number): Float32Array {
  const half = spectrumWidth(width);
  const least = 1 / Math.max(width, height);
  return Float32Array.from({ length: height * half }, (_, i) => {
    const row = Math.floor(i / half);
    const f = Math.hypot(Math.min(row, height - row) / height, (i % half) / width);
    return Math.sqrt(width * height) / Math.max(f, least) ** decay / 4;
  });
}

function gainOf(recorder: Recorder, image: TensorRef, decay: number): TensorRef {
  const [height, width] = image.shape.slice(2) as [number, number];
  if (!Number.isFinite(decay)) throw new UnitscopeError('usage', `the decay of a spectrum must be a number, got ${decay}`, { attribute: 'decay' });
  return recorder.constant(`gain ${height}x${width} ${decay}`, [height, spectrumWidth(width)], () => spectrumGain(height, width, decay));
}

function colorParameters({ shape }: TensorRef, { correlate = true, sigmoid = true }: ColorOptions): ColorParameters {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  if (correlate && channels !== 3) throw new UnitscopeError('usage', `correlated colors have 3 channels, the image [${shape}] has ${channels}`, { attribute: 'correlate' });
  return { batch, channels, plane: height * width, correlate, sigmoid };
}

/** Operations per value: the matrix, and the sigmoid or the bounds. */
const flopsOf = (p: ColorParameters, image: TensorRef): number => elements(image.shape) * ((p.correlate ? 5 : 0) + 3);

function recordColor(recorder: Recorder, signals: TensorRef, image: TensorRef, options: ColorOptions): void {
  const p = colorParameters(image, options);
  recorder.dispatch({ kernel: 'color', part: 'color', code: color(p), tensors: { x: signals, y: image }, grid: colorGrid(p), flops: flopsOf(p, image) });
}

function recordColorBackward(recorder: Recorder, { image, dimage, dsignals }: { image: TensorRef; dimage: TensorRef; dsignals: TensorRef }, options: ColorOptions): void {
  const p = colorParameters(image, options);
  recorder.dispatch({
    kernel: 'color',
    part: 'color',
    code: colorBackward(p),
    tensors: { y: image, dy: dimage, dx: dsignals },
    grid: colorGrid(p),
    flops: flopsOf(p, image),
  });
}

function checkPixels(parameters: TensorRef, image: TensorRef): void {
  if (image.shape.length === 4 && `${parameters.shape}` === `${image.shape}`) return;
  throw new UnitscopeError('usage', `pixels [${parameters.shape}] are no image [${image.shape}]`);
}
