import { describe, expect, test } from 'vitest';
import { compile } from '../../src/scheduler/compile.ts';
import { costOf, type Ceilings } from '../../src/scheduler/cost.ts';
import type { Plan, Step } from '../../src/scheduler/plan.ts';
import { factsOf, shortfall, type KernelFacts } from '../../src/scheduler/shortfall.ts';
import { convolution, network, node } from './networks.ts';

const capabilities = { subgroups: false, software: true, maxBinding: 2 ** 27 };
const layers = [convolution('conv', 'x', [16, 8, 3], 1), node('norm', 'lrn', ['conv.y']), node('relu', 'relu', ['norm.y'])];
const plan: Plan = compile(network({ x: [2, 8, 20, 18] }, layers), { batch: 2, layers: ['conv', 'norm', 'relu'], capabilities });
const stepOf = (kernel: string): Step => [...plan.passes.values()].flat().find((step) => step.kernel === kernel)!;
const elements = 2 * 16 * 20 * 18;

describe('what a kernel tells', () => {
  test('of an elementwise kernel: an invocation for eight elements, in whole workgroups, 16 bytes at once', () => {
    const facts = factsOf(stepOf('relu'), plan.tensors);
    expect(facts.invocations).toBe(Math.ceil(elements / 8 / 64) * 64);
    expect(facts.wordBytes).toBe(0);
    expect(facts.functions).toEqual([]);
  });

  test('of a convolution: registers are used again, so it loads far less than it multiplies', () => {
    const [main] = [...plan.passes.values()].flat().filter((step) => step.flops > 1e5 && step.kernel !== 'lrn');
    const { loads } = factsOf(main!, plan.tensors);
    expect(loads).toBeGreaterThan(0);
    expect(loads).toBeLessThan(main!.flops / 3);
  });

  test('of a kernel by Winograd: it does a fraction of the operations that are counted', () => {
    const step = { ...stepOf('lrn'), flops: 4e6 };
    const choice = { variant: 'winograd 4x4, 3x3, tile 32x8', why: '' };
    expect(factsOf(step, plan.tensors).operations / factsOf({ ...step, choice }, plan.tensors).operations).toBe(4);
  });

  test('of a normalization: it takes roots or powers', () => {
    expect(factsOf(stepOf('lrn'), plan.tensors).functions.join()).toMatch(/pow|exp|sqrt/i);
  });
});

describe('why a step is slow', () => {
  const ceilings: Ceilings = { flopsPerSecond: 1e10, bytesPerSecond: 1e9, wordBytesPerSecond: 4e8, sustained: 1, halfInvocations: 1024, dispatchMs: 0.02, submitMs: 0.1 };
  const facts: KernelFacts = { invocations: 1e5, wordBytes: 0, loads: 0, operations: 10, divisions: 0, functions: [] };
  const cost = costOf({ flops: 1e6, bytes: 1e5 }, ceilings); // 0.12 ms

  test.each<[string, Partial<KernelFacts>, number, RegExp]>([
    ['too few invocations', { invocations: 64 }, 3, /^only 64 invocations, of 2,048 that fill this device: 3 ms alone$/],
    ['narrow accesses', { wordBytes: 4 * 2 ** 20 }, 12, /^moves 4.0 MiB by 4 bytes at once: 10 ms alone$/],
    ['no reuse of operands', { loads: 1e6 }, 11, /^loads 1.0 M operands for 1.0 M operations: 10 ms alone$/],
    ['two of these, the dearer first', { loads: 1e6, wordBytes: 2 ** 20 }, 11, /^loads [^;]*; moves [^;]*$/],
    ['a function', { functions: ['pow'] }, 2, /^1.9 ms are not in any ceiling: pow, each counted as one operation in each invocation$/],
    ['divisions', { divisions: 3 }, 2, /3 divisions of whole numbers in each invocation$/],
    ['not by divisions among many operations', { divisions: 3, operations: 1000 }, 2, /^1.9 ms are not explained$/],
    ['nothing that is known', {}, 2, /^1.9 ms are not explained$/],
  ])('%s', (_, more, timeMs, text) => {
    expect(shortfall({ ...facts, ...more }, cost, timeMs, ceilings)).toMatch(text);
  });

  test('other programs, where they take most of the device', () => {
    const busy = { ...ceilings, sustained: 0.2 };
    expect(shortfall(facts, cost, 2, busy)).toBe('other programs left it 20 % of the device');
    expect(shortfall({ ...facts, invocations: 64 }, cost, 2, busy)).not.toMatch(/invocations/); // how many fill it is not known then
  });

  test('never without a word', () => {
    for (const timeMs of [1.3, 2, 5, 40]) for (const more of [{}, { invocations: 64 }, { loads: 1e5 }, { wordBytes: 1e6 }]) {
      expect(shortfall({ ...facts, ...more }, cost, timeMs, ceilings)).not.toBe('');
    }
  });
});
