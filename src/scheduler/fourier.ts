/**
 * Records two-dimensional Fourier transforms between half a spectrum and real images, of any height and width, and how
 * gradients pass through them. Axis by axis; along one in stages, as few as radices up to MOST_UNROLLED and larger primes allow.
 */
import { turn } from '../../shaders/dft.wgsl.ts';
import { fft, fftFlops, fftGrid, MOST_UNROLLED } from '../../shaders/fft.wgsl.ts';
import { fftPrime, fftPrimeFlops, fftPrimeGrid } from '../../shaders/fft_prime.wgsl.ts';
import type { Stage } from '../../shaders/fft_stage.wgsl.ts';
import { range } from '../../shaders/prelude.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Shape } from '../network/network.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';

export interface InverseFftTensors {
  /** [N, C, H, floor(W / 2) + 1, 2] f32: real and imaginary parts. */
  readonly spectrum: TensorRef;
  /** [N, C, H, W] f32. */
  readonly image: TensorRef;
  /** [H, floor(W / 2) + 1] f32: factors that the spectrum is multiplied by first. */
  readonly gain?: TensorRef | undefined;
}

export interface InverseFftGradients {
  readonly dimage: TensorRef;
  /** Written over. */
  readonly dspectrum: TensorRef;
  readonly gain?: TensorRef | undefined;
}

/** Columns of half a spectrum of real images that are `width` wide. */
export const spectrumWidth = (width: number): number => Math.floor(width / 2) + 1;

/**
 * Radices whose product is n, in the order of their stages: large primes first, where nothing has to be turned yet, then
 * as few as possible for the rest, and of those the most even ones.
 */
export function radices(n: number): number[] {
  const large = primes(n).filter((prime) => prime > MOST_UNROLLED);
  const rest = n / product(large);
  return rest === 1 && large.length > 0 ? large : [...large, ...even(rest)];
}

const product = (factors: readonly number[]): number => factors.reduce((all, factor) => all * factor, 1);

function primes(n: number): number[] {
  const found: number[] = [];
  for (let p = 2; n > 1; p = p * p > n ? n : p + 1) {
    for (; n % p === 0; n /= p) found.push(p);
  }
  return found;
}

/** Radices of a number without large primes. */
function even(n: number): number[] {
  if (n <= MOST_UNROLLED) return [n];
  const ways = range(MOST_UNROLLED - 1, 2).filter((radix) => n % radix === 0).map((radix) => [radix, ...even(n / radix)]);
  const cost = (way: readonly number[]): number => 1000 * way.length + way.reduce((all, radix) => all + radix, 0);
  return ways.reduce((best, way) => (cost(way) < cost(best) ? way : best));
}

/** image = the inverse real transform of spectrum (gain spectrum): numpy's irfft2, which takes no notice of the imaginary parts of bins that are their own mirror image. */
export function recordInverseFft(recorder: Recorder, { spectrum, image, gain }: InverseFftTensors): void {
  const { planes, height, width, half, lines } = sizesOf(spectrum, image);
  const columns = recorder.scratch('columns', [planes, height, half, 2]);
  const axes = { sign: 1, lines, width, factor: 1 / (height * width) } as const;
  recordAxis(recorder, 'columns', { ...axes, n: height, blocks: planes, side: half, load: 'complex', store: 'complex' }, spectrum, columns, gain);
  recordAxis(recorder, 'rows', { ...axes, n: width, blocks: Math.ceil(lines / 2), side: 1, load: 'halves', store: 'real' }, columns, image);
}

/** dspectrum = the adjoint of `recordInverseFft` at dimage, real and imaginary parts being free real numbers. */
export function recordInverseFftBackward(recorder: Recorder, { dimage, dspectrum, gain }: InverseFftGradients): void {
  const { planes, height, width, half, lines } = sizesOf(dspectrum, dimage);
  const pairs = Math.ceil(lines / 2);
  const rows = recorder.scratch('rows', [pairs, width, 2]);
  const axes = { sign: -1, lines, width, factor: 1 / (height * width) } as const;
  recordAxis(recorder, 'rows', { ...axes, n: width, blocks: pairs, side: 1, load: 'real', store: 'complex' }, dimage, rows);
  recordAxis(recorder, 'columns', { ...axes, n: height, blocks: planes, side: half, load: 'pairs', store: 'halves' }, rows, dspectrum, gain);
}

function sizesOf(spectrum: TensorRef, image: TensorRef): { planes: number; height: number; width: number; half: number; lines: number } {
  const [batch, channels, height, width] = image.shape as [number, number, number, number];
  const half = spectrumWidth(width);
  const wanted: Shape = [batch, channels, height, half, 2];
  if (image.shape.length !== 4 || `${spectrum.shape}` !== `${wanted}`) {
    throw new UnitscopeError('usage', `an image [${image.shape}] has no spectrum [${spectrum.shape}]`, {}, `[N, C, H, W] goes with [N, C, H, floor(W / 2) + 1, 2]`);
  }
  const planes = batch * channels;
  return { planes, height, width, half, lines: planes * height };
}

/** Records the stages along one axis; the gain belongs to the end where the spectrum is. */
function recordAxis(recorder: Recorder, name: string, axis: Omit<Stage, 'radix' | 'done' | 'gain'>, x: TensorRef, y: TensorRef, gain?: TensorRef): void {
  const all = radices(axis.n);
  all.reduce((source, radix, index) => {
    const [first, last] = [index === 0, index === all.length - 1];
    const done = product(all.slice(0, index));
    const gained = gain !== undefined && (axis.sign === 1 ? first : last);
    const s: Stage = { ...axis, radix, done, load: first ? axis.load : 'complex', store: last ? axis.store : 'complex', gain: gained };
    const target = last ? y : recorder.scratch(`${name} ${index}`, [axis.blocks, axis.n, axis.side, 2]);
    const large = radix > MOST_UNROLLED;
    recorder.dispatch({
      kernel: large ? 'fft_prime' : 'fft',
      part: all.length > 1 ? `${name} ${index}` : name,
      code: large ? fftPrime(s) : fft(s),
      tensors: { x: source, ...((large || done > 1) && { turns: turnsOf(recorder, axis.n) }), ...(gained && { gain }), y: target },
      grid: large ? fftPrimeGrid(s) : fftGrid(s),
      flops: large ? fftPrimeFlops(s) : fftFlops(s),
    });
    return target;
  }, x);
}

/** e^(2 pi i t / n) for t = 0 .. n - 1. */
const turnsOf = (recorder: Recorder, n: number): TensorRef =>
  recorder.constant(`turns ${n}`, [n, 2], () => Float32Array.from(range(n).flatMap((t) => turn(t, n))));
