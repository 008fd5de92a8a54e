import { describe, expect, test } from 'vitest';
import { compile } from '../../src/scheduler/compile.ts';
import { boundOf, costOf, planCost, type Ceilings } from '../../src/scheduler/cost.ts';
import { totals } from '../../src/scheduler/plan.ts';
import { convolution, network, node } from './networks.ts';

const ceilings: Ceilings = { flopsPerSecond: 1e9, bytesPerSecond: 1e8, wordBytesPerSecond: 1e8, sustained: 1, halfInvocations: 64, dispatchMs: 0.5, submitMs: 1 };

describe('the limit of a step', () => {
  test.each([
    ['arithmetic', { flops: 4e6, bytes: 1e5 }, 4.5],
    ['memory', { flops: 1e5, bytes: 2e5 }, 2.5],
    ['dispatch', { flops: 100, bytes: 1000 }, 0.51],
  ] as const)('%s', (bound, step, limit) => {
    const cost = costOf(step, ceilings);
    expect(cost.limitMs).toBeCloseTo(limit, 12);
    expect(boundOf(cost)).toBe(bound);
  });

  test('a step without work is as long as a dispatch', () => {
    expect(costOf({ flops: 0, bytes: 0 }, ceilings).limitMs).toBe(ceilings.dispatchMs);
  });
});

test('a plan costs the sum of its steps, pass by pass', () => {
  const layers = [convolution('conv', 'x', [6, 3, 3], 1), node('pool', 'max_pool', ['conv.y'], { kernel: [2, 2], stride: [2, 2] })];
  const capabilities = { subgroups: false, software: true, maxBinding: 2 ** 27 };
  const plan = compile(network({ x: [1, 3, 12, 10] }, layers), { layers: ['pool'], backward: { from: 'pool', rule: 'gradient' }, capabilities });
  const { passes, total } = planCost(plan, ceilings);
  const { flops, bytes, steps } = totals(plan);
  expect([...passes.keys()]).toEqual(['forward', 'backward']);
  expect(total).toMatchObject({ flops, bytes });
  expect(total.dispatchMs).toBeCloseTo(steps * ceilings.dispatchMs, 9);
  const limits = [...plan.passes.values()].flat().map((step) => costOf(step, ceilings).limitMs);
  expect(total.limitMs).toBeCloseTo(limits.reduce((a, b) => a + b, 0), 9);
  expect(total.limitMs).toBeGreaterThanOrEqual(Math.max(total.computeMs, total.memoryMs));
});
