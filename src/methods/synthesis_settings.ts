/** Settings of synthesis: what an image is made from, how it is moved, how it climbs, and what it should have little of. */
import { UnitscopeError } from '../errors.ts';
import type { Prior } from '../scheduler/prior.ts';
import { PARAMETERIZATIONS, type ImageParameterization } from './parameterization.ts';

const TRANSFORMS = ['none', 'jitter', 'lucid'] as const;
const OPTIMIZERS = ['adam', 'ascent'] as const;

export interface SynthesisSettings {
  /** What moves: pixels, or a spectrum whose frequencies have the pace of natural images. */
  readonly parameterization: ImageParameterization['kind'];
  /** Colours move along the directions in which those of natural images vary. */
  readonly correlate: boolean;
  /** Colours are kept between black and white by a sigmoid, not by clipping. */
  readonly sigmoid: boolean;
  /** The amplitude of a frequency f falls with f^decay. */
  readonly decay: number;
  /** Standard deviation of the parameters at the start. */
  readonly deviation: number;
  /** How the image is moved before each look: not at all, shifted, or shifted, turned and scaled as in Lucid. */
  readonly transforms: (typeof TRANSFORMS)[number];
  /** adam, or the gradient scaled to steps of one size. */
  readonly optimizer: (typeof OPTIMIZERS)[number];
  /** Step size: of adam its rate; of ascent the root mean square change of the parameters. */
  readonly rate: number;
  readonly steps: number;
  /** Weights of what is taken off the score, colours being 0..1: total variation, sum of |colour - grey|, sum of colour^6. */
  readonly variation: number;
  readonly l1: number;
  readonly alpha: number;
  /** Steps in which a gradient that is blocked everywhere passes ReLU as if it were open. */
  readonly redirected: number;
}

export const STYLES = {
  /** As Lucid renders features: Olah et al. 2017. */
  lucid: {
    parameterization: 'fourier',
    correlate: true,
    sigmoid: true,
    decay: 1,
    deviation: 0.01,
    transforms: 'lucid',
    optimizer: 'adam',
    rate: 0.05,
    steps: 256,
    variation: 0,
    l1: 0,
    alpha: 0,
    redirected: 16,
  },
  /** A picture that shows more of what is seen in it, step by step: Mordvintsev et al. 2015. */
  deepdream: {
    parameterization: 'pixels',
    correlate: false,
    sigmoid: true,
    decay: 1,
    deviation: 0.01,
    transforms: 'jitter',
    optimizer: 'ascent',
    rate: 0.05,
    steps: 40,
    variation: 0,
    l1: 0,
    alpha: 0,
    redirected: 0,
  },
} as const satisfies Record<string, SynthesisSettings>;

export type Style = keyof typeof STYLES;

const RANGES: Readonly<Partial<Record<keyof SynthesisSettings, readonly [least: number, most: number]>>> = {
  decay: [0, 4],
  deviation: [0, 10],
  rate: [0, 1e6],
  steps: [1, 20000],
  variation: [0, 1e6],
  l1: [0, 1e6],
  alpha: [0, 1e6],
  redirected: [0, 20000],
};

/** The choices of the settings that are words. */
export const SYNTHESIS_WORDS = { parameterization: PARAMETERIZATIONS, transforms: TRANSFORMS, optimizer: OPTIMIZERS } as const;

/** A style with changes. @throws usage, naming the setting */
export function synthesisSettings(changes: Partial<SynthesisSettings> = {}, style: Style = 'lucid'): SynthesisSettings {
  const settings: SynthesisSettings = { ...STYLES[style], ...changes };
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = settings[name as keyof SynthesisSettings] as number;
    const whole = name === 'steps' || name === 'redirected';
    if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      throw new UnitscopeError('usage', `${name} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}, got ${value}`, { attribute: name });
    }
  }
  for (const [name, words] of Object.entries(SYNTHESIS_WORDS) as [keyof SynthesisSettings, readonly string[]][]) {
    const value = settings[name] as string;
    if (!words.includes(value)) throw new UnitscopeError('usage', `${name} cannot be '${value}'`, { attribute: name }, `the choices are ${words.join(', ')}`);
  }
  return settings;
}

/** What is taken off the score, as terms of a gradient that is climbed. */
export function pricesOf({ variation, l1, alpha }: Pick<SynthesisSettings, 'variation' | 'l1' | 'alpha'>): Prior[] {
  const prices: Prior[] = [
    { kind: 'total_variation', beta: 1, weight: -variation },
    { kind: 'l1', center: 0.5, weight: -l1 },
    { kind: 'alpha_norm', alpha: 6, weight: -alpha },
  ];
  return prices.filter(({ weight }) => weight !== 0);
}
