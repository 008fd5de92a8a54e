/** Constants on their way to the GPU: in the order of the steps, in slices, one at a time, with pauses for others. */
import { describe, expect, test, vi } from 'vitest';
import type { Network } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import type { Content, Plan } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { shipments, upload } from '../../src/scheduler/upload.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from './networks.ts';

const engine = useEngine();

const net: Network = network({ x: [1, 3, 8, 8] }, [
  convolution('a', 'x', [64, 3, 3], 1),
  convolution('b', 'a.y', [64, 64, 3], 2),
  node('fc', 'dense', ['b.y'], {}, { weight: random([300, 64 * 64], 3), bias: random([300], 4) }),
]);
const planned = (): Plan => compile(net, { layers: ['fc'], capabilities: { ...engine().capabilities, kernels: { forced: 'direct' } } });

/** The plan whose constants come as `change` makes them. */
const changed = (plan: Plan, change: (make: () => Content, label: string) => () => Content): Plan => ({
  ...plan,
  constants: plan.constants.map(({ tensor, make }) => ({ tensor, make: change(make, plan.tensors[tensor]!.label) })),
});

async function result(plan: Plan): Promise<Float32Array> {
  const runner = await Runner.create(engine(), plan);
  runner.write('x', random([1, 3, 8, 8], 7).data);
  runner.run(['forward']);
  const { data } = await runner.read('fc');
  runner.dispose();
  return data;
}

describe('constants', () => {
  test('arrive in the order in which steps read them, those that share a buffer in one piece', () => {
    const plan = planned();
    const labels = shipments(plan).map(({ constants }) => constants.map(({ tensor }) => plan.tensors[tensor]!.label));
    const large = labels.filter((shipment) => shipment.length === 1).flat();
    expect(large.map((label) => label.split('/')[0])).toEqual(['b', 'fc']);
    expect(labels.filter((shipment) => shipment.length > 1)).toHaveLength(1);
    expect(new Set(labels.flat()).size).toBe(plan.constants.length);
  });

  test('may come in parts', async () => {
    const whole = await result(planned());
    const inParts = (make: () => Content) => function* (): Generator<Float32Array | Uint32Array> {
      const made = make();
      for (const data of ArrayBuffer.isView(made) ? [made] : made) {
        for (let from = 0; from < data.length; from += 1000) yield data.subarray(from, from + 1000);
      }
    };
    expect(await result(changed(planned(), (make) => inParts(make)))).toEqual(whole);
    expect(whole.some((value) => value !== 0)).toBe(true);
  });

  test('are packed one at a time, each dropped before the next, and others have their turn in between', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const seen: number[] = [];
    const slow = (make: () => Content) => (): Content => {
      seen.push(turns);
      const end = performance.now() + 12;
      while (performance.now() < end); // packing takes a while
      return make();
    };
    const plan = changed(planned(), (make, label) => (/weight/.test(label) ? slow(make) : make));
    const buffers = plan.buffers.map((bytes) => engine().createBuffer('test', bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST));
    await upload(engine(), plan, buffers, () => undefined, () => true);
    clearInterval(timer);
    for (const buffer of buffers) engine().destroyBuffer(buffer);
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen.at(-1)).toBeGreaterThan(seen[0]!);
  });

  test('are left where they are when nobody wants them any more', async () => {
    const write = vi.spyOn(engine().device.queue, 'writeBuffer');
    try {
      await upload(engine(), planned(), [], () => undefined, () => false);
      expect(write).not.toHaveBeenCalled();
    } finally {
      write.mockRestore();
    }
  });

  test('are not held by the runner', async () => {
    const runner = await Runner.create(engine(), planned());
    expect(runner.plan.constants).toEqual([]);
    runner.dispose();
  });
});
