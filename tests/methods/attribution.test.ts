/** Every form of attribution against float64 loops over the same small network. */
import { describe, expect, test } from 'vitest';
import { NumpyRandom } from '../../src/image/numpy_random.ts';
import { blurPlane } from '../../src/image/plane.ts';
import { attribute, type AttributeOptions, type Attribution } from '../../src/methods/attribution.ts';
import { CLASSIC_MODES, type BackwardMode } from '../../src/methods/backward_mode.ts';
import { baselineOf } from '../../src/methods/baseline.ts';
import { parseTarget } from '../../src/methods/target.ts';
import type { Tensor } from '../../src/network/network.ts';
import { receptiveFields, type ReceptiveField } from '../../src/ops/receptive_field.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';
import { forwardTwin, gradientTwin, picture, small } from './attribution_twin.ts';

const engine = useEngine();
const x = picture();
const { saliency, guided } = CLASSIC_MODES;

const attributed = (options: AttributeOptions, input: Tensor = x): Promise<Attribution> => attribute(engine(), small, input, options);
const unit = (text: string, whole = false) => parseTarget(small, text, whole);

/** Float32 against float64, of the largest value. */
function expectNear(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 2e-5): void {
  const scale = Array.from(wanted).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(scale).toBeGreaterThan(0);
  expect(actual.length).toBe(wanted.length);
  const worst = Array.from(wanted).reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
  expect(worst / scale).toBeLessThanOrEqual(tolerance);
}

const onOff = [true, false];
const MODES = onOff.flatMap((mask) => onOff.flatMap((rectify) => onOff.flatMap((switches) => (['true', 'identity'] as const).map((lrn): BackwardMode => ({ mask, rectify, switches, lrn })))));

describe('the modes of the backward pass', () => {
  test.each(MODES)('mask $mask, rectify $rectify, switches $switches, lrn $lrn', async (mode) => {
    const { values, score } = await attributed({ form: 'gradient', target: unit('scores:2'), mode });
    const twin = gradientTwin(x.data, { layer: 'scores', channel: 2 }, mode);
    expectNear(values.data, twin.gradients.get('x')!);
    expect(score).toBeCloseTo(twin.score, 4);
  });

  test('are all different', () => {
    const found = MODES.map((mode) => gradientTwin(x.data, { layer: 'scores', channel: 2 }, mode).gradients.get('x')!.join());
    expect(new Set(found).size).toBe(16);
  });
});

describe('targets', () => {
  test('without one: the class with the largest logit', async () => {
    const { name, target, score } = await attributed({ form: 'gradient' });
    const scores = forwardTwin(x.data).get('scores')!;
    expect(score).toBeCloseTo(Math.max(...scores), 4);
    expect(target.unit.channel).toBe(scores.indexOf(Math.max(...scores)));
    expect(name).toBe(`scores:${target.unit.channel}`);
  });

  test('a whole channel, seeded with its own activations', async () => {
    const { values, score, name } = await attributed({ form: 'gradient', target: unit('conv2:3', true), mode: guided });
    const twin = gradientTwin(x.data, { layer: 'conv2', channel: 3, whole: true }, guided);
    expectNear(values.data, twin.gradients.get('x')!);
    expect(score / twin.score).toBeCloseTo(1, 5);
    expect(name).toBe('conv2:3');
  });

  test('of a whole channel no place is named', () => expect(() => unit('conv2:3@1,1', true)).toThrow('whole channel'));

  test('nothing outside the receptive field of a unit speaks for it', async () => {
    const net = network({ x: [1, 3, 26, 22] }, [
      convolution('a', 'x', [4, 3, 3], 1),
      node('r', 'relu', ['a.y']),
      node('p', 'max_pool', ['r.y'], { kernel: [3, 3], stride: [2, 2] }),
      node('n', 'lrn', ['p.y']),
      convolution('b', 'n.y', [4, 4, 3], 3),
    ]);
    const field = receptiveFields(net).get('b.y')!.get('x') as ReceptiveField;
    const input = random([1, 3, 26, 22], 5);
    for (const mode of [CLASSIC_MODES.deconvnet, { mask: false, rectify: false, switches: false, lrn: 'identity' } as const]) {
      const { values } = await attribute(engine(), net, input, { form: 'gradient', target: parseTarget(net, 'b:1@4,6'), mode });
      const sees = (i: number): boolean => {
        const [y, column] = [Math.floor(i / 22) % 26, i % 22];
        const away = [y - (field.offset[0] + 4 * field.stride[0]), column - (field.offset[1] + 6 * field.stride[1])];
        return away.every((d, axis) => Math.abs(d) <= (field.size[axis]! - 1) / 2);
      };
      expect(field.size).toEqual([9, 9]);
      expect(values.data.filter((value, i) => value !== 0 && !sees(i))).toHaveLength(0);
      expect(values.data.filter((value, i) => value !== 0 && sees(i)).length).toBeGreaterThan(20);
    }
  });
});

