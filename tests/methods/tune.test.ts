/** Kernels that are measured: which layers are timed, what the times choose, and that every choice computes the same. */
import { describe, expect, test } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import type { Engine } from '../../src/gpu/engine.ts';
import { KERNELS_VERSION, choicesOf, emptyRecord, type KernelRecord, type KernelStore } from '../../src/gpu/kernel_store.ts';
import type { Capabilities, KernelChoices } from '../../src/gpu/capabilities.ts';
import { activations } from '../../src/methods/activations.ts';
import { calibrateKernels, factorsOf, type Probe } from '../../src/methods/calibrate.ts';
import { kernelUses, usesToTime } from '../../src/methods/kernel_times.ts';
import { prepareKernels } from '../../src/methods/prepare_kernels.ts';
import { fastest, measuredShapes, tuneKernels } from '../../src/methods/tune.ts';
import { compile } from '../../src/scheduler/compile.ts';
import type { Plan } from '../../src/scheduler/plan.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const engine = useEngine();

/** Two layers of one shape, a pointwise one, a depthwise one, and what is no convolution. */
const small = network({ x: [1, 8, 12, 12] }, [
  convolution('a:1', 'x', [8, 8, 3], 1),
  node('relu', 'relu', ['a:1.y']),
  convolution('b', 'relu.y', [8, 8, 3], 3),
  convolution('point', 'b.y', [16, 8, 1], 5),
  convolution('deep', 'point.y', [16, 1, 3], 7, { groups: 16 }),
  node('pool', 'max_pool', ['deep.y'], { kernel: [2, 2], stride: [2, 2] }),
]);
const backward = { from: 'pool', rule: 'gradient' } as const;
const SOFTWARE: Capabilities = { software: true, subgroups: true, maxBinding: 2 ** 27 };
const planned = (kernels?: KernelChoices, capabilities = SOFTWARE): Plan =>
  compile(small, { layers: ['pool'], backward, capabilities: { ...capabilities, ...(kernels && { kernels }) } });

describe('the steps of a layer', () => {
  test('are those that share its name and its pass, whatever the name looks like', () => {
    const plan = planned({ forced: 'winograd' });
    const labels = [...plan.passes.values()].flat().map(({ label }) => label);
    const uses = kernelUses(plan);
    expect(uses.map(({ label }) => label)).toEqual([
      'relu/conv2d.forward', 'b/conv2d.forward', 'point/conv2d.forward', 'deep/conv2d.forward',
      'deep/conv2d.backward', 'point/conv2d.backward', 'b/conv2d.backward', 'relu/conv2d.backward',
    ]);
    for (const { label, steps } of uses) expect(steps.map((step) => labels[step]!.replace(/:(input|products|output|border|gate)$/, ''))).toEqual(steps.map(() => label));
    expect(uses[0]!.steps.map((step) => labels[step]!.split(':').at(-1))).toEqual(['input', 'products', 'output']);
    expect(uses.flatMap(({ steps }) => steps).length).toBeLessThan(labels.length);
  });

  test('are timed once for each kernel of a shape, and not where there is but one kernel', () => {
    const plans = [planned(), planned({ forced: 'direct' }), planned({ forced: 'winograd' }), planned({ forced: 'depthwise' })];
    const timed = usesToTime(plans).map((uses) => uses.map(({ label, variant }) => `${label} ${variant}`));
    const all = timed.flat();
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((use) => use.startsWith('point'))).toEqual([]);
    // The forward passes of both layers are one shape; backward only one of them is gated.
    expect(all.filter((use) => use.startsWith('b/conv2d.forward'))).toEqual([]);
    expect(all.filter((use) => use.startsWith('b/conv2d.backward')).length).toBe(2);
    expect(all).toContain('deep/conv2d.forward depthwise');
    expect(all).toContain('deep/conv2d.forward direct');
    expect(usesToTime([plans[0]!, plans[0]!]).flat()).toEqual([]);
  });
});

