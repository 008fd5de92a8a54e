import { beforeAll, describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { recordLoss } from '../../src/scheduler/loss.ts';
import { tf } from '../formats/tfjs-models.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { dot, filled, mismatches, numbers, random, Sum } from '../ops/reference.ts';

const engine = useEngine();

interface Case {
  readonly logits: Tensor;
  readonly labels: readonly number[];
  readonly smoothing?: number;
  /** What was there before. */
  readonly tally?: readonly number[];
  readonly halt?: readonly number[];
}

interface Outcome {
  readonly gradient: Tensor;
  readonly tally: Tensor;
  readonly halt: readonly number[];
}

const STEP = 41;
const words = (values: readonly number[]): Tensor => ({ shape: [values.length], data: new Float32Array(Uint32Array.from(values).buffer) });

async function run({ logits, labels, smoothing = 0, tally = [0, 0, 0, 0], halt = [0, 0] }: Case, mutate?: (code: string) => string): Promise<Outcome> {
  const builder = new PlanBuilder('loss', labels.length, engine().capabilities);
  const tensors = {
    logits: builder.persistent('logits', logits.shape),
    labels: builder.persistent('labels', [labels.length], 'u32'),
    gradient: builder.persistent('gradient', logits.shape),
    tally: builder.persistent('tally', [4]),
    halt: builder.persistent('halt', [2], 'u32'),
    clock: builder.persistent('clock', [4], 'u32'),
  };
  recordLoss(builder.recorder('loss', 'layer', 'loss'), builder.recorder('loss', 'layer', 'loss'), tensors, { smoothing });
  const given = { logits, labels: words(labels), tally: { shape: [4], data: Float32Array.from(tally) }, halt: words(halt), clock: words([STEP, 0, 0, 0]) };
  const { tensors: read } = await runGuarded(engine(), builder.build(), given, ['gradient', 'tally', 'halt'], { mutate });
  return { gradient: read.get('gradient')!, tally: read.get('tally')!, halt: [...new Uint32Array(read.get('halt')!.data.buffer)] };
}

/** Mean of -sum of t ln p, its gradient (p - t) / N, and the number of right answers. */
function twin({ shape }: Tensor, x: ArrayLike<number>, labels: readonly number[], smoothing = 0): { mean: number; correct: number; gradient: Sum } {
  const [N, K] = shape as [number, number];
  const gradient = new Sum(shape);
  let [mean, correct] = [0, 0];
  labels.forEach((label, n) => {
    const row = Array.from({ length: K }, (_, k) => x[n * K + k]!);
    const top = Math.max(...row);
    const sum = row.reduce((all, v) => all + Math.exp(v - top), 0);
    if (row.indexOf(top) === label) correct++;
    row.forEach((v, k) => {
      const target = (k === label ? 1 - smoothing : 0) + smoothing / K;
      if (target > 0) mean -= (target * (v - top - Math.log(sum))) / N;
      gradient.add(n * K + k, Math.exp(v - top) / sum / N);
      // exp may be wrong by 3 + 2 |argument| units.
      gradient.magnitudes[n * K + k]! *= 1 + Math.min(100, top - v) / 2;
      gradient.add(n * K + k, -target / N);
      gradient.terms[n * K + k] = K + 2;
    });
  });
  return { mean, correct, gradient };
}

async function differences(c: Case, mutate?: (code: string) => string): Promise<string[]> {
  const found = await run(c, mutate);
  const { mean, correct, gradient } = twin(c.logits, c.logits.data, c.labels, c.smoothing);
  const before = c.tally ?? [0, 0, 0, 0];
  const tally = new Sum([4]);
  [mean, correct, c.labels.length, 1].forEach((value, i) => {
    tally.add(i, before[i]!);
    tally.add(i, value);
  });
  tally.terms[0] = c.logits.shape[1]! + c.labels.length;
  tally.magnitudes[0]! += 1;
  return [
    ...mismatches('gradient', found.gradient, gradient),
    ...mismatches('tally', found.tally, tally),
    ...(`${found.halt}` === '0,0' ? [] : [`halt is ${found.halt}`]),
  ];
}

const labelsOf = (images: number, classes: number): number[] => {
  const { integer } = numbers(9);
  return Array.from({ length: images }, () => integer(0, classes - 1));
};

describe('cross-entropy against plain loops', () => {
  test.each([
    { images: 1, classes: 2, smoothing: 0 },
    { images: 3, classes: 1, smoothing: 0 },
    { images: 5, classes: 7, smoothing: 0.1 },
    { images: 32, classes: 16, smoothing: 0.1 },
    { images: 67, classes: 13, smoothing: 0 },
    { images: 130, classes: 9, smoothing: 0.5 },
    { images: 2, classes: 1000, smoothing: 0.1 },
  ])('$images images, $classes classes, smoothing $smoothing', async ({ images, classes, smoothing }) => {
    expect(await differences({ logits: random([images, classes], 1, -4, 4), labels: labelsOf(images, classes), smoothing })).toEqual([]);
  });

  test.each([
    ['huge', (i: number) => 1e4 + (i % 5)],
    ['hugely negative', (i: number) => -1e4 - (i % 5)],
    ['far apart', (i: number) => (i % 3) * 1e4 - 1e4],
    ['all equal', () => 42],
  ])('%s logits', async (_, value) => {
    expect(await differences({ logits: filled([4, 11], value), labels: [0, 3, 5, 10], smoothing: 0.1, tally: [7, 3, 12, 2] })).toEqual([]);
  });

  test('of equal logits the first one is the answer', async () => {
    const logits = filled([3, 20], (i) => ([3, 7, 12].includes(i % 20) ? 2 : 1));
    expect((await run({ logits, labels: [3, 7, 12] })).tally.data[1]).toBe(1);
  });

  test('equal runs give equal bits', async () => {
    const c = { logits: random([97, 10], 3, -3, 3), labels: labelsOf(97, 10), smoothing: 0.1 };
    const [a, b] = [await run(c), await run(c)];
    expect(a).toEqual(b);
  });
});

describe('the step halts', () => {
  const logits = (changed: Readonly<Record<number, number>>): Tensor => filled([3, 5], (i) => changed[i] ?? i % 4);
  const kept = [5, 4, 9, 2];

  test.each<[string, Tensor, readonly number[]]>([
    ['for NaN', logits({ 7: NaN }), [0, 1, 2]],
    ['for NaN in front', logits({ 5: NaN }), [0, 1, 2]],
    ['for NaN of the label', logits({ 6: NaN }), [0, 1, 2]],
    ['for an infinite logit', logits({ 14: Infinity }), [0, 1, 2]],
    ['for a label without a chance', logits({ 1: -Infinity }), [1, 1, 1]],
    ['for a loss past the largest number', logits({ 0: 3e38, 1: -3e38 }), [1, 1, 1]],
    ['for a label past the last class', logits({}), [0, 5, 1]],
    ['for a label far past the last class', logits({}), [0, 4294967295, 1]],
  ])('%s, and tallies nothing', async (_, x, labels) => {
    const found = await run({ logits: x, labels, tally: kept, smoothing: 0.1 });
    expect(found.halt).toEqual([1, STEP]);
    expect([...found.tally.data]).toEqual(kept);
  });

  test('once: it stays the first such step', async () => {
    for (const x of [logits({ 2: NaN }), logits({})]) {
      const found = await run({ logits: x, labels: [0, 1, 2], halt: [1, 7], tally: kept });
      expect(found.halt).toEqual([1, 7]);
      expect([...found.tally.data]).toEqual(kept);
    }
  });
});

test('central differences of the twin', () => {
  const logits = random([4, 6], 5, -2, 2);
  const labels = [0, 5, 2, 2];
  const direction = random([4, 6], 6).data;
  const at = (h: number): number => twin(logits, Float64Array.from(logits.data, (v, i) => v + h * direction[i]!), labels, 0.2).mean;
  const product = dot(twin(logits, logits.data, labels, 0.2).gradient.values, direction).value;
  expect((at(1e-5) - at(-1e-5)) / 2e-5).toBeCloseTo(product, 8);
});

describe('against TensorFlow.js', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test.each([0, 0.1])('loss and gradient, smoothing %d', async (smoothing) => {
    const logits = random([9, 16], 1, -4, 4);
    const labels = labelsOf(9, 16);
    const oneHot = tf.oneHot(tf.tensor1d(labels, 'int32'), 16);
    const loss = (x: tf.Tensor): tf.Scalar => tf.losses.softmaxCrossEntropy(oneHot, x, undefined, smoothing);
    const { value, grad } = tf.valueAndGrad(loss)(tf.tensor(logits.data, [9, 16]));
    const found = await run({ logits, labels, smoothing });
    expect(found.tally.data[0]).toBeCloseTo(value.dataSync()[0]!, 5);
    const expected = grad.dataSync();
    expect(Math.max(...found.gradient.data.map((g, i) => Math.abs(g - expected[i]!)))).toBeLessThan(1e-6);
  });
});

