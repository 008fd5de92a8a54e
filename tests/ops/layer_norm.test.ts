import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Twin } from './harness.ts';
import { count, filled, random, Sum } from './reference.ts';

const engine = useEngine();

interface Layer {
  readonly axis: number;
  readonly epsilon?: number;
  readonly scale?: Tensor;
  readonly shift?: Tensor;
}

/** y = scale h + shift with h = (x - mean) / sqrt(variance + epsilon); dx = (g - mean g - h mean(g h)) / the same root, g = scale dy. */
function layerNormTwin(x: ArrayLike<number>, shape: readonly number[], { axis, epsilon = 1e-5, scale, shift }: Layer): Twin {
  const size = count(shape.slice(axis));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / size;
  const rows = Array.from({ length: count(shape) / size }, (_, row) => {
    const values = Array.from({ length: size }, (_, k) => x[row * size + k]!);
    const center = mean(values);
    const root = Math.sqrt(mean(values.map((v) => (v - center) ** 2)) + epsilon);
    // What rounding x, and the mean of it, can do to h.
    const noise = Math.max(...values.map(Math.abs)) / root;
    return { h: values.map((v) => (v - center) / root), root, noise };
  });
  const factor = (k: number): number => scale?.data[k] ?? 1;
  const y = new Sum(shape);
  rows.forEach(({ h, noise }, row) =>
    h.forEach((value, k) => {
      const at = row * size + k;
      y.add(at, factor(k) * value + (shift?.data[k] ?? 0));
      y.magnitudes[at] = Math.abs(factor(k)) * (noise + Math.abs(value)) + Math.abs(shift?.data[k] ?? 0);
      y.terms[at] = size;
    }),
  );
  return {
    y,
    dx(dy) {
      const dx = new Sum(shape);
      rows.forEach(({ h, root, noise }, row) => {
        const g = h.map((_, k) => factor(k) * dy[row * size + k]!);
        const [meanG, meanGH] = [mean(g), mean(g.map((v, k) => v * h[k]!))];
        const width = mean(g.map((v, k) => Math.abs(v) * (1 + Math.abs(h[k]!))));
        g.forEach((v, k) => {
          const at = row * size + k;
          dx.add(at, (v - meanG - h[k]! * meanGH) / root);
          dx.magnitudes[at] = ((Math.abs(v) + width) * (1 + Math.abs(h[k]!)) * (1 + noise)) / root;
          dx.terms[at] = size;
        });
      });
      return [dx];
    },
  };
}

const CASES: readonly { readonly shape: readonly number[]; readonly axis: number }[] = [
  { shape: [3, 7], axis: 1 },
  { shape: [5, 70], axis: 1 },
  { shape: [7], axis: 0 },
  { shape: [2, 3, 5, 7], axis: 1 },
  { shape: [2, 3, 5, 7], axis: 3 },
  { shape: [2, 3, 5, 7], axis: 2 },
  { shape: [1, 2, 3, 64], axis: 3 },
  { shape: [70, 3], axis: 1 },
];

async function check(x: Tensor, layer: Layer, options: Parameters<typeof prove>[3] = {}): Promise<void> {
  const { axis, epsilon = 1e-5, scale, shift } = layer;
  const subject = { op: 'layer_norm', attributes: { axis, epsilon }, weights: { ...(scale && { scale }), ...(shift && { shift }) }, x: [x] };
  await prove(engine(), subject, layerNormTwin(x.data, x.shape, layer), options);
}

describe('layer_norm against plain loops', () => {
  describe.each([true, false])('a processor plays the GPU: %s', (software) => {
    test.each(CASES)('$shape from axis $axis', async ({ shape, axis }) => {
      const normalized = shape.slice(axis);
      await check(random(shape, 1, -2, 3), { axis, scale: random(normalized, 2, 0.5, 2), shift: random(normalized, 3) }, { capabilities: { software } });
    });

    test('gradients of two branches', () => check(random([4, 66], 1), { axis: 1, scale: random([66], 2) }, { twice: true, capabilities: { software } }));
  });

  test('without scale, without shift, without both', async () => {
    const x = random([3, 11], 1);
    await check(x, { axis: 1, scale: random([11], 2) });
    await check(x, { axis: 1, shift: random([11], 2) });
    await check(x, { axis: 1, epsilon: 1e-3 });
  });

  test.each([
    ['far from 0', (i: number) => 1e3 + ((i * 7) % 5)],
    ['huge', (i: number) => ((i % 5) - 2) * 1e15],
    ['all equal', () => 42],
  ])('rows %s', (_, value) => check(filled([2, 65], value), { axis: 1, epsilon: 1e-2 }));
});

test.each([1, 2])('central differences of the twin, axis %i', (axis) => {
  const shape = [3, 4, 5];
  const x = random(shape, 2, -2, 2);
  expectCentralDifferences((values) => layerNormTwin(values, shape, { axis, scale: random(shape.slice(axis), 3) }), x);
});

test.each([
  ['an axis that is not there', { axis: 2 }, {}, 'axis 2'],
  ['a scale that does not fit', {}, { scale: random([2], 1) }, 'scale must be [3]'],
  ['a shift that does not fit', { axis: 0 }, { shift: random([3], 1) }, 'shift must be [2,3]'],
  ['a negative epsilon', { epsilon: -1 }, {}, 'must not be negative'],
] as const)('%s: refused', async (_, attributes, weights, message) => {
  await expect(run(engine(), { op: 'layer_norm', attributes, weights, x: [random([2, 3], 1)] })).rejects.toThrow(message);
});

describe('a planted bug in layer_norm is noticed', () => {
  const x = random([3, 66], 1, -1, 2);
  const [scale, shift] = [random([66], 2, 0.5, 2), random([66], 3)];
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the last element is left out', pass: 'forward', find: 'k < 66u', replace: 'k < 65u' },
    { name: 'the mean is not taken off', pass: 'forward', find: 'let d = x[at] - mean', replace: 'let d = x[at]' },
    { name: 'epsilon is forgotten', find: /\+ \(0\.0010\d*f\)/, replace: '' },
    { name: 'a part of a sum is left out', find: 'part < 64u', replace: 'part < 63u' },
    { name: 'the shift is forgotten', pass: 'forward', find: ' + shift[k]', replace: ' + 0.0 * shift[k]' },
    { name: 'the mean of the gradient is forgotten', pass: 'backward', find: 'g - meanG', replace: 'g' },
    { name: 'the variance has no gradient', pass: 'backward', find: ' - h * meanGH', replace: '' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[at] +', replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    const subject = { op: 'layer_norm', attributes: { epsilon: 1e-3 }, weights: { scale, shift }, x: [x] };
    await expectCaught(engine(), subject, layerNormTwin(x.data, x.shape, { axis: 1, epsilon: 1e-3, scale, shift }), bug, { twice, capabilities: { software: false } });
  });
});
