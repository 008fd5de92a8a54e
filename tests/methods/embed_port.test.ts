/** The map that is made at the other end of a port is the one that is made here; stops and faults travel too. */
import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Step } from '../../src/analysis/points.ts';
import { embed, EMBED_DEFAULTS, type EmbedSettings } from '../../src/methods/embed.ts';
import { embedThrough, serveEmbedding, type EmbeddingPort } from '../../src/methods/embed_port.ts';
import { blobs } from '../analysis/planted.ts';

let near: EmbeddingPort;
let close: () => void;

beforeEach(() => {
  const { port1, port2 } = new MessageChannel();
  near = port1 as unknown as EmbeddingPort;
  serveEmbedding(port2 as unknown as EmbeddingPort);
  close = () => port1.close();
});
afterEach(() => close());

const { points } = blobs();
const settings = (changes: Partial<EmbedSettings> = {}): EmbedSettings => ({ ...EMBED_DEFAULTS, iterations: 60, perplexity: 10, neighbours: 8, ...changes });

async function mapOf(steps: AsyncIterable<Step>): Promise<{ map: number[]; stages: Set<string> }> {
  let map: number[] = [];
  const stages = new Set<string>();
  for await (const step of steps) {
    stages.add(step.stage);
    if (step.map) map = [...step.map];
  }
  return { map, stages };
}

describe('a map through a port', () => {
  test.each(['tsne', 'umap', 'pca'] as const)('%s is the same to the last bit', async (layout) => {
    const there = await mapOf(embedThrough(near, points, settings({ layout })));
    const here = await mapOf(embed(points, settings({ layout })));
    expect(there.map).toHaveLength(2 * points.count);
    expect(there.map).toEqual(here.map);
  });

  test('one after another, also where the first was given up', async () => {
    for await (const step of embedThrough(near, points, settings({ iterations: 100_000 }))) if (step.stage !== 'map') break;
    expect((await mapOf(embedThrough(near, points, settings()))).map).toEqual((await mapOf(embed(points, settings()))).map);
  });

  test('what a map that was given up still says is not taken for the next one', async () => {
    const said: { id: number }[] = [];
    const port: EmbeddingPort = { onmessage: null, postMessage: (message) => said.push(message as { id: number }) };
    const say = (data: unknown): void => port.onmessage?.({ data });
    const steps = mapOf(embedThrough(port, points, settings()));
    const { id } = said[0]!;
    say({ id: id - 1, reply: { kind: 'fault', code: 'aborted', message: 'stopped on request' } });
    say({ id, reply: { kind: 'step', step: { stage: 'map', done: 1, total: 1, map: Float64Array.of(1, 2) } } });
    say({ id, reply: { kind: 'done' } });
    expect((await steps).map).toEqual([1, 2]);
  });

  test('stops on request, and says why it cannot begin', async () => {
    const stop = new AbortController();
    const begun = performance.now();
    await expect((async () => {
      for await (const _ of embedThrough(near, points, settings({ iterations: 100_000 }), { signal: stop.signal })) stop.abort();
    })()).rejects.toMatchObject({ code: 'aborted' });
    expect(performance.now() - begun).toBeLessThan(10_000);
    await expect(mapOf(embedThrough(near, points, settings(), { signal: stop.signal }))).rejects.toMatchObject({ code: 'aborted' });
    await expect(mapOf(embedThrough(near, points, settings({ perplexity: 0 })))).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('perplexity') as string });
  });
});