test.each([-0.1, 1, NaN])('smoothing of %d is refused', async (smoothing) => {
  await expect(run({ logits: random([1, 2], 1), labels: [0], smoothing })).rejects.toMatchObject({ code: 'usage' });
});

describe('a planted bug is noticed', () => {
  test.each<[string, RegExp, string]>([
    ['the maximum is not subtracted', /x\[([^\]]+)\] - top/g, 'x[$1]'],
    ['the last of equal logits wins', /v > top/g, 'v >= top'],
    ['the smoothing is left out of the loss', / - \S+ \* total/, ''],
    ['the target is left out of the gradient', /exp\(lead\) \* share - \S+;/, 'exp(lead) * share;'],
    ['the gradient is a sum, not a mean', /sum \* \(67\.0f\)/, 'sum'],
    ['images past the workgroup are forgotten', /n < 67u/, 'n < 64u'],
    ['the last part is forgotten', /part < 64u/, 'part < 63u'],
    ['the sum of the losses is not divided', /sum\.x \* \S+;/, 'sum.x;'],
    ['steps are not counted', /tally\[3\] \+= 1\.0/, 'tally[3] += 0.0'],
  ])('%s', async (_, find, replace) => {
    let changed = 0;
    const mutate = (code: string): string => {
      const mutated = code.replace(find, replace);
      if (mutated !== code) changed++;
      return mutated;
    };
    const logits = filled([67, 12], (i) => 100 + ((i * 7) % 5));
    // The first of the largest logits, or another one.
    const labels = labelsOf(67, 12).map((label, n) => (n % 3 ? logits.data.subarray(12 * n, 12 * n + 12).indexOf(104) : label));
    const found = await differences({ logits, labels, smoothing: 0.1, tally: [1, 2, 3, 4] }, mutate);
    expect(changed).toBeGreaterThan(0);
    expect(found).not.toEqual([]);
  });
});
