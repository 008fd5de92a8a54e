/**
 * What a plan must cost at least on a device, from what the device can do: the roofline model (Williams, Waterman and
 * Patterson 2009). A step can be no faster than its arithmetic, no faster than its bytes, and each step is started.
 *   limit = max(flops / peak, bytes / bandwidth) + cost of a dispatch
 * FLOPs are useful ones: the multiply-adds of the direct method, whatever method the kernel uses. A Winograd kernel
 * multiplies less than that and may take less time than its limit: its share is then above 100 %. Bytes are each bound
 * tensor once. What stays in a cache between two steps may move faster than memory does: a share above 100 % as well.
 */
import type { Plan, Step } from './plan.ts';

/** What a device can do at most, measured (see methods/ceilings.ts). */
export interface Ceilings {
  /** Multiply-adds on registers; each counts 2. */
  readonly flopsPerSecond: number;
  /** Memory read and written by 16 bytes at once. */
  readonly bytesPerSecond: number;
  /** The same by 4 bytes at once, in small tensors: what each access costs. */
  readonly wordBytesPerSecond: number;
  /** Share of `flopsPerSecond` that is kept up for 50 ms: far below 1 where other programs use the device, or it gets hot. */
  readonly sustained: number;
  /** Invocations at which half of `flopsPerSecond` is reached: fewer leave parts of the device idle. */
  readonly halfInvocations: number;
  /** Cost of a dispatch that does nothing, within a submission, ms. */
  readonly dispatchMs: number;
  /** From a submission of nothing to its end, ms. */
  readonly submitMs: number;
}

export interface Cost {
  readonly flops: number;
  readonly bytes: number;
  /** Time of the arithmetic, of the bytes, and of starting the dispatches, each alone at the ceiling, ms. */
  readonly computeMs: number;
  readonly memoryMs: number;
  readonly dispatchMs: number;
  /** No kernel that moves these bytes and does this arithmetic the direct way can take less, ms. */
  readonly limitMs: number;
}

export type Bound = 'arithmetic' | 'memory' | 'dispatch';

export function costOf({ flops, bytes }: Pick<Step, 'flops' | 'bytes'>, ceilings: Ceilings): Cost {
  const computeMs = (flops / ceilings.flopsPerSecond) * 1e3;
  const memoryMs = (bytes / ceilings.bytesPerSecond) * 1e3;
  const { dispatchMs } = ceilings;
  return { flops, bytes, computeMs, memoryMs, dispatchMs, limitMs: Math.max(computeMs, memoryMs) + dispatchMs };
}

/** What the limit consists of, mostly. */
export function boundOf({ computeMs, memoryMs, dispatchMs }: Cost): Bound {
  if (dispatchMs > Math.max(computeMs, memoryMs)) return 'dispatch';
  return computeMs > memoryMs ? 'arithmetic' : 'memory';
}

/** Costs of steps that run one after the other. The limit is the sum of their limits: no two steps overlap. */
function sumCosts(costs: readonly Cost[]): Cost {
  const sum = (of: (cost: Cost) => number): number => costs.reduce((total, cost) => total + of(cost), 0);
  return {
    flops: sum((cost) => cost.flops),
    bytes: sum((cost) => cost.bytes),
    computeMs: sum((cost) => cost.computeMs),
    memoryMs: sum((cost) => cost.memoryMs),
    dispatchMs: sum((cost) => cost.dispatchMs),
    limitMs: sum((cost) => cost.limitMs),
  };
}

/** The cost of a whole plan, by pass in order, and in all. */
export function planCost(plan: Plan, ceilings: Ceilings): { readonly passes: ReadonlyMap<string, Cost>; readonly total: Cost } {
  const passes = new Map([...plan.passes].map(([pass, steps]) => [pass, sumCosts(steps.map((step) => costOf(step, ceilings)))]));
  return { passes, total: sumCosts([...passes.values()]) };
}
