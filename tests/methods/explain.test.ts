/** Each step of a plan beside its limit, on this device. */
import { describe, expect, test } from 'vitest';
import { explain } from '../../src/methods/explain.ts';
import { stepTimes } from '../../src/methods/step_times.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { totals } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const engine = useEngine();
const small = network({ x: [1, 3, 16, 14] }, [
  convolution('conv', 'x', [8, 3, 3], 1),
  node('relu', 'relu', ['conv.y']),
  node('pool', 'max_pool', ['relu.y'], { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] }),
  convolution('large', 'pool.y', [64, 8, 5], 2),
]);
const planned = () => compile(small, { layers: ['large'], backward: { from: 'large', rule: 'gradient' }, capabilities: engine().capabilities });

describe('an explanation', () => {
  test('has every step with limit, time, share, and a reason where it is far from its limit', async () => {
    const before = engine().memory();
    const plan = planned();
    const seen: number[] = [];
    const { steps, passes, total, runMs, ceilings } = await explain(engine(), plan, { progress: (done) => seen.push(done) });
    expect(engine().memory()).toEqual(before);
    expect(seen).toEqual(Array.from({ length: totals(plan).steps + 2 }, (_, i) => i));
    expect(steps.map(({ step }) => step.label)).toEqual([...plan.passes.values()].flat().map(({ label }) => label));
    for (const { cost, timeMs, share, reason } of steps) {
      expect(cost.limitMs).toBeGreaterThanOrEqual(ceilings.dispatchMs);
      expect(timeMs).toBeGreaterThan(0);
      expect(share).toBeCloseTo(cost.limitMs / timeMs, 9);
      expect(reason === undefined).toBe(share >= 0.1);
      if (reason !== undefined) expect(reason).toMatch(/\w/);
    }
    expect(passes.map(({ pass }) => pass)).toEqual(['forward', 'backward']);
    expect(total.timeMs).toBeCloseTo(passes[0]!.timeMs + passes[1]!.timeMs, 9);
    expect(total.cost.flops).toBe(totals(plan).flops);
    expect(runMs).toBeGreaterThan(0);
  });

  test('stops on request and leaves nothing behind', async () => {
    const before = engine().memory();
    const stop = new AbortController();
    const progress = (done: number) => done === 2 && stop.abort();
    await expect(explain(engine(), planned(), { signal: stop.signal, progress })).rejects.toMatchObject({ code: 'aborted' });
    expect(engine().memory()).toEqual(before);
  });
});

test.each(['wall', 'timestamp'] as const)('by the %s clock, the step with most of the work takes longest', async (clock) => {
  const chain = network({ x: [1, 4, 40, 40] }, [convolution('a', 'x', [4, 4, 1], 1), convolution('b', 'a.y', [128, 4, 5], 2)]);
  const plan = compile(chain, { layers: ['b'], capabilities: engine().capabilities });
  const runner = await Runner.create(engine(), plan);
  const { steps } = await stepTimes(runner, { clock });
  runner.dispose();
  const work = [...plan.passes.values()].flat().map(({ flops }) => flops);
  expect(steps.indexOf(Math.max(...steps))).toBe(work.indexOf(Math.max(...work)));
});
