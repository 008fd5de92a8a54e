/** What every step of a plan costs on this device, what it must cost at least, and why it costs more. */
import { throwIfAborted } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Plan, Step } from '../scheduler/plan.ts';
import { boundOf, costOf, planCost, type Bound, type Ceilings, type Cost } from '../scheduler/cost.ts';
import { Runner } from '../scheduler/runner.ts';
import { factsOf, SHORTFALL, shortfall } from '../scheduler/shortfall.ts';
import { Gauge } from './ceilings.ts';
import { stepTimes, type StepTimesOptions } from './step_times.ts';

/** What is measured beside a step takes as long as the step, within these bounds. */
const BESIDE_MS = { least: 2, most: 50 };

export interface ExplainedStep {
  readonly step: Step;
  readonly cost: Cost;
  readonly bound: Bound;
  readonly timeMs: number;
  /** Limit / time: 1 is as fast as this device can be. Above 1 where the kernel needs less than the limit counts. */
  readonly share: number;
  /** The share of the device that it had, measured beside it: below 1 where other programs use the device too. */
  readonly device: number;
  /** Where the share is below a tenth: why. */
  readonly reason?: string;
}

export interface PassCost {
  readonly pass: string;
  readonly cost: Cost;
  /** Sum of the times of its steps. */
  readonly timeMs: number;
}

export interface Explanation {
  readonly ceilings: Ceilings;
  readonly steps: readonly ExplainedStep[];
  readonly passes: readonly PassCost[];
  readonly total: PassCost;
  /** All passes in one submission, ms. */
  readonly runMs: number;
}

/**
 * Runs a plan on a device, step by step. Limits are in useful FLOPs: see scheduler/cost.ts.
 * @throws limit, out-of-memory, shader, device-lost, aborted
 */
export async function explain(engine: Engine, plan: Plan, options: Omit<StepTimesOptions, 'beside'> = {}): Promise<Explanation> {
  const { signal } = options;
  const gauge = await Gauge.open(engine, signal);
  let runner: Runner | undefined;
  try {
    const ceilings = await gauge.ceilings();
    runner = await Runner.create(engine, plan);
    throwIfAborted(signal);
    const device: number[] = [];
    const beside = async (ms: number): Promise<void> => void device.push(await gauge.sustained(Math.min(BESIDE_MS.most, Math.max(BESIDE_MS.least, ms))));
    const { steps: times, runMs } = await stepTimes(runner, { ...options, beside });
    const steps = [...plan.passes.values()].flat().map((step, index) => explainStep(plan, step, times[index]!, device[index]!, ceilings));
    const costs = planCost(plan, ceilings);
    const timeOf = (pass?: string): number => steps.reduce((sum, { step, timeMs }) => (pass === undefined || step.pass === pass ? sum + timeMs : sum), 0);
    const passes = [...costs.passes].map(([pass, cost]) => ({ pass, cost, timeMs: timeOf(pass) }));
    return { ceilings, steps, passes, total: { pass: 'total', cost: costs.total, timeMs: timeOf() }, runMs };
  } finally {
    runner?.dispose();
    gauge.close();
  }
}

function explainStep(plan: Plan, step: Step, timeMs: number, device: number, ceilings: Ceilings): ExplainedStep {
  const cost = costOf(step, ceilings);
  const share = cost.limitMs / timeMs;
  const reason = share < SHORTFALL ? shortfall(factsOf(step, plan.tensors), cost, timeMs, { ...ceilings, sustained: device }) : undefined;
  return { step, cost, bound: boundOf(cost), timeMs, share, device, ...(reason !== undefined && { reason }) };
}