describe('forms', () => {
  const target = unit('scores:2');
  const at = (input: ArrayLike<number>, mode: BackwardMode = saliency) => gradientTwin(input, { layer: 'scores', channel: 2 }, mode);

  test('gradient times input', async () => {
    const { values } = await attributed({ form: 'gradient-input', target });
    expectNear(values.data, at(x.data).gradients.get('x')!.map((g, i) => g * x.data[i]!));
  });

  test('smoothgrad is the mean over numpy\'s noise', async () => {
    const { values, score, gradients } = await attributed({ form: 'smoothgrad', target, samples: 5, sigma: 0.2, seed: 7, batch: 2 });
    const noise = new NumpyRandom(7);
    const std = 0.2 * (Math.max(...x.data) - Math.min(...x.data));
    const sum = new Float64Array(x.data.length);
    for (let n = 0; n < 5; n++) at(x.data.map((value) => value + noise.normal(0, std))).gradients.get('x')!.forEach((g, i) => (sum[i]! += g / 5));
    expectNear(values.data, sum);
    expect(score).toBeCloseTo(at(x.data).score, 4);
    expect(gradients).toBe(6);
  });

  test('smoothgrad without noise is the gradient; one seed gives the same bits, another others', async () => {
    const plain = await attributed({ form: 'gradient', target, mode: guided });
    // One at a time: a batch may run on other kernels, which round otherwise.
    const still = await attributed({ form: 'smoothgrad', target, mode: guided, samples: 7, sigma: 0, batch: 1 });
    expect(still.values.data).toEqual(plain.values.data);
    const noisy = (seed: number) => attributed({ form: 'smoothgrad', target, samples: 6, seed, batch: 4 });
    const [one, again, other] = [await noisy(3), await noisy(3), await noisy(4)];
    expect(again.values.data).toEqual(one.values.data);
    expect(other.values.data).not.toEqual(one.values.data);
  });

  test('integrated gradients follow the path, and add up to the score', async () => {
    const steps = 16;
    const few = await attributed({ form: 'integrated', target, steps, batch: 6 });
    const sum = new Float64Array(x.data.length);
    for (let n = 0; n < steps; n++) at(x.data.map((value) => (value * (n + 0.5)) / steps)).gradients.get('x')!.forEach((g, i) => (sum[i]! += (g / steps) * x.data[i]!));
    expectNear(few.values.data, sum);
    const difference = at(x.data).score - at(x.data.map(() => 0)).score;
    expect(few.completeness!.difference).toBeCloseTo(difference, 4);
    expect(few.completeness!.sum).toBeCloseTo(sum.reduce((a, b) => a + b, 0), 4);
    expect(few.completeness!.gap).toBeCloseTo(Math.abs(few.completeness!.sum - difference) / Math.abs(difference), 4);
  });

  test('integrated gradients are complete: they add up to what they explain', async () => {
    const { completeness } = await attributed({ form: 'integrated', target: unit('scores:3'), steps: 2400, baseline: 'white', batch: 128 });
    expect(completeness!.gap).toBeLessThanOrEqual(1e-3);
  });

  test('baselines', () => {
    const { shape, data } = x;
    const { preprocess } = small;
    expect(baselineOf('zero', x, {}).every((value) => value === 0)).toBe(true);
    const pixel = (value: number) => data.map((_, i) => (value - preprocess!.mean[Math.floor(i / 80)]!) / preprocess!.std[Math.floor(i / 80)]!);
    const [black, white] = [pixel(0), pixel(1)];
    baselineOf('black', x, { preprocess }).forEach((value, i) => expect(value).toBeCloseTo(black[i]!, 5));
    baselineOf('white', x, { preprocess }).forEach((value, i) => expect(value).toBeCloseTo(white[i]!, 5));
    const blurred = baselineOf('blur', { shape, data }, {});
    expect([...blurred.subarray(80, 160)]).toEqual([...blurPlane(data.subarray(80, 160), 8, 10, 0.8)]);
  });

  test('integrated gradients of a whole channel are complete', async () => {
    const { completeness, score } = await attributed({ form: 'integrated', target: unit('norm:2', true), steps: 600, batch: 128 });
    expect(completeness!.gap).toBeLessThanOrEqual(1e-3);
    expect(score).toBeGreaterThan(0);
  });

  /** Grad-CAM of a layer with w x h maps, enlarged to 8 x 10: bilinear between centres. */
  function camTwin(layer: string, [w, h]: readonly [number, number]): { cam: number[]; enlarged: number[] } {
    const activations = forwardTwin(x.data).get(layer)!;
    const gradient = at(x.data).gradients.get(layer)!;
    const cam = Array.from({ length: w * h }, (_, place) => {
      let sum = 0;
      for (let k = 0; k < activations.length / (w * h); k++) sum += (gradient.subarray(k * w * h, (k + 1) * w * h).reduce((a, b) => a + b, 0) / (w * h)) * activations[k * w * h + place]!;
      return Math.max(0, sum);
    });
    const read = (row: number, column: number): number => cam[Math.min(Math.max(row, 0), h - 1) * w + Math.min(Math.max(column, 0), w - 1)]!;
    const enlarged = Array.from({ length: 80 }, (_, i) => {
      const [y, column] = [((Math.floor(i / 8) + 0.5) * h) / 10 - 0.5, (((i % 8) + 0.5) * w) / 8 - 0.5];
      const [y0, x0] = [Math.floor(y), Math.floor(column)];
      const [v, u] = [y - y0, column - x0];
      return read(y0, x0) * (1 - v) * (1 - u) + read(y0, x0 + 1) * (1 - v) * u + read(y0 + 1, x0) * v * (1 - u) + read(y0 + 1, x0 + 1) * v * u;
    });
    return { cam, enlarged };
  }

  test.each([['relu2', [4, 5], undefined], ['relu1', [8, 10], 'relu1'], ['norm', [4, 5], 'norm.y']] as const)('grad-cam of %s', async (layer, size, asked) => {
    const { map, values, evidence, score } = await attributed({ form: 'grad-cam', target, evidence: asked });
    const twin = camTwin(layer, size);
    expect(evidence).toBe(layer);
    expect(map!.shape).toEqual([1, 1, size[1], size[0]]);
    expectNear(map!.data, twin.cam);
    expect(values.shape).toEqual([1, 1, 10, 8]);
    expectNear(values.data, twin.enlarged);
    expect(score).toBeCloseTo(at(x.data).score, 4);
  });

  test('guided grad-cam is the guided gradient times that, or that of any other mode', async () => {
    const { enlarged } = camTwin('relu2', [4, 5]);
    for (const mode of [undefined, { ...CLASSIC_MODES.deconvnet, switches: false }]) {
      const { values } = await attributed({ form: 'guided-grad-cam', target, mode });
      expectNear(values.data, at(x.data, mode ?? guided).gradients.get('x')!.map((g, i) => g * enlarged[i % 80]!));
    }
  });
});

