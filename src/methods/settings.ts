/**
 * Settings of activation maximization: the step-size policies and the four regularizers of Yosinski et al. 2015,
 * their published combinations, and the words in which the GPU reads them.
 */
import { blurTaps, CLIPS, MAX_BLUR_TAPS, POLICY, SETTING, type ClipKind } from '../../shaders/ascent.wgsl.ts';
import { UnitscopeError } from '../errors.ts';

export interface AscentSettings {
  /**
   * constant: `rate`; progress: min(maxRate, desired / |g|^2); progress01: desired =
   * min(early, late (1 - score)); normalized: a step of `rate` pixel levels root mean square, whatever the gradient.
   */
  readonly policy: keyof typeof POLICY;
  readonly rate: number;
  readonly maxRate: number;
  readonly desired: number;
  readonly early: number;
  readonly late: number;
  /** Share of the image that each step takes away, 0..1. */
  readonly decay: number;
  /** Standard deviation of the blur in pixels, and how many steps lie between two blurs; 0 = off. */
  readonly blurRadius: number;
  readonly blurEvery: number;
  /** Percentiles 0..100 below which values or pixels become the mean colour; 0 = off. */
  readonly smallValue: number;
  readonly smallNorm: number;
  readonly contribution: number;
  readonly absContribution: number;
  /** Iterations; the last one only looks. */
  readonly iterations: number;
}

export const DEFAULT_SETTINGS: AscentSettings = {
  policy: 'constant',
  rate: 1,
  maxRate: 100,
  desired: 2,
  early: 0.03,
  late: 0.1,
  decay: 0,
  blurRadius: 0,
  blurEvery: 0,
  smallValue: 0,
  smallNorm: 0,
  contribution: 0,
  absContribution: 0,
  iterations: 500,
};

/** The four combinations of table 1 of Yosinski et al. 2015, by their number. */
export const PRESETS: Readonly<Record<1 | 2 | 3 | 4, AscentSettings>> = {
  1: { ...DEFAULT_SETTINGS, policy: 'progress', maxRate: 100, desired: 2, blurRadius: 0.5, blurEvery: 4, smallNorm: 50, iterations: 500 },
  2: { ...DEFAULT_SETTINGS, rate: 100, decay: 0.3, smallNorm: 20, iterations: 750 },
  3: { ...DEFAULT_SETTINGS, rate: 100, decay: 0.0001, blurRadius: 1, blurEvery: 4, iterations: 1000 },
  4: { ...DEFAULT_SETTINGS, policy: 'progress', maxRate: 1e8, desired: 2, blurRadius: 0.5, blurEvery: 4, absContribution: 90, iterations: 1000 },
};

/**
 * A step that fits the embedded network: the gain per step that presets 1 and 4 name, uncapped. The fixed steps of presets 2 and 3
 * belong to CaffeNet; a small network's gradients are far less steep.
 */
export const FREE_STEP = { policy: 'progress', desired: 2, maxRate: 1e8 } as const satisfies Partial<AscentSettings>;

const RANGES: Readonly<Record<Exclude<keyof AscentSettings, 'policy'>, readonly [number, number, string]>> = {
  rate: [0, 1e12, 'a step size'],
  maxRate: [0, 1e12, 'a step size'],
  desired: [0, 1e12, 'a gain of the score per step'],
  early: [0, 1e12, 'a gain of the score per step'],
  late: [0, 1e12, 'a share of what is missing to 1'],
  decay: [0, 1, 'a share'],
  blurRadius: [0, MAX_BLUR_TAPS / 4, 'a standard deviation in pixels'],
  blurEvery: [0, 1e6, 'a number of steps'],
  smallValue: [0, 100, 'a percentile'],
  smallNorm: [0, 100, 'a percentile'],
  contribution: [0, 100, 'a percentile'],
  absContribution: [0, 100, 'a percentile'],
  iterations: [1, 1e6, 'a number of iterations'],
};

/** Defaults, then a preset, then single settings. @throws usage, naming the setting and its range */
export function ascentSettings(changes: Partial<AscentSettings> = {}, preset?: number): AscentSettings {
  if (preset !== undefined && !(preset in PRESETS)) {
    throw new UnitscopeError('usage', `there is no preset ${preset}`, {}, 'presets are 1, 2, 3 and 4');
  }
  const settings = { ...DEFAULT_SETTINGS, ...(preset && PRESETS[preset as 1]), ...changes };
  if (!(settings.policy in POLICY)) {
    throw new UnitscopeError('usage', `there is no step-size policy '${settings.policy}'`, {}, `policies: ${Object.keys(POLICY).join(', ')}`);
  }
  for (const [name, [low, high, meaning]] of Object.entries(RANGES)) {
    const value = settings[name as keyof typeof RANGES];
    const whole = name === 'iterations' || name === 'blurEvery';
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      throw new UnitscopeError('usage', `${name} must be ${meaning} from ${low} to ${high}${whole ? ', a whole number' : ''}, got ${value}`);
    }
  }
  return settings;
}

/** True where this step blurs. The first step (0) does, as in the published optimizer. */
export const blurs = ({ blurRadius, blurEvery }: AscentSettings, step: number): boolean =>
  blurEvery > 0 && blurTaps(blurRadius) > 0 && step % blurEvery === 0;

/** Normalized half of a Gaussian kernel, as scipy.ndimage truncates it: radius int(4 sigma + 0.5). */
export function gaussianTaps(sigma: number): Float64Array {
  const taps = Float64Array.from({ length: blurTaps(sigma) + 1 }, (_, d) => (d === 0 ? 1 : Math.exp((-0.5 * d * d) / (sigma * sigma))));
  const total = taps.reduce((sum, tap, d) => sum + (d === 0 ? tap : 2 * tap), 0);
  return taps.map((tap) => tap / total);
}

/** The words of one image for the GPU (SETTING), and its blur kernel. `image` = [C, H, W]. */
export function settingWords(
  settings: AscentSettings,
  image: { readonly channels: number; readonly plane: number },
): { words: Float32Array; taps: Float32Array } {
  const words = new Float32Array(SETTING.words);
  words[SETTING.policy] = POLICY[settings.policy];
  words[SETTING.rate] = settings.rate;
  words[SETTING.maxRate] = settings.maxRate;
  words[SETTING.desired] = settings.desired;
  words[SETTING.early] = settings.early;
  words[SETTING.late] = settings.late;
  words[SETTING.keep] = 1 - settings.decay;
  words[SETTING.blurEvery] = settings.blurEvery;
  words[SETTING.iterations] = settings.iterations;
  const taps = new Float32Array(MAX_BLUR_TAPS + 1);
  if (settings.blurRadius > 0) {
    words[SETTING.blurTaps] = blurTaps(settings.blurRadius);
    taps.set(gaussianTaps(settings.blurRadius));
  }
  CLIPS.forEach((kind, index) => {
    const percentile = settings[kind];
    if (percentile <= 0) return;
    // Position between order statistics in double precision, as numpy computes it.
    const position = (percentile / 100) * (clipCount(kind, image) - 1);
    const rank = Math.floor(position);
    words.set([1, rank, position - rank], SETTING.percentiles + 3 * index);
  });
  return { words, taps };
}

/** How many keys a clip ranks: every value, or one per pixel. */
export const clipCount = (kind: ClipKind, image: { readonly channels: number; readonly plane: number }): number =>
  kind === 'smallValue' ? image.channels * image.plane : image.plane;
