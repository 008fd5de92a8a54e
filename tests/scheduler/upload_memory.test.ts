/** Weights on their way to the GPU: what the host holds of them meanwhile. */
import { expect, test } from 'vitest';
import { compile } from '../../src/scheduler/compile.ts';
import { totals } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { network, node } from './networks.ts';

const engine = useEngine();

test('weights of 200 MB are never held a second time: they are packed and written in slices', async () => {
  const weight = { shape: [4096, 12_800], data: new Float32Array(4096 * 12_800).fill(0.5) };
  const plan = compile(network({ x: [1, 12_800] }, [node('fc', 'dense', ['x'], {}, { weight })]), { layers: ['fc'], capabilities: engine().capabilities });
  const before = process.memoryUsage().rss;
  const runner = await Runner.create(engine(), plan);
  runner.dispose();
  // A software adapter keeps its buffers in this process.
  const buffers = engine().adapter.software ? totals(plan).memory : 0;
  const most = 1024 * process.resourceUsage().maxRSS - before;
  console.log(`weights ${(weight.data.byteLength / 1e6).toFixed(0)} MB; most memory beside them and the GPU's ${((most - buffers) / 1e6).toFixed(0)} MB`);
  expect(most - buffers).toBeLessThan(0.4 * weight.data.byteLength);
});
