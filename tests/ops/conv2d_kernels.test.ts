/** Which kernel a convolution takes: by name, by measurement, by factor, by prediction. No GPU. */
import { describe, expect, test } from 'vitest';
import type { Capabilities, KernelChoices } from '../../src/gpu/capabilities.ts';
import { familyOf, isCalled, KERNEL_FAMILIES, KERNEL_NAMES, variantOf } from '../../src/ops/conv2d_kernels.ts';
import type { Choice } from '../../src/ops/op.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { convolution, network } from '../scheduler/networks.ts';

const SOFTWARE: Capabilities = { software: true, subgroups: true, maxBinding: 2 ** 27 };
const GPU: Capabilities = { ...SOFTWARE, software: false };

/** Choices of a 3x3 layer, a pointwise one and the gradients of both. */
function choices(capabilities: Capabilities, kernels?: KernelChoices, batch = 1): Choice[] {
  const net = network({ x: [batch, 16, 14, 12] }, [convolution('a', 'x', [32, 16, 3], 1), convolution('b', 'a.y', [24, 32, 1], 3)]);
  const plan = compile(net, { batch, layers: ['b'], backward: { from: 'b', rule: 'gradient' }, capabilities: { ...capabilities, ...(kernels && { kernels }) } });
  return [...plan.passes.values()].flat().flatMap(({ choice }) => (choice ? [choice] : []));
}

const variants = (capabilities: Capabilities, kernels?: KernelChoices): string[] => choices(capabilities, kernels).map(variantOf);

describe('names', () => {
  test.each([
    ['direct', 'direct'], ['depthwise', 'depthwise'], ['shared 64x32', 'shared'],
    ['winograd 4x4, 3x3', 'winograd direct'], ['winograd 2x2, 3x3, shared', 'winograd shared'],
  ])('%s is of the family %s', (variant, family) => {
    expect(familyOf(variant)).toBe(family);
    expect(isCalled(variant, family)).toBe(true);
    expect(KERNEL_FAMILIES.filter((other) => isCalled(variant, other))).toEqual([family]);
  });

  test('those that people may use are names of kernels', () => {
    expect(KERNEL_NAMES.slice(0, 4)).toEqual(['direct', 'winograd', 'shared', 'depthwise']);
    expect(KERNEL_NAMES).toEqual(expect.arrayContaining(['winograd 2x2', 'winograd 4x4', 'winograd 5x5', 'shared 128x128/8x8', 'winograd shared']));
    expect(KERNEL_NAMES).not.toContain('winograd 1x1');
    expect(new Set(KERNEL_NAMES).size).toBe(KERNEL_NAMES.length);
  });
});

describe('a name that is asked for', () => {
  test.each(['direct', 'winograd', 'winograd 2x2', 'winograd direct', 'winograd shared', 'shared', 'shared 32x64'])('%s is taken wherever it can do the layer', (forced) => {
    for (const capabilities of [SOFTWARE, GPU]) {
      const [a, b, db, da] = choices(capabilities, { forced });
      for (const choice of forced.startsWith('winograd') ? [a!, da!] : [a!, b!, db!, da!]) {
        expect(isCalled(variantOf(choice), forced)).toBe(true);
        expect(choice.why).toBe('asked for');
      }
    }
  });

  test.each(['winograd', 'winograd shared', 'depthwise', 'no such kernel'])('where %s cannot, the model decides as before', (forced) => {
    for (const capabilities of [SOFTWARE, GPU]) {
      const [, b, db] = choices(capabilities);
      expect(choices(capabilities, { forced }).slice(1, 3)).toEqual([b, db]);
    }
  });

  test('the cheapest of a family is taken', () => {
    const [a] = choices(GPU, { forced: 'shared' });
    const costs = KERNEL_NAMES.filter((name) => name.startsWith('shared ')).map((forced) => choices(GPU, { forced })[0]!.cost!);
    expect(a!.cost).toBe(Math.min(...costs));
  });
});

describe.each([['software adapter', SOFTWARE], ['GPU', GPU]] as const)('on a %s', (_, capabilities) => {
  test.each(KERNEL_FAMILIES)('what %s costs is a number', (forced) => {
    for (const { cost } of choices(capabilities, { forced })) expect(cost).toBeGreaterThan(0);
    for (const { cost } of ofDepthwise(capabilities, { forced })) expect(cost).toBeGreaterThan(0);
  });

  test('a layer of one filter a channel takes the kernel that is made for it', () => {
    expect(ofDepthwise(capabilities).map(variantOf)).toEqual(['depthwise', 'depthwise']);
  });
});

