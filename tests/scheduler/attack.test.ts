/** The kernels of an attack against plain loops, to the bit where they are exact, and bugs planted in them. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { recordAttackLoss, recordPerturb, recordSignStep } from '../../src/scheduler/attack.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { filled, mismatches, numbers, random, Sum } from '../ops/reference.ts';

const engine = useEngine();
type Mutate = (code: string) => string;

const words = (values: readonly number[]): Tensor => ({ shape: [values.length], data: new Float32Array(Uint32Array.from(values).buffer) });

async function expectCaught(check: (mutate: Mutate) => Promise<string[]>, find: string, replace: string): Promise<void> {
  let changed = false;
  const found = await check((code) => {
    changed ||= code.includes(find);
    return code.replaceAll(find, replace);
  }).catch((error: Error) => {
    if (!error.message.includes('past the end')) throw error;
    return [error.message];
  });
  expect(changed, `'${find}' is not in the kernel`).toBe(true);
  expect(found, `'${replace}' for '${find}' was not noticed`).not.toEqual([]);
}

type Size = readonly [batch: number, channels: number, height: number, width: number];
const SIZES: readonly Size[] = [[1, 3, 5, 7], [2, 1, 1, 1], [3, 4, 8, 4], [5, 3, 9, 13]];

describe('perturb', () => {
  const SCALE = [1 / 58.4, 1 / 57.1, 0.25, 2];
  async function check([batch, channels, height, width]: Size, mutate?: Mutate): Promise<string[]> {
    const scale = SCALE.slice(0, channels);
    const picture = random([1, channels, height, width], 1, -3, 3);
    const change = random([batch, channels, height, width], 2, -16, 16);
    const builder = new PlanBuilder('perturb', batch, engine().capabilities);
    const tensors = { picture: builder.persistent('picture', picture.shape), change: builder.persistent('change', change.shape), x: builder.persistent('x', change.shape) };
    recordPerturb(builder.recorder('present', 'layer', 'perturb'), tensors, scale);
    const { tensors: read } = await runGuarded(engine(), builder.build(), { picture, change }, ['x'], { mutate });
    const twin = new Sum(change.shape);
    change.data.forEach((d, i) => {
      const at = i % picture.data.length;
      twin.add(i, picture.data[at]);
      twin.add(i, scale[Math.floor(at / (height * width))] * d);
    });
    return mismatches('x', read.get('x')!, twin);
  }
  test.each(SIZES)('%i x %i x %i x %i', async (...size) => expect(await check(size)).toEqual([]));
  test.each([
    ['c == 1u', 'c == 9u'],
    ['open + scale', 'open - scale'],
    ['let c = i / 117u', 'let c = i / 116u'],
    ['n < 5u', 'n < 4u'],
  ])('a planted bug is seen: %s -> %s', (find, replace) => expectCaught((mutate) => check(SIZES[3], mutate), find, replace));

  test('no change is none to the bit', async () => {
    const picture = random([1, 3, 4, 5], 3);
    const builder = new PlanBuilder('perturb', 2, engine().capabilities);
    const tensors = { picture: builder.persistent('picture', picture.shape), change: builder.persistent('change', [2, 3, 4, 5]), x: builder.persistent('x', [2, 3, 4, 5]) };
    recordPerturb(builder.recorder('present', 'layer', 'perturb'), tensors, SCALE.slice(0, 3));
    const { tensors: read } = await runGuarded(engine(), builder.build(), { picture, change: filled([2, 3, 4, 5], () => 0) }, ['x']);
    expect(read.get('x')!.data).toEqual(Float32Array.of(...picture.data, ...picture.data));
  });
});

describe('sign step', () => {
  const BALLS = [2, 0.3, 255, 8, 1];
  const STEPS = [0.5, -0.7, 300, 2, 1e-3];
  /** Gradients of every kind of number, pixels at both ends, changes within, at and beyond the ball. */
  async function check([batch, ...size]: Size, mutate?: Mutate): Promise<string[]> {
    const [levels, picture] = [random([1, ...size], 1, 0, 255), size.reduce((a, b) => a * b, 1)];
    levels.data.forEach((_, i) => (levels.data[i] = [0, 255, levels.data[i], Math.round(levels.data[i]), 254.5][i % 5]));
    const dx = random([batch, ...size], 2);
    dx.data.forEach((_, i) => (dx.data[i] = [dx.data[i], 0, -0, 1e-30, -1e30, NaN, -Infinity, Infinity, dx.data[i]][i % 9]));
    const change = random([batch, ...size], 3, -3, 3);
    const reach = filled([batch, 2], (i) => (i % 2 === 0 ? BALLS : STEPS)[i >> 1]);
    const builder = new PlanBuilder('step', batch, engine().capabilities);
    const tensors = { levels: builder.persistent('levels', levels.shape), dx: builder.persistent('dx', dx.shape), change: builder.persistent('change', change.shape), reach: builder.persistent('reach', reach.shape) };
    recordSignStep(builder.recorder('step', 'layer', 'step'), tensors);
    const { tensors: read } = await runGuarded(engine(), builder.build(), { levels, dx, change, reach }, ['change'], { mutate });
    const twin = Sum.of(change.shape, (i) => {
      const [ball, step] = [reach.data[2 * Math.floor(i / picture)], reach.data[2 * Math.floor(i / picture) + 1]];
      const [p, g] = [levels.data[i % picture], dx.data[i]];
      const moved = Math.fround(change.data[i] + (g > 0 ? step : g < 0 ? -step : 0));
      const [low, high] = [Math.max(-ball, -p), Math.min(ball, Math.fround(255 - p))];
      return Math.min(Math.max(moved, low), high);
    });
    return mismatches('change', read.get('change')!, twin, { exact: true });
  }
  test.each(SIZES)('%i x %i x %i x %i', async (...size) => expect(await check(size)).toEqual([]));
  test.each([
    ['slope < 0.0', 'slope <= 0.0'],
    ['slope > 0.0', 'slope >= 0.0'],
    ['-reach[n].y', 'reach[n].y'],
    ['max(-ball, -level)', '-ball'],
    ['min(ball, 255.0 - level)', 'ball'],
    ['255.0 - level', '256.0 - level'],
    ['d[at] + step', 'step'],
    ['let ball = reach[n].x', 'let ball = reach[0].x'],
    ['n < 5u', 'n < 4u'],
  ])('a planted bug is seen: %s -> %s', (find, replace) => expectCaught((mutate) => check(SIZES[3], mutate), find, replace));
});

