/** Every kernel of a convolution, whichever the cost model would take: as on a software adapter, and as on a GPU. */
import { describe, expect, test } from 'vitest';
import type { Capabilities } from '../../src/gpu/capabilities.ts';
import { sharedName } from '../../src/ops/conv2d_kernels.ts';
import { SHARED_TILES } from '../../src/ops/conv2d_shared.ts';
import { useEngine } from '../gpu.ts';
import { CONV2D_CASES, subjectOf, type Conv2dCase } from './conv2d_cases.ts';
import { expectCaught, prove, type PlantedBug, type RunOptions } from './harness.ts';
import type { Tolerance } from './reference.ts';

const engine = useEngine();

const GPU = { software: false, subgroups: false } as const;
/** The tile that compiles fastest. */
const SMALL = 'shared 64x16';
/** Terms enough to be worth dividing. */
const LONG: Conv2dCase = { x: [2, 48, 4, 3], weight: [18, 48, 3, 3], padding: [1, 1, 1, 1] };
const LONG_STRIDED: Conv2dCase = { x: [1, 48, 5, 4], weight: [72, 48, 3, 3], stride: [2, 2], padding: [0, 1, 1, 0], activation: 'relu' };

/** Proves a case on the kernel that is asked for, and returns the names of the kernels that ran. */
async function proveForced(forced: string, c: Conv2dCase, options: RunOptions & Tolerance & { readonly class?: Partial<Capabilities> } = {}): Promise<string[]> {
  const { class: adapter, ...rest } = options;
  const { subject, twin } = subjectOf(c, options.rule);
  const seen = new Set<string>();
  const mutate = (code: string, kernel: string): string => {
    seen.add(kernel);
    return code;
  };
  await prove(engine(), subject, twin, { ...rest, capabilities: { ...adapter, kernels: { forced } }, mutate });
  return [...seen].sort();
}

const SHAPES = ['3x3, prime sizes', 'padding larger than the kernel', 'two groups, 5x5', 'dilations that differ'];
const STRIDED = ['stride 4, asymmetric padding', 'three groups, stride 2, 5 outputs each'];
const POINTS = ['one pixel, one weight', '1x1 kernel, N = 3', 'stride 4 over a 1x1 kernel'];

describe('tiles in workgroup memory', () => {
  test.each([...SHAPES, ...STRIDED, ...POINTS])('%s', async (name) => {
    expect(await proveForced(SMALL, CONV2D_CASES[name]!)).toEqual(['conv2d_shared']);
  });

  test.each(SHARED_TILES.map(sharedName))('%s', async (forced) => {
    expect(await proveForced(forced, { x: [1, 3, 13, 11], weight: [33, 3, 1, 1], bias: false })).toEqual(['conv2d_shared']);
  });

  test('terms in parts, which another kernel adds', async () => {
    expect(await proveForced(SMALL, LONG)).toEqual(['conv2d_shared', 'conv2d_sum']);
    expect(await proveForced(SMALL, { ...LONG, groups: 2, x: [1, 96, 4, 3], weight: [36, 48, 3, 3] }, { twice: true })).toEqual(['conv2d_shared', 'conv2d_sum']);
    expect(await proveForced(SMALL, LONG_STRIDED)).toEqual(['conv2d_shared', 'conv2d_sum']);
  });

  test.each(['gradient', 'deconvnet', 'guided'] as const)('a fused activation, rule %s', async (rule) => {
    const plain: Conv2dCase = { x: [2, 3, 7, 5], weight: [6, 3, 3, 3], padding: [1, 1, 1, 1] };
    await proveForced(SMALL, { ...plain, activation: rule === 'guided' ? 'clip' : 'relu' }, { rule });
  });

  test.each(['3x3, prime sizes', 'strides that differ', '1x1 kernel, N = 3'])('%s, gradients of two branches', async (name) => {
    await proveForced(SMALL, CONV2D_CASES[name]!, { twice: true });
  });

  test('a dilated and strided gradient is left to the kernel that spreads its input', async () => {
    expect(await proveForced(SMALL, CONV2D_CASES['groups, dilated and strided']!)).toContain('conv2d');
  });
});

/** Terms of a transformed tile may be larger than those of a sum at its border. */
const WINOGRAD = { slack: 4 };