/** Choices of a depthwise layer and its gradient. */
function ofDepthwise(capabilities: Capabilities, kernels: KernelChoices = {}): Choice[] {
  const layer = convolution('deep', 'x', [256, 1, 3], 1, { groups: 256, activation: 'relu' });
  const plan = compile(network({ x: [1, 256, 28, 28] }, [layer]), { layers: ['deep'], backward: { from: 'deep', rule: 'gradient' }, capabilities: { ...capabilities, kernels } });
  return [...plan.passes.values()].flat().flatMap(({ choice }) => choice ?? []);
}

describe('a measurement', () => {
  test('decides for its shape alone', () => {
    const [a, ...others] = choices(GPU);
    const measured = new Map([[a!.key!, 'shared 16x128/4x4']]);
    const [timed, ...rest] = choices(GPU, { measured });
    expect(timed).toMatchObject({ key: a!.key, why: 'the fastest when measured on this adapter' });
    expect(variantOf(timed!)).toBe('shared 16x128/4x4');
    expect(rest).toEqual(others);
  });

  test('is passed over where there is no such kernel any more, and where a name is asked for', () => {
    const keys = choices(GPU).map(({ key }) => key!);
    expect(choices(GPU, { measured: new Map(keys.map((key) => [key, 'shared 7x7'])) })).toEqual(choices(GPU));
    expect(variants(GPU, { measured: new Map(keys.map((key) => [key, 'shared 16x128/4x4'])), forced: 'direct' })).toEqual(Array(4).fill('direct'));
  });

  test('may take tiles in workgroup memory on a software adapter', () => {
    const [a] = choices(SOFTWARE);
    expect(variants(SOFTWARE).join()).not.toContain('shared');
    expect(variants(SOFTWARE, { measured: new Map([[a!.key!, 'shared 16x128/4x4']]) })[0]).toBe('shared 16x128/4x4');
  });

  test('does not take what rounds more where a gradient follows the decisions of a forward pass', () => {
    // Rounding decides a ReLU of the forward pass; it does not matter to the gradient.
    const [a, , , da] = choices(GPU, { measured: new Map(choices(GPU).map(({ key }) => [key!, 'winograd 4x4, 3x3'])) });
    expect(variantOf(a!)).not.toContain('4x4');
    expect(variantOf(da!)).toBe('winograd 4x4, 3x3');
    expect(variants(SOFTWARE, { forced: 'winograd 4x4' })[0]).toBe('winograd 4x4, 3x3');
    expect(choices(GPU, { forced: 'winograd 4x4' }).map(({ onRequest = false }) => onRequest)).toEqual([true, false, false, false]);
  });

  test('is filed under pass, batch, channels, window, sizes and what is fused', () => {
    expect(choices(GPU, undefined, 3).map(({ key }) => key)).toEqual([
      'conv2d forward n3 g1 16>32 k3,3 s1,1 d1,1 p1,1 14x12>14x12 decides',
      'conv2d forward n3 g1 32>24 k1,1 s1,1 d1,1 p0,0 14x12>14x12 decides',
      'conv2d backward n3 g1 24>32 k1,1 s1,1 d1,1 p0,0 14x12>14x12',
      'conv2d backward n3 g1 32>16 k3,3 s1,1 d1,1 p1,1 14x12>14x12',
    ]);
    expect(choices({ ...GPU, f16: true })[1]!.key).toMatch(/14x12>14x12 decides f16$/);
    const strided = network({ x: [1, 4, 9, 9] }, [convolution('a', 'x', [8, 4, 3], 1, { stride: [2, 2], activation: 'relu' })]);
    const plan = compile(strided, { layers: ['a'], backward: { from: 'a', rule: 'gradient' }, capabilities: GPU });
    const keys = [...plan.passes.values()].flat().flatMap(({ choice }) => choice?.key ?? []);
    expect(keys).toEqual([
      'conv2d forward n1 g1 4>8 k3,3 s2,2 d1,1 p1,1 9x9>5x5 decides',
      'conv2d backward n1 g1 8>16 k2,2 s1,1 d1,1 p1,1 5x5>5x5 phases 2,2 gated',
    ]);
  });
});

describe('factors', () => {
  test('scale what is predicted for a family', () => {
    const plain = variants(GPU);
    expect(plain).not.toEqual(Array(4).fill('direct'));
    const all = { shared: 1e3, 'winograd direct': 1e3, 'winograd shared': 1e3 };
    expect(variants(GPU, { factors: all })).toEqual(Array(4).fill('direct'));
    expect(variants(GPU, { factors: {} })).toEqual(plain);
    const [a] = choices(GPU, { factors: all });
    expect(a!.why).toMatch(/^predicted \d+\.\dx faster than .*, corrected by measurements of this adapter$/);
  });

  test('do not bring workgroup memory to a software adapter', () => {
    expect(variants(SOFTWARE, { factors: { direct: 1e6, 'winograd direct': 1e6 } }).join()).not.toContain('shared');
  });
});
