/** The ceilings: the kernels do the work that is counted, and the numbers are those of a device. */
import { describe, expect, test } from 'vitest';
import { ceilingCopy, ceilingCopyBytes, type CeilingCopyParameters } from '../../shaders/ceiling_copy.wgsl.ts';
import { CEILING_FMA_INPUT, ceilingFma, ceilingFmaFlops } from '../../shaders/ceiling_fma.wgsl.ts';
import { measureCeilings } from '../../src/methods/ceilings.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';

const engine = useEngine();

/** y after one dispatch of a kernel from x to y. */
async function run(code: string, x: Float32Array, length: number, groups: readonly [number, number]): Promise<Float32Array> {
  const { device } = engine();
  const { pipeline, layout } = await engine().pipelines.compile('ceiling', code);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const [from, to] = [x.byteLength, 4 * length].map((bytes) => engine().createBuffer('ceiling', bytes, usage)) as [GPUBuffer, GPUBuffer];
  device.queue.writeBuffer(from, 0, x as Float32Array<ArrayBuffer>);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries: [from, to].map((buffer, binding) => ({ binding, resource: { buffer } })) }));
  pass.dispatchWorkgroups(...groups);
  pass.end();
  engine().submit(encoder.finish());
  const y = new Float32Array(await engine().read(to, 4 * length));
  for (const buffer of [from, to]) engine().destroyBuffer(buffer);
  return y;
}

describe('the kernels do what is counted', () => {
  test.each([1, 3, 8])('%d chains of multiply-adds, each from its own start to the result', async (chains) => {
    const kernel = { chains, rounds: 2 };
    const [m, b, own, step] = CEILING_FMA_INPUT as unknown as [number, number, number, number];
    const steps = ceilingFmaFlops(kernel) / (2 * 4 * chains);
    const expected = Array.from({ length: 128 }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < chains; k++) {
        for (const lane of [0, own, -own, 0]) {
          let a = (i + k) * step;
          for (let s = 0; s < steps; s++) a = a * m + b + lane + i * own;
          sum += a;
        }
      }
      return sum;
    });
    const y = await run(ceilingFma(kernel), CEILING_FMA_INPUT, 128, [2, 1]);
    y.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4));
    expect(new Set(y).size).toBeGreaterThan(100); // no two invocations share their work
  });

  const ways: CeilingCopyParameters[] = [
    { type: 'vec4f', count: 1024, each: 4, sum: false },
    { type: 'f32', count: 1024, each: 1, sum: false },
    { type: 'vec4f', count: 1024, each: 8, sum: true },
    { type: 'f32', count: 2048, each: 16, sum: true },
  ];
  test.each(ways)('a copy moves every value: $type, $each each, sum $sum', async (way) => {
    const words = way.type === 'vec4f' ? 4 : 1;
    const x = random([way.count * words], 1).data;
    const groups = way.count / way.each / 64;
    const length = ceilingCopyBytes(way) / 4 - x.length;
    const y = await run(ceilingCopy(way), x, length, groups % 2 ? [groups, 1] : [groups / 2, 2]);
    const total = (data: Float32Array): number => data.reduce((a, v) => a + v, 0);
    if (way.sum) expect(Math.abs(total(y) - total(x))).toBeLessThan(1e-3);
    else expect(y).toEqual(x);
  });
});

test('the ceilings of this device are numbers of a device, and leave nothing behind', async () => {
  const before = engine().memory();
  const ceilings = await measureCeilings(engine());
  for (const value of Object.values(ceilings)) expect(value).toBeGreaterThan(0);
  // From a single slow core to a GPU ten times faster than any of today.
  expect(ceilings.flopsPerSecond).toBeGreaterThan(1e7);
  expect(ceilings.flopsPerSecond).toBeLessThan(1e15);
  expect(ceilings.bytesPerSecond).toBeGreaterThan(1e6);
  expect(ceilings.bytesPerSecond).toBeLessThan(1e14);
  expect(ceilings.halfInvocations % 64).toBe(0);
  expect(ceilings.dispatchMs).toBeLessThan(100);
  expect(engine().memory()).toEqual(before);
});

test('measuring stops on request', async () => {
  const before = engine().memory();
  await expect(measureCeilings(engine(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  expect(engine().memory()).toEqual(before);
});
