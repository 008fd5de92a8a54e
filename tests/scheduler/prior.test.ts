/** Priors of images and their gradients against double precision. */
import { describe, expect, test } from 'vitest';
import type { Shape, Tensor } from '../../src/network/network.ts';
import { recordPrior, recordPriorValue, type Prior } from '../../src/scheduler/prior.ts';
import { useEngine } from '../gpu.ts';
import { dot, filled, random } from '../ops/reference.ts';
import { expectBugFound, faultsOf, largest, runRecorded, type Bug, type Recording } from './recorded_run.ts';

const engine = useEngine();

type Size = readonly [number, number, number, number];

/** The prior of one image. */
function valueTwin(x: ArrayLike<number>, [, , height, width]: Size, prior: Prior): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    if (prior.kind === 'alpha_norm') sum += Math.abs(x[i]!) ** prior.alpha;
    else if (prior.kind === 'l1') sum += Math.abs(x[i]! - prior.center);
    else {
      const across = column + 1 < width ? x[i + 1]! - x[i]! : 0;
      const down = row + 1 < height ? x[i + width]! - x[i]! : 0;
      sum += (across * across + down * down) ** (prior.beta / 2);
    }
  }
  return prior.weight * sum;
}

/** Its gradient, by the product rule over the terms of the sum. */
function gradientTwin(x: ArrayLike<number>, [, , height, width]: Size, prior: Prior): Float64Array {
  const dx = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    if (prior.kind === 'alpha_norm') dx[i]! += prior.alpha * Math.abs(x[i]!) ** (prior.alpha - 1) * Math.sign(x[i]!);
    else if (prior.kind === 'l1') dx[i]! += Math.sign(x[i]! - prior.center);
    else {
      const across = column + 1 < width ? x[i + 1]! - x[i]! : 0;
      const down = row + 1 < height ? x[i + width]! - x[i]! : 0;
      const s = across * across + down * down;
      const slope = s === 0 ? 0 : prior.beta * s ** (prior.beta / 2 - 1);
      dx[i]! -= slope * (across + down);
      if (column + 1 < width) dx[i + 1]! += slope * across;
      if (row + 1 < height) dx[i + width]! += slope * down;
    }
  }
  return dx.map((value) => prior.weight * value);
}

const PRIORS: readonly Prior[] = [
  { kind: 'total_variation', beta: 1, weight: 0.5 },
  { kind: 'total_variation', beta: 1.5, weight: 1 },
  { kind: 'total_variation', beta: 2, weight: -0.25 },
  { kind: 'total_variation', beta: 3, weight: 2 },
  { kind: 'alpha_norm', alpha: 6, weight: 2 },
  { kind: 'alpha_norm', alpha: 2.5, weight: 1 },
  { kind: 'alpha_norm', alpha: 1, weight: -1 },
  { kind: 'l1', center: 0.5, weight: -0.05 },
];

/** Some of the priors, for sizes where the borders count. */
const FEW = [PRIORS[0]!, PRIORS[2]!, PRIORS[5]!];

/** Priors over the same images in one plan, each with a gradient and a value of its own. */
function recordingOf(size: Size, priors: readonly Prior[] = PRIORS, image: Tensor = random(size, 1)): Recording {
  return {
    given: { image, ...Object.fromEntries(priors.map((_, k) => [`dimage ${k}`, random(size, 10 + k)])) },
    wanted: Object.fromEntries(priors.flatMap((_, k) => [[`dimage ${k}`, size] as const, [`value ${k}`, [size[0]]] as const])) as Record<string, Shape>,
    record(recorder, tensors) {
      priors.forEach((prior, k) => {
        recordPrior(recorder, { image: tensors.image!, dimage: tensors[`dimage ${k}`]! }, prior);
        recordPriorValue(recorder, { image: tensors.image!, value: tensors[`value ${k}`]! }, prior);
      });
    },
  };
}

function faults(size: Size, priors: readonly Prior[], { given }: Recording, found: Record<string, Float32Array>): string[] {
  const length = given.image!.data.length / size[0];
  return priors.flatMap((prior, k) =>
    Array.from({ length: size[0] }, (_, n) => {
      const part = (values: Float32Array): Float32Array => values.subarray(n * length, (n + 1) * length);
      const x = part(given.image!.data);
      const before = part(given[`dimage ${k}`]!.data);
      const gradient = gradientTwin(x, size, prior);
      const value = valueTwin(x, size, prior);
      return [
        ...faultsOf(`value of ${prior.kind} ${k}, image ${n}`, [found[`value ${k}`]![n]!], [value], 2e-6 * Math.abs(value) + 1e-7),
        ...faultsOf(`gradient of ${prior.kind} ${k}, image ${n}`, part(found[`dimage ${k}`]!), gradient.map((slope, i) => slope + before[i]!), 4e-6 * largest(gradient) + 1e-6),
      ];
    }).flat(),
  );
}