describe.each([['software adapter', {}], ['GPU', GPU]] as const)('on a %s', (_, adapter) => {
  test.each(['winograd 4x4', 'winograd 2x2', 'winograd 4x4, 3x3, shared', 'winograd 2x2, 3x3, shared'])('%s', async (forced) => {
    const cases = [CONV2D_CASES['3x3, prime sizes']!, { ...CONV2D_CASES['asymmetric padding']!, weight: [3, 2, 3, 3] as const }];
    for (const c of cases) {
      const kernels = await proveForced(forced, c, { class: adapter, ...WINOGRAD });
      expect(kernels).toContain('winograd');
      if (forced.endsWith('shared')) expect(kernels).toEqual(['conv2d_shared', 'winograd']);
    }
  });

  test.each(['winograd 3x3', 'winograd 3x3, 2x2, shared'])('%s over phases of a strided input, gated, in groups, of two branches', async (forced) => {
    const c: Conv2dCase = { x: [3, 4, 11, 9], weight: [6, 2, 3, 3], stride: [2, 2], padding: [1, 0, 1, 1], groups: 2, activation: 'relu' };
    expect(await proveForced(forced, c, { class: adapter, twice: true, ...WINOGRAD })).toContain('winograd');
  });

  test.each(['3x3, prime sizes', 'stride 4, asymmetric padding', '1x1 kernel, N = 3', 'depthwise'])('direct: %s', async (name) => {
    expect(await proveForced('direct', CONV2D_CASES[name]!, { class: adapter })).toContain('conv2d');
  });
});

describe('a planted bug in the shared kernel is noticed', () => {
  const plain: Conv2dCase = { x: [2, 3, 7, 5], weight: [6, 3, 3, 3], padding: [1, 2, 1, 1] };
  const grouped: Conv2dCase = { x: [1, 4, 6, 5], weight: [6, 2, 3, 3], groups: 2 };
  const strided: Conv2dCase = { x: [1, 2, 7, 6], weight: [3, 2, 3, 3], stride: [2, 2] };
  const bugs: readonly (PlantedBug & { readonly in?: Conv2dCase; readonly twice?: boolean })[] = [
    { name: 'the bias is dropped', pass: 'forward', find: /bias\[tile[^\]]+\]/, replace: 'vec4f(0)' },
    { name: 'the padding is off by one', pass: 'forward', find: '- sizes[LEFT]', replace: '- sizes[LEFT] + 1u' },
    { name: 'border pixels are read', pass: 'forward', find: /&& firstX \+ [^;]* < width/, replace: '' },
    { name: 'the last position is cut', pass: 'forward', find: 'if (p < positions)', replace: 'if (p + 1u < positions)' },
    { name: 'the bounds check of the outputs is gone', pass: 'forward', find: /(m\d+) < outputs/, replace: '$1 < outputs + 2u', in: { ...plain, x: [1, 3, 7, 5] } },
    { name: 'the last turn of the loop is left out', pass: 'forward', find: 'turn <= end', replace: 'turn < end' },
    { name: 'a row of a quad is read twice', pass: 'forward', find: 'x0.w', replace: 'x0.z' },
    { name: 'the second image reads the first', pass: 'forward', find: '(image * sizes[GROUPS] + group)', replace: 'group' },
    { name: 'every group reads the first', pass: 'forward', find: 'sizes[GROUPS] + group) * sizes[GROUP_SIZE]', replace: 'sizes[GROUPS]) * sizes[GROUP_SIZE]', in: grouped },
    { name: 'a group writes over the one before', pass: 'forward', find: 'sizes[GROUPS] + group) * outputs', replace: 'sizes[GROUPS]) * outputs', in: grouped },
    { name: 'the phase of a strided gradient is swapped', pass: 'backward', find: /(m\d+) \/ 2u\) % 2u/, replace: '$1) % 2u', in: strided },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= y\[t\] \+/, replace: '=', twice: true },
    { name: 'the gate of the fused ReLU is open', pass: 'backward', find: /select\(0\.0, (g\d), b\d > 0\)/, replace: '$1', in: { ...plain, activation: 'relu' } },
    { name: 'a part of the terms is forgotten', kernel: 'conv2d_sum', pass: 'forward', find: 's < sizes[PARTS]', replace: 's + 1u < sizes[PARTS]', in: LONG },
    { name: 'the phases of a sum are swapped', kernel: 'conv2d_sum', pass: 'backward', find: '(m / 2u) % 2u', replace: 'm % 2u', in: LONG_STRIDED },
  ];
  test.each(bugs)('$name', async ({ in: c = plain, twice = false, ...bug }) => {
    const { subject, twin } = subjectOf(c);
    await expectCaught(engine(), subject, twin, { kernel: 'conv2d_shared', ...bug }, { twice, capabilities: { kernels: { forced: SMALL } } });
  });
});
