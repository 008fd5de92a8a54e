/** A runner that is handed over while its kernels are still being compiled. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import type { CompiledKernel } from '../../src/gpu/pipelines.ts';
import { compile } from '../../src/scheduler/compile.ts';
import type { Plan } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { network, node } from './networks.ts';

const engine = useEngine();
const x = random([1, 2, 5, 7], 1);
const net = network({ x: x.shape }, [
  node('a', 'relu', ['x']),
  node('b', 'max_pool', ['a.y'], { kernel: [3, 3] }),
  node('c', 'softmax', ['b.y']),
]);
const planned = (): Plan => compile(net, { layers: ['a', 'b', 'c'], backward: { from: 'c', rule: 'gradient' }, capabilities: engine().capabilities });

/** Holds back the kernels whose label fits, until they are let go or fail. */
function holdBack(pattern: RegExp): { letGo: () => void; fail: (error: Error) => void } {
  const compileNow = engine().pipelines.compile.bind(engine().pipelines);
  let letGo!: () => void;
  let fail!: (error: Error) => void;
  const gate = new Promise<void>((resolve, reject) => {
    letGo = resolve;
    fail = reject;
  });
  gate.catch(() => undefined);
  vi.spyOn(engine().pipelines, 'compile').mockImplementation(async (label: string, code: string): Promise<CompiledKernel> => {
    if (pattern.test(label)) await gate;
    return compileNow(label, code);
  });
  return { letGo, fail };
}
afterEach(() => vi.restoreAllMocks());

/** Until a pass has come as far as that. */
async function until(runner: Runner, pass: string, steps: number): Promise<void> {
  while (runner.readySteps(pass) < steps) await runner.changed();
}

describe('a progressive runner', () => {
  test('runs the first steps before the last kernel is there, and goes on from where it stopped', async () => {
    const { letGo } = holdBack(/^c\/.*forward/);
    const runner = await Runner.create(engine(), planned(), { progressive: true });
    expect(runner.complete).toBe(false);
    runner.write('x', x.data);
    await until(runner, 'forward', 2);
    expect(runner.runReady('forward')).toBe(2);
    expect((await runner.read('a')).data).toEqual(x.data.map((v) => Math.max(v, 0)));
    expect([runner.stepsUntil('a', 'forward'), runner.stepsUntil('b', 'forward'), runner.stepsUntil('c', 'forward')]).toEqual([1, 2, 3]);
    expect(() => runner.run(['forward'])).toThrow(expect.objectContaining({ code: 'usage', message: expect.stringContaining('forward') as string }));
    const { submissions } = engine().counters;
    expect(runner.runReady('forward', 2)).toBe(2);
    expect(engine().counters.submissions).toBe(submissions);
    letGo();
    await runner.ready;
    expect(runner.complete).toBe(true);
    expect(runner.runReady('forward', 2)).toBe(3);
    const late = (await runner.read('c')).data;
    runner.run(['forward']);
    expect((await runner.read('c')).data).toEqual(late);
    await runner.changed();
    runner.dispose();
  });

  test('steps of a pass are ready in their order, other passes do not wait', async () => {
    const { letGo } = holdBack(/^a\/.*forward/);
    const runner = await Runner.create(engine(), planned(), { progressive: true });
    await until(runner, 'backward', runner.plan.passes.get('backward')!.length);
    expect(runner.readySteps('forward')).toBe(0);
    expect([runner.isReady('forward'), runner.isReady('backward')]).toEqual([false, true]);
    letGo();
    await runner.ready;
    expect(runner.readySteps('forward')).toBe(3);
    runner.dispose();
  });

  test('tells of a kernel that fails to whoever waits', async () => {
    const { fail } = holdBack(/^c\/.*forward/);
    const runner = await Runner.create(engine(), planned(), { progressive: true });
    await until(runner, 'forward', 2);
    fail(new UnitscopeError('shader', 'no'));
    await expect(runner.ready).rejects.toMatchObject({ code: 'shader' });
    await expect(runner.changed()).rejects.toMatchObject({ code: 'shader' });
    runner.dispose();
  });

  test('can be disposed of before it is ready: nothing stays, nothing is done any more', async () => {
    const before = engine().memory();
    const { letGo } = holdBack(/^c\/.*forward/);
    const runner = await Runner.create(engine(), planned(), { progressive: true });
    runner.dispose();
    expect(engine().memory()).toEqual(before);
    letGo();
    await expect(runner.ready).rejects.toMatchObject({ code: 'aborted' });
    expect(() => runner.runReady('forward')).not.toThrow();
  });

  test('is refused what does not fit at once', async () => {
    const plan = planned();
    const error = { code: 'limit' };
    await expect(Runner.create(engine(), { ...plan, buffers: [2 ** 50] }, { progressive: true })).rejects.toMatchObject(error);
  });
});
