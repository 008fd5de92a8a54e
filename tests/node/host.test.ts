import { afterAll, expect, test } from 'vitest';
import { closeNodeGpu, openNodeGpu } from '../../src/node/host.ts';

afterAll(closeNodeGpu);

test('a test process has a GPU that computes', async () => {
  const gpu = await openNodeGpu();
  const adapter = await gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  const code = `
    @group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < arrayLength(&y)) { y[id.x] = y[id.x] * 2 + f32(id.x); }
    }`;
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  const x = Float32Array.from([3, 1, 4, 1, 5]);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const y = device.createBuffer({ size: x.byteLength, usage });
  const copy = device.createBuffer({ size: x.byteLength, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  device.queue.writeBuffer(y, 0, x);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: y } }] }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(y, 0, copy, 0, x.byteLength);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(GPUMapMode.READ);
  expect([...new Float32Array(copy.getMappedRange())]).toEqual([6, 3, 10, 5, 14]);
  copy.unmap();
  device.destroy();
});
