/** How fast a network learns, and how hard it is made for it, step by step. */
import { UnitscopeError } from '../errors.ts';
import type { AdversarialPlan } from '../network/training.ts';

/** Fields that all schedules have. */
interface Base {
  /** The learning rate at its highest. */
  readonly rate: number;
  /** Steps in which the rate grows from rate / warmup by equal amounts; below 1: a share of all steps. */
  readonly warmup?: number;
}

/** Numbers below 1 are shares of all steps, others numbers of steps. */
export type Schedule =
  | (Base & { readonly kind: 'constant' })
  /** From each of the steps `at` on, `factor` times what it was before. */
  | (Base & { readonly kind: 'step'; readonly factor: number; readonly at: readonly number[] })
  /**
   * Half a cosine from the end of the warm-up to the last step, down to `floor` times the rate. From each of the `restarts` on it begins
   * anew, with a warm-up and a rate of its own (Loshchilov and Hutter 2017).
   */
  | (Base & { readonly kind: 'cosine'; readonly floor?: number; readonly restarts?: readonly Restart[] });

export interface Restart {
  /** A step, or a share of all steps; later than the one before. */
  readonly at: number;
  readonly rate: number;
}

/**
 * The learning rate of a step.
 * @param step 0 .. steps - 1
 * @throws usage for numbers out of their range
 */
export function rateAt(schedule: Schedule, step: number, steps: number): number {
  check(schedule, step, steps);
  const inSteps = (value: number): number => (value < 1 ? Math.round(value * steps) : value);
  if (schedule.kind === 'cosine' && schedule.restarts && schedule.restarts.length > 0) {
    const { restarts, ...cycle } = schedule;
    const begun = [{ at: 0, rate: cycle.rate }, ...restarts].map(({ at, rate }) => ({ at: inSteps(at), rate }));
    const index = begun.findLastIndex(({ at }) => at <= step);
    const { at, rate } = begun[index]!;
    return rateAt({ ...cycle, rate }, step - at, (begun[index + 1]?.at ?? steps) - at);
  }
  const warmup = inSteps(schedule.warmup ?? 0);
  if (step < warmup) return (schedule.rate * (step + 1)) / warmup;
  switch (schedule.kind) {
    case 'constant':
      return schedule.rate;
    case 'step':
      return schedule.at.reduce((rate, at) => (step >= inSteps(at) ? rate * schedule.factor : rate), schedule.rate);
    case 'cosine': {
      const { rate, floor = 0 } = schedule;
      const passed = Math.min(1, (step - warmup) / Math.max(1, steps - 1 - warmup));
      return rate * (floor + ((1 - floor) * (1 + Math.cos(Math.PI * passed))) / 2);
    }
  }
}

/** How far the pictures of a step are moved against the network, see AdversarialPlan. @param step 0 .. steps - 1 */
export function distanceAt({ distance, from, until }: AdversarialPlan, step: number, steps: number): number {
  const [first, last] = [from, until].map((value) => (value < 1 ? Math.round(value * steps) : value)) as [number, number];
  if (step < first) return 0;
  return step >= last ? distance : (distance * (step + 1 - first)) / (last + 1 - first);
}

function check(schedule: Schedule, step: number, steps: number): void {
  const demand = (holds: boolean, attribute: string, wanted: string, value: unknown): void => {
    if (!holds) throw new UnitscopeError('usage', `${attribute} must be ${wanted}, got ${String(value)}`, { attribute });
  };
  const finite = (value: number): boolean => value >= 0 && value < Infinity;
  demand(Number.isInteger(steps) && steps > 0, 'steps', 'a positive whole number', steps);
  demand(Number.isInteger(step) && step >= 0, 'step', 'a whole number that is not negative', step);
  demand(finite(schedule.rate), 'rate', 'a number that is not negative', schedule.rate);
  demand(finite(schedule.warmup ?? 0), 'warmup', 'a number of steps, or a share of them', schedule.warmup);
  if (schedule.kind === 'step') {
    demand(finite(schedule.factor), 'factor', 'a number that is not negative', schedule.factor);
    for (const at of schedule.at) demand(finite(at), 'at', 'numbers of steps, or shares of them', at);
  }
  if (schedule.kind !== 'cosine') return;
  demand((schedule.floor ?? 0) >= 0 && (schedule.floor ?? 0) <= 1, 'floor', 'a share of the rate', schedule.floor);
  for (const { at, rate } of schedule.restarts ?? []) demand(at > 0 && at < steps && finite(rate), 'restarts', `steps before ${steps}, or shares of them, with rates`, `${at}: ${rate}`);
}
