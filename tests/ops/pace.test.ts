/**
 * A guard without a number of any machine: the convolution that is chosen beside the plainest one there is, in one run,
 * in turns, best of five each. A wide margin: it falls when a kernel has lost its register tile, not on a busy machine.
 */
import { expect, test } from 'vitest';
import { Stopwatch } from '../../src/gpu/stopwatch.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { convolution, network } from '../scheduler/networks.ts';
import { random } from './reference.ts';

const engine = useEngine();

/** y[m, p] = bias[m] + sum over c, ky, kx of w[m, c, ky, kx] x[c, oy + ky - 1, ox + kx - 1]: one output an invocation. */
const plain = (channels: number, size: number): string => `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ${size}u || id.y >= ${size}u) { return; }
  var sum = bias[id.z];
  for (var c = 0u; c < ${channels}u; c++) {
    for (var ky = 0u; ky < 3u; ky++) {
      for (var kx = 0u; kx < 3u; kx++) {
        let iy = i32(id.y + ky) - 1;
        let ix = i32(id.x + kx) - 1;
        if (iy >= 0 && iy < ${size} && ix >= 0 && ix < ${size}) {
          sum += w[((id.z * ${channels}u + c) * 3u + ky) * 3u + kx] * x[(c * ${size}u + u32(iy)) * ${size}u + u32(ix)];
        }
      }
    }
  }
  y[(id.z * ${size}u + id.y) * ${size}u + id.x] = sum;
}`;

test('the chosen convolution is more than twice as fast as one output an invocation, and computes the same', async () => {
  const { device, pipelines, adapter } = engine();
  const [channels, size] = adapter.software ? [32, 28] : [256, 56];
  const layer = convolution('conv', 'x', [channels, channels, 3], 1);
  const x = random([1, channels, size, size], 2);
  const plan = compile(network({ x: x.shape }, [layer]), { layers: ['conv'], capabilities: engine().capabilities });
  const runner = await Runner.create(engine(), plan);
  runner.write('x', x.data);
  const steps = [...plan.passes.values()].flat().map((_, index) => index);

  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const operands = [x.data, layer.weights.weight!.data, layer.weights.bias!.data, new Float32Array(x.data.length)];
  const buffers = operands.map((data) => {
    const buffer = engine().createBuffer('plain', data.byteLength, usage);
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  });
  const { pipeline, layout } = await pipelines.compile('plain', plain(channels, size));
  const bindGroup = device.createBindGroup({ layout, entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });

  const stopwatch = await Stopwatch.create(engine());
  const time = (work: (pass: GPUComputePassEncoder) => void): Promise<number> =>
    stopwatch.time((pass, times) => { for (let i = 0; i < times; i++) work(pass); }, { tries: 1, sampleMs: 5 });
  const best = { chosen: Infinity, plain: Infinity };
  for (let turn = 0; turn < 5; turn++) {
    best.chosen = Math.min(best.chosen, await time((pass) => steps.forEach((index) => runner.encodeStep(pass, index, 1))));
    best.plain = Math.min(best.plain, await time((pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(Math.ceil(size / 8), Math.ceil(size / 8), channels);
    }));
  }

  const y = (await runner.read('conv')).data;
  const expected = new Float32Array(await engine().read(buffers[3]!, y.byteLength));
  const error = Math.sqrt(y.reduce((sum, value, i) => sum + (value - expected[i]!) ** 2, 0) / expected.reduce((sum, value) => sum + value ** 2, 0));
  stopwatch.dispose();
  runner.dispose();
  for (const buffer of buffers) engine().destroyBuffer(buffer);
  expect(error).toBeLessThan(1e-5);
  expect(best.plain / best.chosen, `chosen ${best.chosen.toFixed(2)} ms, plain ${best.plain.toFixed(2)} ms`).toBeGreaterThan(2);
});
