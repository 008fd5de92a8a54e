/** The gradients of a dense layer's weights and bias: float64 twin, adjoint identity, and bugs planted in the kernels. */
import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import type { PlantedBug } from './harness.ts';
import { differs, expectBugSeen, learn, type Lesson } from './learn_harness.ts';
import { count, dot, random, Sum } from './reference.ts';

const engine = useEngine();
const SOFTWARE = { software: true };
const GPU = { software: false };

interface Case {
  readonly x: readonly number[];
  readonly outputs: number;
  readonly bias?: boolean;
  readonly activation?: 'relu' | 'clip';
}

/** dw[m, k] = sum over n of g[n, m] x[n, k], db[m] = sum of g, where g is dy behind the activation. */
function lessonOf({ x: shape, outputs, bias = true, activation }: Case): { lesson: Lesson; expected: Record<string, Sum> } {
  const inputs = count(shape.slice(1));
  const images = shape[0]!;
  const x = random(shape, 1);
  const y = random([images, outputs], 2);
  if (activation) y.data.forEach((v, i) => (y.data[i] = activation === 'relu' ? Math.max(v, 0) : Math.min(Math.max(v, -0.25), 0.5)));
  const dy = random([images, outputs], 3);
  const isActive = (v: number): boolean => (activation === 'relu' ? v > 0 : activation === 'clip' ? v > -0.25 && v < 0.5 : true);
  const [dw, db] = [new Sum([outputs, inputs]), new Sum([outputs])];
  for (let n = 0; n < images; n++)
    for (let m = 0; m < outputs; m++) {
      const g = isActive(y.data[n * outputs + m]!) ? dy.data[n * outputs + m]! : 0;
      db.add(m, g);
      for (let k = 0; k < inputs; k++) dw.add(m * inputs + k, g * x.data[n * inputs + k]!);
    }
  const weights = { weight: random([outputs, inputs], 4), ...(bias && { bias: random([outputs], 5) }) };
  const attributes: Attributes = activation ? { activation, low: -0.25, high: 0.5 } : {};
  return { lesson: { op: 'dense', attributes, weights, x: [x], y, dy }, expected: { weight: dw, ...(bias && { bias: db }) } };
}

const CASES: Readonly<Record<string, Case>> = {
  'one by one': { x: [1, 1], outputs: 1 },
  'primes, N = 3': { x: [3, 13], outputs: 7 },
  'N = 1': { x: [1, 37], outputs: 11 },
  'an image in, N = 5': { x: [5, 3, 5, 4], outputs: 6 },
  'no bias': { x: [4, 9], outputs: 5, bias: false },
  'more than one workgroup': { x: [2, 259], outputs: 67 },
  'whole tiles': { x: [16, 96], outputs: 32 },
  'many images': { x: [128, 30], outputs: 18 },
  'one output': { x: [7, 21], outputs: 1 },
  'with ReLU': { x: [6, 19], outputs: 9, activation: 'relu' },
  'with clip': { x: [6, 19], outputs: 9, activation: 'clip' },
};

describe('the gradients of dense against plain loops, and the adjoint identity', () => {
  test.each(Object.entries(CASES))('%s', async (name, c) => {
    const { lesson, expected } = lessonOf(c);
    const v = random(expected.weight!.shape, 9).data;
    const right = dot(expected.weight!.values, v).value;
    const bound = 8 * Math.sqrt(c.x[0]! * c.outputs) * 2 ** -24 * dot(expected.weight!.magnitudes, v.map(Math.abs)).value + 1e-7;
    const alone = name.includes('primes') ? [{ software: true, subgroups: false }] : [];
    for (const capabilities of [SOFTWARE, GPU, ...alone]) {
      const gradients = await learn(engine(), lesson, { capabilities });
      expect(differs(gradients, expected)).toEqual([]);
      // <dw, v> = <dy, x v'>
      expect(Math.abs(dot(gradients.weight!.data, v).value - right)).toBeLessThanOrEqual(bound);
    }
  });
});

test('two runs give the same bits', async () => {
  const { lesson } = lessonOf(CASES['many images']!);
  for (const capabilities of [SOFTWARE, GPU]) {
    const [first, again] = [await learn(engine(), lesson, { capabilities }), await learn(engine(), lesson, { capabilities })];
    for (const name of ['weight', 'bias']) expect(new Uint32Array(again[name]!.data.buffer)).toEqual(new Uint32Array(first[name]!.data.buffer));
  }
});

describe('a bug planted in the gradients of dense is noticed', () => {
  test.each<PlantedBug & { readonly gpu?: true }>([
    { name: 'images past the last count', kernel: 'conv2d_learn', find: /select\(0\.0, (dy\[[^\]]+\]), in\d+\)/, replace: '$1' },
    { name: 'a turn goes one image too far', kernel: 'conv2d_learn', find: /at \+= (\d+)u \* xStep/, replace: 'at += $1u * xStep + xStep' },
    { name: 'an image is left out of the bias', kernel: 'bias_learn', find: 'n < end', replace: 'n + 1u < end' },
    { name: 'rows of one invocation are exchanged', kernel: 'conv2d_learn_shared', find: '+ row + 8u]', replace: '+ row]', gpu: true },
    { name: 'the gate of ReLU is open', kernel: 'relu', find: /select\([^,]+, (g\d), [^)]+\)/, replace: '$1' },
  ])('$name', async ({ gpu, ...bug }) => {
    const { lesson, expected } = lessonOf({ x: [13, 70], outputs: 41, activation: 'relu' });
    await expectBugSeen(engine(), lesson, expected, bug, gpu ? GPU : { software: true, subgroups: true });
  });
});
