import { describe, expect, test } from 'vitest';
import { CEILING_FMA_INPUT, ceilingFma } from '../../shaders/ceiling_fma.wgsl.ts';
import { clockOf, Stopwatch, type Clock, type Work } from '../../src/gpu/stopwatch.ts';
import { useEngine } from '../gpu.ts';

const engine = useEngine();

/** Work of `groups` workgroups of multiply-adds; `asked` collects how often it was encoded. */
async function multiplyAdds(groups: number, asked: number[] = []): Promise<Work> {
  const { device, pipelines } = engine();
  const { pipeline, layout } = await pipelines.compile('work', ceilingFma({ chains: 2, rounds: 64 }));
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffers = [16, groups * 256].map((size) => device.createBuffer({ size, usage }));
  device.queue.writeBuffer(buffers[0]!, 0, CEILING_FMA_INPUT);
  const bindGroup = device.createBindGroup({ layout, entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });
  return (pass, times) => {
    asked.push(times);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(groups);
  };
}

describe.each<Clock>(['wall', 'timestamp'])('by the %s clock', (clock) => {
  test('much more work takes more time', async () => {
    const stopwatch = await Stopwatch.create(engine(), clock);
    // A GPU does a thousand workgroups at once.
    const [few, many] = engine().adapter.software ? [4, 256] : [1024, 65535];
    const [little, much] = [await multiplyAdds(few), await multiplyAdds(many)];
    const ratio = (await stopwatch.time(much)) / (await stopwatch.time(little, { sampleMs: 2, patienceMs: 200 }));
    stopwatch.dispose();
    expect(ratio).toBeGreaterThan(3); // 64 times the work
  });

  test('short work is repeated until it outlasts the clock; tries count after that', async () => {
    const asked: number[] = [];
    const stopwatch = await Stopwatch.create(engine(), clock);
    const before = engine().memory();
    await stopwatch.time(await multiplyAdds(1, asked), { sampleMs: 30, tries: 4 });
    expect(asked[0]).toBe(1);
    const most = Math.max(...asked);
    expect(most).toBeGreaterThan(1);
    expect(asked.filter((times) => times === most).length).toBeGreaterThanOrEqual(4);
    expect(engine().memory()).toEqual(before);
    stopwatch.dispose();
  });
});

test('patience adds tries', async () => {
  const asked: number[] = [];
  const stopwatch = await Stopwatch.create(engine(), 'wall');
  await stopwatch.time(await multiplyAdds(1, asked), { sampleMs: 0, tries: 2, patienceMs: 2000 });
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.length).toBeLessThanOrEqual(200); // not without end where the work is nothing
});

test('the queries are freed, twice does no harm', async () => {
  const before = engine().memory();
  const stopwatch = await Stopwatch.create(engine(), 'timestamp');
  expect(engine().memory().bytes).toBeGreaterThan(before.bytes);
  stopwatch.dispose();
  stopwatch.dispose();
  expect(engine().memory()).toEqual(before);
});

test('a software adapter is timed on the wall', () => {
  const { device, adapter } = engine();
  expect(clockOf({ device, adapter: { ...adapter, software: true } })).toBe('wall');
  expect(clockOf({ device, adapter: { ...adapter, software: false } })).toBe('timestamp');
});