describe('what times choose', () => {
  const kernels = (times: Record<string, number>) => Object.entries(times).map(([variant, ms]) => ({ variant, ms, cost: 1 }));

  test.each([
    ['the fastest', { direct: 2, 'shared 64x64': 1, depthwise: 3 }, 'shared 64x64'],
    ["the model's choice where it is as fast but for noise", { direct: 1.09, 'shared 64x64': 1 }, 'direct'],
    ["the model's choice where it is fastest", { direct: 1, 'shared 64x64': 1.5 }, 'direct'],
    ['the fastest where two others are alike', { direct: 3, 'shared 64x64': 1, 'winograd 4x4, 3x3': 1.05 }, 'shared 64x64'],
  ])('%s', (_, times, expected) => {
    expect(fastest({ model: 'direct', kernels: kernels(times) })).toBe(expected);
  });

  test('the factor of a family is the mean of measured / predicted beside the direct kernel', () => {
    const shape = (direct: number, shared: number) => ({ kernels: [{ variant: 'direct', cost: 100, ms: direct }, { variant: 'shared 64x64', cost: 50, ms: shared }] });
    expect(factorsOf([shape(1, 0.5)])).toEqual({ direct: 1, shared: 1 });
    expect(factorsOf([shape(1, 1), shape(4, 1)])).toEqual({ direct: 1, shared: 1 });
    expect(factorsOf([shape(1, 2), shape(1, 2)])).toEqual({ direct: 1, shared: 4 });
    expect(factorsOf([shape(1, 1e6)])).toEqual({ direct: 1, shared: 16 });
    expect(factorsOf([{ kernels: [{ variant: 'depthwise', cost: 1, ms: 1 }] }, shape(0, 0)])).toEqual({});
  });
});

test('tuning times every kernel, and whatever is taken computes the same', async () => {
  const before = engine().memory();
  const seen: [number, number][] = [];
  const shapes = await tuneKernels(engine(), small, { layers: ['pool'], backward, progress: (done, total) => seen.push([done, total]) });
  expect(engine().memory()).toEqual(before);
  expect(seen.map(([done]) => done)).toEqual(seen.map((_, i) => i + 1));
  expect(seen.at(-1)![0]).toBe(seen[0]![1]);
  const chosen = new Map(kernelUses(planned(undefined, engine().capabilities)).map(({ key, variant }) => [key, variant]));
  for (const { key, model, variant, times } of shapes) {
    expect(chosen.get(key)).toBe(model);
    expect(Object.keys(times).length).toBeGreaterThan(1);
    expect(Object.keys(times)).toEqual(expect.arrayContaining([model, variant]));
    for (const ms of Object.values(times)) expect(ms).toBeGreaterThan(0);
  }
  const x = random([1, 8, 12, 12], 9);
  const scores = async (kernels: KernelChoices | undefined): Promise<Float32Array> => {
    engine().kernels = kernels;
    try {
      return (await activations(engine(), small, x, { layers: ['pool'] })).get('pool')!.data;
    } finally {
      engine().kernels = undefined;
    }
  };
  const plain = await scores(undefined);
  const largest = plain.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const names = new Set(shapes.flatMap(({ times }) => Object.keys(times)));
  const tuned = choicesOf({ ...emptyRecord('here'), measured: measuredShapes(shapes) });
  const each = [...names].map((name) => ({ measured: new Map(shapes.filter(({ times }) => name in times).map(({ key }) => [key, name])) }));
  for (const kernels of [tuned, ...each]) {
    const other = await scores(kernels);
    other.forEach((value, i) => expect(Math.abs(value - plain[i]!)).toBeLessThan(2e-6 * largest));
  }
  expect(await scores(tuned)).toEqual(await scores(tuned));
});

test('tuning stops on request and leaves nothing behind', async () => {
  const before = engine().memory();
  const stop = new AbortController();
  await expect(tuneKernels(engine(), small, { signal: stop.signal, progress: () => stop.abort() })).rejects.toMatchObject({ code: 'aborted' });
  expect(engine().memory()).toEqual(before);
});

const PROBES: readonly Probe[] = [{ kernel: 3, channels: 16, outputs: 16, size: 14 }, { kernel: 3, channels: 8, outputs: 8, size: 12, groups: 8 }];

