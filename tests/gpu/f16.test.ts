/**
 * Weights of 16 bits. No software adapter has 16-bit floats: that the kernels are valid WGSL is proven on Dawn's null
 * backend, which compiles and never runs; that the words hold the right numbers, here; what rounding does to a network,
 * in tests/network/round_weights.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/gpu/engine.ts';
import { decodeFloat16 } from '../../src/network/float16.ts';
import type { Network } from '../../src/network/network.ts';
import { sharedName } from '../../src/ops/conv2d_kernels.ts';
import { SHARED_TILES, sharedWeights } from '../../src/ops/conv2d_shared.ts';
import type { Recorder, TensorRef } from '../../src/ops/op.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { random } from '../ops/reference.ts';

describe('an engine that is asked for 16-bit weights', () => {
  let gpu: GPU | undefined;
  let engine: Engine;
  beforeAll(async () => {
    const dawn = await import('webgpu');
    Object.assign(globalThis, dawn.globals);
    gpu = dawn.create(['backend=null']);
    engine = await Engine.create({ gpu, f16: true });
  });
  afterAll(() => {
    engine.dispose();
    gpu = undefined;
  });

  test('says so to the kernels; another one does not', async () => {
    expect(engine.capabilities.f16).toBe(true);
    const other = await Engine.create({ gpu });
    expect(other.capabilities.f16).toBeUndefined();
    await expect(Engine.create({ device: other.device, f16: true })).rejects.toMatchObject({ code: 'limit' });
    other.dispose();
  });

  test('is refused where the adapter has none', async () => {
    const without = { requestAdapter: () => Promise.resolve({ features: new Set(['subgroups']), limits: {} }) } as unknown as GPU;
    await expect(Engine.create({ gpu: without, f16: true })).rejects.toMatchObject({ code: 'limit', message: expect.stringContaining('shader-f16') as string });
  });

  /** A layer, forward and backward, on the kernels of a GPU. */
  const planOf = (forced: string, weight: [number, number, number, number], groups = 1) => {
    const network: Network = {
      name: 'half',
      inputs: [{ name: 'x', shape: [1, weight[1] * groups, 9, 8] }],
      nodes: [{ name: 'y', output: 'y', op: 'conv2d', inputs: ['x'], attributes: { groups, activation: 'relu', padding: [1, 1, 1, 1] }, weights: { weight: random(weight, 1), bias: random([weight[0]], 2) } }],
      outputs: ['y'],
    };
    return compile(network, { layers: ['y'], backward: { from: 'y', rule: 'gradient' }, capabilities: { ...engine.capabilities, software: false, kernels: { forced } } });
  };

  test.each([...SHARED_TILES.map(sharedName), 'winograd 4x4, 3x3, shared'])('compiles %s', async (forced) => {
    for (const plan of [planOf(forced, [33, 5, 3, 3]), planOf(forced, [8, 64, 3, 3], 2), planOf(forced, [6, 5, 1, 1])]) {
      const steps = [...plan.passes.values()].flat();
      const halves = steps.filter(({ code }) => code.includes('enable f16;'));
      expect(halves.length).toBeGreaterThan(0);
      for (const { label, code } of steps) await engine.pipelines.compile(label, code);
      for (const { tensors } of halves) expect(plan.tensors[tensors.w!]!.label).toMatch(/weight\.f16$/);
    }
  });

  test('a kernel that is not valid is refused by that backend too', async () => {
    const code = [...planOf('shared', [4, 3, 3, 3]).passes.values()].flat()[0]!.code;
    await expect(engine.pipelines.compile('broken', code.replace('enable f16;', ''))).rejects.toMatchObject({ code: 'shader' });
  });
});

test('weights of 16 bits lie two to a word in the order of the kernel, each as near as 11 bits are', () => {
  const constants: { label: string; shape: readonly number[]; content: Float32Array | Uint32Array }[] = [];
  const recorder = (f16: boolean) => ({
    capabilities: { subgroups: false, software: false, maxBinding: 2 ** 27, f16 },
    constant: (label: string, shape: readonly number[], make: () => Float32Array | Uint32Array) => {
      constants.push({ label, shape, content: make() });
      return {} as TensorRef;
    },
  }) as unknown as Recorder;
  const { data } = random([2, 3, 4], 5);
  for (const f16 of [false, true]) sharedWeights(recorder(f16), 'weight', [2, 3, 4], () => data);
  const [wide, half] = constants;
  expect(wide).toEqual({ label: 'weight', shape: [2, 3, 4], content: data });
  expect(half!.label).toBe('weight.f16');
  expect(half!.shape).toEqual([12]);
  const values = decodeFloat16(new Uint8Array(half!.content.buffer));
  expect(values).toHaveLength(data.length);
  data.forEach((value, i) => expect(Math.abs(values[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11 + 2 ** -25));
});
