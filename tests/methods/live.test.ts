/** The live view while kernels are compiled: the first layers show before the last can. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CompiledKernel } from '../../src/gpu/pipelines.ts';
import { LiveView, type Network, type Tensor } from '../../src/index.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const engine = useEngine();
const x: Tensor = random([1, 3, 6, 8], 1);
const net: Network = {
  ...network({ x: x.shape }, [
    convolution('first', 'x', [4, 3, 3], 1),
    node('second', 'relu', ['first.y']),
    node('pool', 'max_pool', ['second.y'], { kernel: [2, 2], stride: [2, 2] }),
    node('score', 'dense', ['pool.y'], {}, { weight: random([5, 48], 4), bias: random([5], 5) }),
  ]),
  preprocess: { channels: 'RGB', range: 255, mean: [0, 0, 0], std: [1, 1, 1], fit: 'stretch' },
};

afterEach(() => vi.restoreAllMocks());

test('a progressive view shows the first layer before the last kernel is compiled', async () => {
  const compileNow = engine().pipelines.compile.bind(engine().pipelines);
  let letGo!: () => void;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  vi.spyOn(engine().pipelines, 'compile').mockImplementation(async (label, code): Promise<CompiledKernel> => {
    if (label.startsWith('score/')) await gate;
    return compileNow(label, code);
  });
  const live = await LiveView.create(engine(), net, { progressive: true });
  expect(live.shows('first')).toBe(false);
  live.show(x, 'first');
  const counts: number[] = [];
  for await (const shown of live.unfold()) {
    counts.push(shown);
    live.watch('first');
    if (!live.shows('pool') || counts.length > 1000) continue;
    // The last layer is held back: what the others answer can be seen, and nothing is made up about the rest.
    if (live.shows('score')) break;
    const { ranges, classes } = await live.report('first');
    expect([ranges.length, classes]).toEqual([4, []]);
    const { data } = await live.runner.read('first');
    expect(ranges[0]).toEqual([Math.min(...data.subarray(0, 48)), Math.max(...data.subarray(0, 48))]);
    expect((await live.report('score')).ranges).toEqual([]);
    letGo();
  }
  expect(counts[0]).toBe(0);
  expect(counts.at(-1)).toBe(4);
  live.watch('score');
  expect((await live.report('score')).classes).toHaveLength(5);

  const whole = await LiveView.create(engine(), net);
  whole.show(x, 'score');
  for (const { name } of net.nodes) expect((await live.runner.read(name)).data, name).toEqual((await whole.runner.read(name)).data);
  expect(await live.report('score')).toEqual(await whole.report('score'));
  live.dispose();
  whole.dispose();
});

describe('a view that is ready', () => {
  test('has nothing to unfold, and shows every layer of what it is fed', async () => {
    const live = await LiveView.create(engine(), net);
    expect(live.shows('first')).toBe(false);
    live.show(x, 'first');
    const counts: number[] = [];
    for await (const shown of live.unfold()) counts.push(shown);
    expect(counts).toEqual([4]);
    const { submissions } = engine().counters;
    live.show(x, 'pool');
    expect(engine().counters.submissions - submissions).toBe(1);
    live.dispose();
  });
});