describe('margin', () => {
  interface Case { readonly logits: Tensor; readonly labels: readonly number[] }
  interface Outcome { readonly rows: number[][]; readonly gradient: number[][] }

  async function run({ logits, labels }: Case, mutate?: Mutate): Promise<Outcome> {
    const [images, classes] = [labels.length, logits.data.length / labels.length];
    const builder = new PlanBuilder('margin', images, engine().capabilities);
    const tensors = {
      logits: builder.persistent('logits', logits.shape),
      labels: builder.persistent('labels', [images], 'u32'),
      gradient: builder.persistent('gradient', logits.shape),
      rows: builder.persistent('rows', [images, 4]),
    };
    recordAttackLoss(builder.recorder('loss', 'layer', 'loss'), 'margin', tensors);
    const { tensors: read } = await runGuarded(engine(), builder.build(), { logits, labels: words(labels) }, ['gradient', 'rows'], { mutate });
    const cut = (name: string, width: number): number[][] => Array.from({ length: images }, (_, n) => [...read.get(name)!.data.subarray(n * width, (n + 1) * width)]);
    return { rows: cut('rows', 4), gradient: cut('gradient', classes) };
  }

  /** J, its gradient, and whether the label is the first of the largest. */
  function twin(row: readonly number[], label: number): { loss: number; gradient: number[]; wins: boolean } {
    const others = row.map((value, k) => (k === label ? -Infinity : value));
    const other = others.indexOf(Math.max(...others));
    if (row.length === 1) return { loss: 0, gradient: [0], wins: true };
    return { loss: row[other] - row[label], gradient: row.map((_, k) => (k === other ? 1 : k === label ? -1 : 0)), wins: row.indexOf(Math.max(...row)) === label };
  }

  async function check(c: Case, mutate?: Mutate): Promise<string[]> {
    const { rows, gradient } = await run(c, mutate);
    const classes = c.logits.data.length / c.labels.length;
    return c.labels.flatMap((label, n) => {
      const wanted = twin([...c.logits.data.subarray(n * classes, (n + 1) * classes)], label);
      const row = [Math.fround(wanted.loss), Number(wanted.wins), 0, 0];
      return [...(`${rows[n]}` === `${row}` ? [] : [`row ${n} is ${rows[n]}, not ${row}`]), ...(`${gradient[n].map((v) => v + 0)}` === `${wanted.gradient}` ? [] : [`gradient ${n} is ${gradient[n]}`])];
    });
  }

  /** Every second image has ties: of the largest, and of the label with another. */
  function caseOf(images: number, classes: number, shape: readonly number[] = [images, classes]): Case {
    const { integer } = numbers(5);
    const labels = Array.from({ length: images }, () => integer(0, classes - 1));
    const logits = random(shape, 7, -9, 9);
    labels.forEach((label, n) => {
      if (n % 2 === 0) return;
      for (const k of [0, classes >> 1, label, classes - 1]) logits.data[n * classes + k] = 9.5;
    });
    return { logits, labels };
  }

  test.each([[1, 2], [3, 1], [7, 7], [70, 10], [4, 1000]])('%i images of %i classes', async (images, classes) => {
    expect(await check(caseOf(images, classes))).toEqual([]);
  });
  test('scores with axes of one behind the classes', async () => expect(await check(caseOf(3, 5, [3, 5, 1, 1]))).toEqual([]));

  test('central differences of the twin', () => {
    const x = [...random([1, 9], 3, -4, 4).data];
    const direction = [...random([1, 9], 4).data];
    const at = (h: number): number => twin(x.map((v, k) => v + h * direction[k]), 4).loss;
    const slope = twin(x, 4).gradient.reduce((sum, g, k) => sum + g * direction[k], 0);
    expect((at(1e-5) - at(-1e-5)) / 2e-5).toBeCloseTo(slope, 8);
  });

  test('what is no number and what is no class are told; the others are not touched by them', async () => {
    const { logits, labels } = caseOf(4, 6);
    logits.data[6 + 2] = NaN;
    logits.data[12 + 5] = Infinity;
    const { rows, gradient } = await run({ logits, labels: [labels[0], 0, 1, 6] });
    expect(rows.map((row) => row[2])).toEqual([0, 1, 1, 1]);
    expect(gradient[3]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test.each([
    ['v > lead', 'v >= lead'],
    ['k != label && ', ''],
    ['gradient[first + label] = -1.0', 'gradient[first + label] = 1.0'],
    ['label < other', 'label > other'],
    ['gradient[first + k] = 0.0;', ''],
    ['lead - own', 'own - lead'],
    ['k < 7u', 'k < 6u'],
  ])('a planted bug is seen: %s -> %s', (find, replace) => expectCaught((mutate) => check(caseOf(9, 7), mutate), find, replace));
});

test('cross-entropy: gradient and rows point where a class becomes less likely', async () => {
  const logits = random([2, 5], 3, -2, 2);
  const labels = [1, 4];
  const builder = new PlanBuilder('loss', 2, engine().capabilities);
  const tensors = {
    logits: builder.persistent('logits', logits.shape), labels: builder.persistent('labels', [2], 'u32'),
    gradient: builder.persistent('gradient', logits.shape), rows: builder.persistent('rows', [2, 4]),
  };
  recordAttackLoss(builder.recorder('loss', 'layer', 'loss'), 'cross-entropy', tensors);
  const { tensors: read } = await runGuarded(engine(), builder.build(), { logits, labels: words(labels) }, ['gradient', 'rows']);
  labels.forEach((label, n) => {
    const exps = [...logits.data.subarray(5 * n, 5 * n + 5)].map(Math.exp);
    const total = exps.reduce((a, b) => a + b, 0);
    expect(read.get('rows')!.data[4 * n]).toBeCloseTo(-Math.log(exps[label] / total), 5);
    exps.forEach((value, k) => expect(read.get('gradient')!.data[5 * n + k]).toBeCloseTo((value / total - Number(k === label)) / 2, 6));
  });
});