test('an adapter is calibrated by probes, without what was known of it before', async () => {
  const before = engine().memory();
  const known = { factors: { direct: 3 } };
  engine().kernels = known;
  const record = await calibrateKernels(engine(), { probes: PROBES });
  expect(engine().kernels).toBe(known);
  engine().kernels = undefined;
  expect(engine().memory()).toEqual(before);
  expect(record).toMatchObject({ version: KERNELS_VERSION, measured: {}, factors: { direct: 1 } });
  expect(Object.keys(record.factors)).toEqual(expect.arrayContaining(['depthwise', 'direct', 'winograd direct']));
});

describe('an engine is prepared', () => {
  interface Kept extends KernelStore {
    readonly records: KernelRecord[];
  }
  const storeOf = (...records: KernelRecord[]): Kept => ({
    records,
    load: (adapter) => Promise.resolve(records.findLast((record) => record.adapter === adapter)),
    save: (record) => Promise.resolve(void records.push(record)),
    clear: () => Promise.resolve(void records.splice(0)),
    list: () => Promise.resolve(records),
  });
  /** All of an engine that matters here. */
  const engineOf = (software: boolean, kernels?: KernelChoices): Engine =>
    ({ adapter: { vendor: 'v', architecture: 'a', description: 'd', software }, kernels }) as Partial<Engine> as Engine;
  const record: KernelRecord = { ...emptyRecord('v / a / d'), factors: { direct: 1, shared: 2 }, measured: { key: { variant: 'direct', times: { direct: 1 } } } };
  const calibrate = (): Promise<KernelRecord> => Promise.resolve(record);
  const never = (): never => {
    throw new Error('this must not be measured');
  };

  test('with the record of its adapter, and what it forces', async () => {
    const prepared = engineOf(false, { forced: 'direct' });
    expect(await prepareKernels(prepared, storeOf(emptyRecord('another'), record), { calibrate: never })).toBe(record);
    expect(prepared.kernels).toEqual({ ...choicesOf(record), forced: 'direct' });
  });

  test('by measuring a GPU that nothing is known of, once', async () => {
    const [prepared, store] = [engineOf(false), storeOf()];
    let told = 0;
    await prepareKernels(prepared, store, { calibrate, measuring: () => told++ });
    expect(prepared.kernels).toEqual(choicesOf(record));
    await prepareKernels(prepared, store, { calibrate: never, measuring: () => told++ });
    expect([told, store.records]).toEqual([1, [emptyRecord('v / a / d'), record]]);
  });

  test('although the record cannot be kept', async () => {
    const [prepared, warnings] = [engineOf(false), [] as string[]];
    const store = { ...storeOf(), save: () => Promise.reject(new UnitscopeError('io', 'the disk is full')) };
    await prepareKernels(prepared, store, { calibrate, warn: (text) => warnings.push(text) });
    expect(prepared.kernels).toEqual(choicesOf(record));
    expect(warnings).toEqual([expect.stringMatching(/not kept: the disk is full/)]);
  });

  test('although it cannot be measured, and not again', async () => {
    const [prepared, store, warnings] = [engineOf(false), storeOf(), [] as string[]];
    const warn = (text: string) => warnings.push(text);
    await prepareKernels(prepared, store, { calibrate: () => Promise.reject(new UnitscopeError('gpu', 'no such thing')), warn });
    await prepareKernels(prepared, store, { calibrate: never, warn });
    expect(warnings).toEqual([expect.stringMatching(/could not be measured: no such thing/)]);
    expect(prepared.kernels).toEqual({ measured: new Map() });
  });

  test.each([['aborted', 0], ['device-lost', 1]] as const)('not where it ends as %s', async (code, left) => {
    const store = storeOf();
    const calibrating = prepareKernels(engineOf(false), store, { calibrate: () => Promise.reject(new UnitscopeError(code, 'the end')) });
    await expect(calibrating).rejects.toMatchObject({ code });
    expect(store.records.length).toBe(left); // who stops it may start it again, who is lost over it is not measured again
  });

  test.each([['a software adapter', true, never], ['who does not want it', false, false]] as const)('without measuring for %s', async (_, software, how) => {
    const [prepared, store] = [engineOf(software, { forced: 'direct' }), storeOf()];
    expect(await prepareKernels(prepared, store, { calibrate: how })).toBeUndefined();
    expect([prepared.kernels, store.records]).toEqual([{ forced: 'direct' }, []]);
  });
});