describe('priors of each image, their gradients added to what is there', () => {
  const sizes: readonly { size: Size; priors: readonly Prior[] }[] = [
    { size: [2, 3, 5, 7], priors: PRIORS },
    { size: [1, 1, 1, 1], priors: FEW },
    { size: [3, 1, 1, 9], priors: FEW },
    { size: [1, 2, 8, 1], priors: FEW },
    { size: [1, 3, 40, 33], priors: FEW },
  ];
  test.each(sizes)('$size', async ({ size, priors }) => {
    const recording = recordingOf(size, priors);
    expect(faults(size, priors, recording, await runRecorded(engine(), recording))).toEqual([]);
  });

  test('where they have no derivative, there is no slope, and no NaN', async () => {
    const size = [1, 1, 4, 4] as const;
    const image = filled(size, (i) => (i < 8 ? 0.5 : 0));
    const recording = recordingOf(size, PRIORS, image);
    expect(faults(size, PRIORS, recording, await runRecorded(engine(), recording))).toEqual([]);
  });
});

test.each(PRIORS)("the twin's gradient of $kind is that of its value: $alpha $beta", (prior) => {
  const size = [1, 2, 5, 4] as const;
  const x = Float64Array.from(random(size, 3).data);
  const direction = random(size, 4).data;
  const h = 1e-6;
  const at = (step: number): number => valueTwin(x.map((value, i) => value + step * direction[i]!), size, prior);
  const { value, magnitude } = dot(gradientTwin(x, size, prior), direction);
  expect(Math.abs((at(h) - at(-h)) / (2 * h) - value)).toBeLessThan(1e-7 * magnitude);
});

test.each<[string, Prior]>([
  ['beta', { kind: 'total_variation', beta: 0.5, weight: 1 }],
  ['beta', { kind: 'total_variation', beta: NaN, weight: 1 }],
  ['alpha', { kind: 'alpha_norm', alpha: 0, weight: 1 }],
  ['center', { kind: 'l1', center: Infinity, weight: 1 }],
  ['weight', { kind: 'l1', center: 0, weight: NaN }],
])('a bad %s is refused: %j', (attribute, prior) => expect(runRecorded(engine(), recordingOf([1, 1, 2, 2], [prior]))).rejects.toMatchObject({ code: 'usage', address: { attribute } }));

test('a gradient or values of another shape are refused', async () => {
  const recording = recordingOf([2, 1, 2, 2], PRIORS.slice(0, 1));
  const shaped = (name: string, shape: Shape): Recording => ({ ...recording, given: { image: recording.given.image! }, wanted: { ...recording.wanted, [name]: shape } });
  await expect(runRecorded(engine(), shaped('dimage 0', [2, 1, 4]))).rejects.toMatchObject({ code: 'usage' });
  await expect(runRecorded(engine(), shaped('value 0', [1]))).rejects.toMatchObject({ code: 'usage' });
});

describe('a planted bug is noticed', () => {
  const [, rough, square, , six] = PRIORS as [Prior, Prior, Prior, Prior, Prior];
  const l1 = PRIORS.at(-1)!;
  const bugs: readonly (Bug & { readonly of: Prior })[] = [
    { name: 'rows go on in the next one', find: 'column + 1u < 7u', replace: 'true', of: square },
    { name: 'channels go on in the next one', find: 'row + 1u < 5u', replace: 'true', of: square },
    { name: 'the neighbour on the left is forgotten', find: /if \(column > 0u\) \{.*?\}/, replace: '', of: rough },
    { name: 'the neighbour above has the slope of the one on the left', find: 'steepness(i - 7u, row - 1u, column)', replace: 'steepness(i - 1u, row, column - 1u)', of: rough },
    { name: 'the derivative keeps its exponent', find: /\* sign\(away\) \* \(size \* /, replace: '* sign(away) * (size * size * ', of: six },
    { name: 'the gradient is written over', find: 'dx[i] + ', replace: '', of: square },
    { name: 'the weight is left out of the value', find: /value\[n\] = .* \* sums/, replace: 'value[n] = sums', of: six },
    { name: 'a part is left out', find: 'var i = local;', replace: 'var i = local + 1u;', of: square },
    { name: 'the center is forgotten', find: /x\[i\] - \(0\.5f?\)/, replace: 'x[i]', of: l1 },
    { name: 'every image has the value of the first', find: 'let i = n * 105u + e;', replace: 'let i = e;', of: square },
  ];
  test.each(bugs)('$name', async ({ of, ...bug }) => {
    const size = [2, 3, 5, 7] as const;
    const recording = recordingOf(size, [of]);
    await expectBugFound(engine(), recording, bug, (found) => faults(size, [of], recording, found));
  });
});
