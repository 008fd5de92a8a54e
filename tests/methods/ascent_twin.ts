/** The optimizer of Yosinski et al. 2015 in plain double-precision loops: the twin that the GPU's is compared with. */
import type { AscentSettings } from '../../src/methods/settings.ts';

export interface Size {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** scipy.ndimage.gaussian_filter of every plane: mode reflect (half-sample symmetric), truncate 4. */
export function blurTwin(x: Float64Array, { channels, height, width }: Size, sigma: number): Float64Array {
  const radius = Math.floor(4 * sigma + 0.5);
  const raw = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp((-0.5 * (i - radius) ** 2) / sigma ** 2));
  const total = raw.reduce((a, b) => a + b, 0);
  const mirror = (i: number, n: number): number => {
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
  };
  let from: Float64Array = x;
  for (const axis of ['y', 'x']) {
    const to = new Float64Array(x.length);
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          let sum = 0;
          raw.forEach((tap, k) => {
            const at = axis === 'y' ? mirror(i + k - radius, height) * width + j : i * width + mirror(j + k - radius, width);
            sum += (tap / total) * from[c * height * width + at]!;
          });
          to[(c * height + i) * width + j] = sum;
        }
      }
    }
    from = to;
  }
  return from;
}

/** numpy.percentile, method linear. */
export function percentileTwin(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = (q / 100) * (sorted.length - 1);
  const low = Math.floor(position);
  const t = position - low;
  const [a, b] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!];
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

/** The regularizers after a step, in the published order; `g` is the gradient from before the step. */
export function regularizeTwin(xx: Float64Array, g: Float64Array, s: AscentSettings, step: number, size: Size): Float64Array {
  const plane = size.height * size.width;
  let x: Float64Array = xx.map((value) => value * (1 - s.decay));
  if (s.blurEvery > 0 && s.blurRadius > 0 && step % s.blurEvery === 0) x = blurTwin(x, size, s.blurRadius);
  if (s.smallValue > 0) {
    const threshold = percentileTwin(x.map(Math.abs), s.smallValue);
    x = x.map((value) => (Math.abs(value) < threshold ? 0 : value));
  }
  const sums = (term: (at: number) => number): Float64Array =>
    Float64Array.from({ length: plane }, (_, i) => {
      let sum = 0;
      for (let c = 0; c < size.channels; c++) sum += term(c * plane + i);
      return sum;
    });
  const cut = (keys: Float64Array, percentile: number): void => {
    const threshold = percentileTwin(keys, percentile);
    x = x.map((value, at) => (keys[at % plane]! < threshold ? 0 : value));
  };
  if (s.smallNorm > 0) cut(sums((at) => x[at]! ** 2).map(Math.sqrt), s.smallNorm);
  if (s.contribution > 0) cut(sums((at) => -x[at]! * g[at]!), s.contribution);
  if (s.absContribution > 0) cut(sums((at) => -x[at]! * g[at]!).map(Math.abs), s.absContribution);
  return x;
}

/** Score and gradient, in pixel units, of an image. */
export type Objective = (xx: Float64Array) => { score: number; gradient: Float64Array };

/** Runs `steps` iterations and returns the image and the score seen in each. */
export function ascentTwin(start: Float64Array, mean: readonly number[], s: AscentSettings, steps: number, size: Size, objective: Objective): { images: Float64Array[]; scores: number[] } {
  const plane = size.height * size.width;
  let xx: Float64Array = Float64Array.from(start);
  const images: Float64Array[] = [];
  const scores: number[] = [];
  for (let step = 0; step < steps; step++) {
    xx = xx.map((value, at) => Math.min(Math.max(value + mean[Math.floor(at / plane)]!, 0), 255) - mean[Math.floor(at / plane)]!);
    const { score, gradient } = objective(xx);
    images.push(xx);
    scores.push(score);
    const square = gradient.reduce((sum, value) => sum + value * value, 0);
    const desired = s.policy === 'progress01' ? Math.min(s.early, s.late * (1 - score)) : s.desired;
    const rate =
      s.policy === 'constant'
        ? s.rate
        : s.policy === 'normalized'
          ? (s.rate * Math.sqrt(xx.length)) / Math.sqrt(square)
          : Math.min(s.maxRate, desired / square);
    if (step + 1 < s.iterations) xx = regularizeTwin(xx.map((value, at) => value + rate * gradient[at]!), gradient, s, step, size);
  }
  return { images, scores };
}
