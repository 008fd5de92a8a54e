/** The embedded network on our kernels against a float64 forward pass by separate code, and its units climbed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { decodePng } from '../../src/image/png.ts';
import { activations } from '../../src/methods/activations.ts';
import { Maximizer } from '../../src/methods/maximize.ts';
import { ascentSettings } from '../../src/methods/settings.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';

const folder = fileURLToPath(new URL('../../models/embedded/', import.meta.url));
const engine = useEngine();
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(folder + name));
const embedded = (): Promise<Network> =>
  loadNetwork(['network.json', 'weights.safetensors'].map((name) => ({ name, bytes: file(name) })));

interface Expected {
  readonly pictures: readonly {
    readonly picture: string;
    readonly top: string;
    readonly logits: readonly number[];
    readonly layers: Readonly<Record<string, { readonly mean: number; readonly l2: number }>>;
  }[];
}

/** The mean of each 4 x 4 block, not rounded, then the network's preprocessing: what the expected values were made of. */
async function blockMeans(picture: string, { mean, std, range }: NonNullable<Network['preprocess']>): Promise<Tensor> {
  const { width, height, data } = await decodePng(file(picture));
  const [w, h] = [width / 4, height / 4];
  const x = new Float32Array(3 * w * h);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < h; i++) {
      for (let j = 0; j < w; j++) {
        let sum = 0;
        for (let k = 0; k < 16; k++) sum += data[((i * 4 + (k >> 2)) * width + j * 4 + (k & 3)) * 4 + c]!;
        x[(c * h + i) * w + j] = (((sum / 16) * range) / 255 - mean[c]!) / std[c]!;
      }
    }
  }
  return { shape: [1, 3, h, w], data: x };
}

describe.each((JSON.parse(readFileSync(`${folder}expected.json`, 'utf8')) as Expected).pictures)('$picture', ({ picture, top, logits, layers }) => {
  test('every layer and the class', async () => {
    const network = await embedded();
    const x = await blockMeans(picture, network.preprocess!);
    const names = network.nodes.map(({ name }) => name);
    const ys = new Map([...(await activations(engine(), network, x, { layers: names, fuse: false })), ['data', x]]);
    expect(Object.keys(layers).sort()).toEqual([...ys.keys()].sort());
    for (const [name, { mean, l2 }] of Object.entries(layers)) {
      const { data } = ys.get(name)!;
      const norm = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
      expect(Math.abs(norm - l2) / l2, name).toBeLessThan(1e-5);
      expect(Math.abs(data.reduce((a, b) => a + b, 0) / data.length - mean), name).toBeLessThan((1e-5 * l2) / Math.sqrt(data.length));
    }
    const scores = ys.get('fc6')!.data;
    logits.forEach((logit, i) => expect(scores[i]).toBeCloseTo(logit, 4));
    expect(network.labels![scores.indexOf(Math.max(...scores))]).toBe(top);
  });
});

test('a class is climbed until it is the argmax', async () => {
  const maximizer = await Maximizer.create(engine(), await embedded(), {
    units: ['fc6:7'],
    settings: ascentSettings({ policy: 'normalized', rate: 2, iterations: 40 }, 3),
  });
  const seen = [];
  for await (const { images } of maximizer.run()) seen.push(images[0]!);
  maximizer.dispose();
  expect(seen).toHaveLength(40);
  expect(seen[0]!.isArgmax).toBe(false);
  expect(seen.at(-1)!.isArgmax).toBe(true);
  expect(seen.at(-1)!.score).toBeGreaterThan(seen[0]!.score + 5);
});