describe('what cannot be is refused by name', () => {
  test.each<[Partial<AttributeOptions>, string]>([
    [{ form: 'grad-cam', evidence: 'scores' }, 'has no maps'],
    [{ form: 'grad-cam', evidence: 'relu2', target: unit('conv2:1') }, "does not depend on 'relu2'"],
    [{ form: 'grad-cam', target: unit('conv1:1') }, 'no layer before'],
    [{ form: 'smoothgrad', samples: 0 }, 'samples must be'],
    [{ form: 'smoothgrad', sigma: -1 }, 'sigma must be'],
    [{ form: 'integrated', steps: 1.5 }, 'steps must be'],
    [{ form: 'integrated', baseline: 'blur', baselineSigma: NaN }, 'standard deviation of a blur'],
    [{ batch: 0 }, 'batch must be'],
  ])('%j', async (options, message) => {
    const before = engine().memory();
    await expect(attributed({ form: 'gradient', ...options })).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(message) as string });
    expect(engine().memory()).toEqual(before);
  });

  test('two pictures, a picture of another size, a network that does not say what black is, a request to stop', async () => {
    const before = engine().memory();
    await expect(attributed({ form: 'gradient' }, random([2, 3, 10, 8], 1))).rejects.toThrow('one picture');
    await expect(attributed({ form: 'gradient' }, random([1, 3, 8, 8], 1))).rejects.toThrow('must be [1, 3, 10, 8]');
    await expect(attribute(engine(), { ...small, preprocess: undefined }, x, { form: 'integrated', baseline: 'black' })).rejects.toThrow('what is black');
    await expect(attributed({ form: 'smoothgrad', samples: 4, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    expect(engine().memory()).toEqual(before);
  });
});
