/** Settings of code inversion. Source of the schedule and of the weights: deep-goggle, the program of Mahendran and Vedaldi 2015. */
import { UnitscopeError } from '../errors.ts';
import { findNode } from '../network/lookup.ts';
import type { Network } from '../network/network.ts';

export interface InversionSettings {
  /** Starts side by side; the closest is kept. */
  readonly restarts: number;
  readonly steps: number;
  /** Step size of the first quarter, `stableRate` where it is undefined; a tenth of it for the next half, a hundredth for the last quarter. */
  readonly rate?: number | undefined;
  /** Weight of the mean of (level / 128)^6: no pixel far from grey. */
  readonly alpha: number;
  /** Weight of the total variation of z; by depth, as published, where it is undefined. */
  readonly variation?: number | undefined;
  readonly beta: number;
}

export const INVERSION: InversionSettings = { restarts: 4, steps: 400, alpha: 1, beta: 2 };

/** The published step size. */
const RATE = 0.004;

const RANGES: Readonly<Record<keyof InversionSettings, readonly [least: number, most: number]>> = {
  restarts: [1, 64],
  steps: [1, 20000],
  rate: [0, 1e6],
  alpha: [0, 1e9],
  variation: [0, 1e9],
  beta: [1, 8],
};

/** @throws usage, naming the setting */
export function inversionSettings(changes: Partial<InversionSettings> = {}): InversionSettings {
  const settings = { ...INVERSION, ...changes };
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = settings[name as keyof InversionSettings];
    const whole = name === 'restarts' || name === 'steps';
    if (value !== undefined && !(value >= least && value <= most && (!whole || Number.isInteger(value)))) {
      throw new UnitscopeError('usage', `${name} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}, got ${value}`, { attribute: name });
    }
  }
  return settings;
}

/** The published weights of the total variation for the first, the middle and the last third of a network. */
const VARIATIONS = [1, 10, 100] as const;

/** The one for a layer, by how deep it lies. @throws unknown-layer */
export function variationAt(network: Network, layer: string): number {
  const depth = network.nodes.indexOf(findNode(network, layer)) / network.nodes.length;
  return VARIATIONS[Math.min(Math.floor(VARIATIONS.length * depth), VARIATIONS.length - 1)]!;
}

/**
 * The published step size, or what the total variation leaves stable: the curvature of its square is at most 16 times its weight, and
 * steps with momentum 0.9 swing out of control beyond 2 (1 + 0.9) over the curvature. This stays at half of that.
 */
export const stableRate = (variation: number): number => Math.min(RATE, 1.9 / (16 * variation));

/** The step size, and whether it is a new one: momentum then starts over. */
export function inversionRate({ rate, steps }: { readonly rate: number; readonly steps: number }, step: number): { readonly rate: number; readonly fresh: boolean } {
  const phase = (at: number): number => (at < Math.floor(steps / 4) ? 0 : at < Math.floor((3 * steps) / 4) ? 1 : 2);
  return { rate: rate * 10 ** -phase(step), fresh: step > 0 && phase(step) !== phase(step - 1) };
}
