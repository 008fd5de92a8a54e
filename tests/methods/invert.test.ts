/** Code inversion: the objective and its steps against a float64 twin, a layer that keeps everything, and a small network. */
import { describe, expect, test } from 'vitest';
import { activations } from '../../src/methods/activations.ts';
import { invert, type InversionProgress, type InvertOptions } from '../../src/methods/invert.ts';
import { inversionRate, inversionSettings, stableRate, variationAt } from '../../src/methods/inversion_settings.ts';
import type { Network, Preprocess, Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { filled, random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const engine = useEngine();

const PREPROCESS: Preprocess = { channels: 'RGB', range: 255, mean: [123, 117, 104], std: [1, 1, 1], fit: 'crop' };
const [HEIGHT, WIDTH] = [6, 8];
const PLANE = HEIGHT * WIDTH;

/** Three directions of colour at every pixel, all of them kept. */
const MATRIX = [[0.8, 0.5, -0.3], [-0.5, 0.9, 0.2], [0.3, 0.1, 1]];
const mixing: Network = {
  ...network({ x: [1, 3, HEIGHT, WIDTH] }, [node('mix', 'conv2d', ['x'], {}, { weight: { shape: [3, 3, 1, 1], data: Float32Array.from(MATRIX.flat()) } })]),
  preprocess: PREPROCESS,
};

/** Network units of a picture with edges. */
const picture = (seed: number): Tensor => filled([1, 3, HEIGHT, WIDTH], (i) => 90 * Math.sin(seed + i * 0.7) * (i % WIDTH > 3 ? 1 : -0.4));

async function run(net: Network, x: Tensor, options: InvertOptions): Promise<InversionProgress[]> {
  const seen: InversionProgress[] = [];
  for await (const progress of invert(engine(), net, x, options)) seen.push(progress);
  return seen;
}

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => norm(Array.from(a, (value, i) => value - b[i]!));

test('the picture of a layer that keeps everything comes back', async () => {
  const x = picture(1);
  const seen = await run(mixing, x, { layer: 'mix', settings: { alpha: 0, variation: 0, restarts: 2, steps: 200, rate: 0.02 } });
  const { result } = seen.at(-1)!;
  expect(result!.error).toBeLessThan(0.01);
  expect(distance(result!.x.data, x.data) / norm(x.data)).toBeLessThan(0.01);
  expect(result!.picture).toMatchObject({ width: WIDTH, height: HEIGHT });
  expect(seen.filter((one) => one.result)).toHaveLength(1);
});

test('the code of a small network is met within 5 %', async () => {
  const nodes = [convolution('conv1', 'x', [8, 3, 3], 1), node('relu1', 'relu', ['conv1.y']), node('pool', 'max_pool', ['relu1.y'], { kernel: [2, 2], stride: [2, 2] }), convolution('conv2', 'pool.y', [6, 8, 3], 3)];
  const net: Network = { ...network({ x: [1, 3, HEIGHT, WIDTH] }, nodes), preprocess: PREPROCESS };
  const seen = await run(net, picture(2), { layer: 'conv2', settings: { variation: 0.001 } });
  expect(Math.min(...seen[0]!.errors)).toBeGreaterThan(0.5);
  const { result } = seen.at(-1)!;
  expect(result!.error).toBeLessThan(0.05);
  expect(result!.errors).toHaveLength(4);
  expect(result!.error).toBe(Math.min(...result!.errors));
  // What is told is so.
  const codes = await Promise.all([picture(2), result!.x].map(async (x) => (await activations(engine(), net, x, { layers: ['conv2'] })).get('conv2')!.data));
  expect(distance(codes[1]!, codes[0]!) / norm(codes[0]!)).toBeCloseTo(result!.error, 4);
});

test('of two pictures it is the mean of their codes', async () => {
  const [a, b] = [picture(1), picture(1.6)];
  const both: Tensor = { shape: [2, 3, HEIGHT, WIDTH], data: Float32Array.of(...a.data, ...b.data) };
  const seen = await run(mixing, both, { layer: 'mix', settings: { alpha: 0, variation: 0, restarts: 1, steps: 200, rate: 0.02 } });
  const mean = a.data.map((value, i) => (value + b.data[i]!) / 2);
  expect(distance(seen.at(-1)!.result!.x.data, mean) / norm(mean)).toBeLessThan(0.01);
});

describe('against a float64 twin', () => {
  const count = 3 * PLANE;
  const sigma = 60 * Math.sqrt(count);
  const settings = { ...inversionSettings({ alpha: 1, variation: 0.5, beta: 2, restarts: 1, steps: 8 }), rate: 0.03 };

  /** |M x - c|^2 / |c|^2 + alpha mean (x / 128)^6 + variation TV(z), x = sigma z; and its gradient. */
  function energy(z: Float64Array, c: ArrayLike<number>): { code: number; total: number; gradient: Float64Array } {
    const gradient = new Float64Array(count);
    let [code, total] = [0, 0];
    const square = Array.from(c).reduce((sum, value) => sum + value * value, 0);
    for (let i = 0; i < PLANE; i++) {
      MATRIX.forEach((row, m) => {
        const off = row.reduce((sum, factor, k) => sum + factor * sigma * z[k * PLANE + i]!, 0) - c[m * PLANE + i]!;
        code += off * off / square;
        row.forEach((factor, k) => (gradient[k * PLANE + i]! += (2 * off * factor * sigma) / square));
      });
    }
    z.forEach((value, i) => {
      const x = (sigma * value) / 128;
      total += (settings.alpha * x ** 6) / count;
      gradient[i]! += (6 * settings.alpha * x ** 5 * sigma) / 128 / count;
      const [column, row] = [i % WIDTH, Math.floor(i / WIDTH) % HEIGHT];
      for (const [step, inside] of [[1, column + 1 < WIDTH], [WIDTH, row + 1 < HEIGHT]] as const) {
        if (!inside) continue;
        const off = z[i + step]! - value;
        total += settings.variation! * off * off;
        gradient[i + step]! += 2 * settings.variation! * off;
        gradient[i]! -= 2 * settings.variation! * off;
      }
    });
    return { code, total: total + code, gradient };
  }

  test('its gradient is that of central differences', () => {
    const [z, along] = [Float64Array.from(random([count], 1, -0.15, 0.15).data), random([count], 2).data];
    const c = picture(3).data;
    const at = (step: number): number => energy(z.map((value, i) => value + step * along[i]!), c).total;
    const product = energy(z, c).gradient.reduce((sum, value, i) => sum + value * along[i]!, 0);
    expect((at(1e-5) - at(-1e-5)) / 2e-5 / product).toBeCloseTo(1, 6);
  });

  test('eight steps with momentum, which starts over with each new rate', async () => {
    const x = picture(3);
    const c = (await activations(engine(), mixing, x, { layers: ['mix'] })).get('mix')!.data;
    const seen = await run(mixing, x, { layer: 'mix', settings, seed: 5 });
    expect(seen).toHaveLength(9);
    // The first error tells where the noise started: the twin takes its own steps from the same seed.
    const { NumpyRandom } = await import('../../src/image/numpy_random.ts');
    const noise = new NumpyRandom(5);
    let z = Float64Array.from({ length: count }, () => noise.normal());
    const length = norm(z);
    z = z.map((value) => value / length);
    let v = new Float64Array(count);
    for (let step = 0; step <= settings.steps; step++) {
      const { code, gradient } = energy(z, c);
      expect(seen[step]!.errors[0]! / Math.sqrt(code)).toBeCloseTo(1, 4);
      const { rate, fresh } = inversionRate(settings, step);
      if (fresh) v = new Float64Array(count);
      v = v.map((value, i) => 0.9 * value + gradient[i]!);
      z = z.map((value, i) => value - rate * v[i]!);
    }
  });
});

test('rates fall twice, and deeper layers are smoothed more', () => {
  const settings = { steps: 400, rate: stableRate(1) };
  const at = (step: number): string => `${inversionRate(settings, step).rate.toPrecision(1)} ${inversionRate(settings, step).fresh}`;
  expect([0, 99, 100, 101, 299, 300, 399].map(at)).toEqual(['0.004 false', '0.004 false', '0.0004 true', '0.0004 false', '0.0004 false', '0.00004 true', '0.00004 false']);
  expect([10, 100].map(stableRate)).toEqual([0.004, 0.0011875]);
  const deep = network({ x: [1, 3] }, Array.from({ length: 6 }, (_, i) => node(`r${i}`, 'relu', [i === 0 ? 'x' : `r${i - 1}.y`])));
  expect(deep.nodes.map(({ name }) => variationAt(deep, name))).toEqual([1, 1, 10, 10, 100, 100]);
});

test('a heavy total variation stays stable, and a picture that is not finite is no result', async () => {
  const seen = await run(mixing, picture(1), { layer: 'mix', settings: { alpha: 0, variation: 100, restarts: 1, steps: 100 } });
  const { x, rate } = seen.at(-1)!.result!;
  expect(rate).toBe(stableRate(100));
  expect(x.data.every(Number.isFinite)).toBe(true);
  // Clipped, the code is finite whatever the picture has become.
  const clipped: Network = { ...mixing, nodes: [...mixing.nodes, node('cut', 'clip', ['mix.y'], { min: -10, max: 10 })] };
  await expect(run(clipped, picture(1), { layer: 'cut', settings: { alpha: 0, variation: 100, restarts: 1, steps: 400, rate: 0.4 } })).rejects.toMatchObject({ code: 'not-finite' });
});

test('what cannot be inverted is refused', async () => {
  const before = engine().memory();
  const silent: Network = { ...mixing, nodes: [...mixing.nodes, node('cut', 'clip', ['mix.y'], { min: 0, max: 0 })] };
  await expect(run(silent, picture(1), { layer: 'cut' })).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('0 everywhere') as string });
  await expect(run(mixing, picture(1), { layer: 'mixx' })).rejects.toMatchObject({ code: 'unknown-layer' });
  await expect(run(mixing, picture(1), { layer: 'mix', settings: { beta: 0.5 } })).rejects.toThrow('beta must be a number from 1');
  await expect(run(mixing, picture(1), { layer: 'mix', settings: { rate: 1e6, steps: 40 } })).rejects.toMatchObject({ code: 'not-finite' });
  const stop = new AbortController();
  stop.abort();
  await expect(run(mixing, picture(1), { layer: 'mix', signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
  expect(engine().memory()).toEqual(before);
});
