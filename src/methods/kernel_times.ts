/**
 * Times of the kernels that could do the layers of a plan. The plan is made once for every family of kernels, with that
 * family wherever it can do the work; a layer takes the sum of its steps, and each kernel of a shape is timed once.
 */
import { throwIfAborted, UnitscopeError, type ErrorCode } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Stopwatch, TimingOptions } from '../gpu/stopwatch.ts';
import { KERNEL_FAMILIES, variantOf } from '../ops/conv2d_kernels.ts';
import type { Capabilities } from '../ops/op.ts';
import type { Plan } from '../scheduler/plan.ts';
import { Runner } from '../scheduler/runner.ts';
import { openStopwatch } from './occupy.ts';
import { timesOf } from './step_times.ts';

/** A family that this device cannot run, or has not memory enough for, serves nobody here: the others are timed. */
const UNFIT: readonly ErrorCode[] = ['limit', 'out-of-memory', 'shader', 'gpu'];

/** A layer in a pass, by the kernel that a plan gives it. */
export interface KernelUse {
  /** `layer/op.pass`. */
  readonly label: string;
  readonly key: string;
  readonly variant: string;
  /** Predicted; only ratios count. */
  readonly cost: number;
  /** Its steps, numbered over all passes in their order. */
  readonly steps: readonly number[];
}

export interface KernelTime {
  readonly variant: string;
  readonly cost: number;
  readonly ms: number;
}

/** A shape of a layer, and the kernels that can do it. */
export interface ShapeTimes {
  readonly key: string;
  /** The first layer of that shape. */
  readonly label: string;
  /** The kernel that the model takes. */
  readonly model: string;
  readonly kernels: readonly KernelTime[];
}

export interface KernelTimesOptions extends TimingOptions {
  /** How often each kernel is timed, with all others between: the best counts. */
  readonly rounds?: number;
  /** Called after each step that was timed. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/** Layers whose kernel a measurement may choose. The parts of a layer share the label before their name. */
export function kernelUses(plan: Plan): KernelUse[] {
  const uses = new Map<string, { label: string; key?: string; variant: string; cost: number; steps: number[] }>();
  [...plan.passes.values()].flat().forEach(({ label, pass, choice }, index) => {
    // A layer's own name may have colons; what follows the pass is the part.
    const layer = label.slice(0, label.lastIndexOf(`.${pass}`) + 1 + pass.length);
    const use = uses.get(layer) ?? { label: layer, variant: '', cost: 0, steps: [] };
    uses.set(layer, use);
    use.steps.push(index);
    if (choice?.key !== undefined && !choice.onRequest) Object.assign(use, { key: choice.key, variant: variantOf(choice), cost: choice.cost ?? 0 });
  });
  return [...uses.values()].filter((use): use is KernelUse & typeof use => use.key !== undefined);
}

/** Which layers of which plan are to be timed: the first of each shape and kernel, where a shape has several kernels. */
export function usesToTime(plans: readonly Plan[]): KernelUse[][] {
  const kernels = new Map<string, Set<string>>();
  const fresh = plans.map((plan) =>
    kernelUses(plan).filter(({ key, variant }) => {
      const known = kernels.get(key) ?? new Set();
      kernels.set(key, known);
      return !known.has(variant) && known.add(variant);
    }),
  );
  return fresh.map((uses) => uses.filter(({ key }) => kernels.get(key)!.size > 1));
}

/**
 * @param planFor a plan of the same layers for any capabilities; what the engine's measurements say is left out of them
 * @throws aborted, device-lost; limit, out-of-memory, shader and gpu where not even the model's own plan runs
 */
export async function kernelTimes(
  engine: Engine,
  planFor: (capabilities: Capabilities) => Plan,
  { progress, rounds = 1, ...timing }: KernelTimesOptions = {},
): Promise<ShapeTimes[]> {
  const { capabilities } = engine;
  const { factors } = capabilities.kernels ?? {};
  const base = { ...(factors && { factors }) };
  const plans = [base, ...KERNEL_FAMILIES.map((forced) => ({ ...base, forced }))].map((kernels) => planFor({ ...capabilities, kernels }));
  const wanted = usesToTime(plans);
  const total = rounds * wanted.flat().reduce((sum, { steps }) => sum + steps.length, 0);
  let finished = 0;
  const done = (): void => progress?.(++finished, total);
  const times = new Map<KernelUse, number>();
  const { stopwatch, dispose } = await openStopwatch(engine);
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [index, plan] of plans.entries()) {
        const uses = wanted[index]!;
        if (uses.length === 0) continue;
        throwIfAborted(timing.signal);
        const measured = await planTimes(engine, plan, uses, stopwatch, { ...timing, done }).catch((error: unknown) => {
          if (index > 0 && error instanceof UnitscopeError && UNFIT.includes(error.code)) return [];
          throw error;
        });
        measured.forEach((ms, n) => times.set(uses[n]!, Math.min(ms, times.get(uses[n]!) ?? Infinity)));
      }
    }
  } finally {
    dispose();
  }
  const shapes = new Map<string, ShapeTimes & { kernels: KernelTime[] }>();
  for (const [{ key, label, variant, cost }, ms] of times) {
    // The model's own plan comes first, and with it every shape.
    const shape = shapes.get(key) ?? { key, label, model: variant, kernels: [] };
    shapes.set(key, shape);
    shape.kernels.push({ variant, cost, ms });
  }
  return [...shapes.values()];
}

/** Milliseconds of layers of a plan. */
async function planTimes(engine: Engine, plan: Plan, uses: readonly KernelUse[], stopwatch: Stopwatch, timing: TimingOptions & { readonly done: () => void }): Promise<number[]> {
  const runner = await Runner.create(engine, plan);
  try {
    const times = await timesOf(runner, stopwatch, new Set(uses.flatMap(({ steps }) => steps)), timing);
    return uses.map(({ steps }) => steps.reduce((sum, step) => sum + times.get(step)!, 0));
  } finally {
    runner.dispose();
  }
}
