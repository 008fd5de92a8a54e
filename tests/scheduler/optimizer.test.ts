import { beforeAll, describe, expect, test } from 'vitest';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { correctionsOf, momentsOf, recordUpdate, type Optimizer } from '../../src/scheduler/optimizer.ts';
import type { Plan } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { tf } from '../formats/tfjs-models.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { count, random } from '../ops/reference.ts';

const engine = useEngine();

const RATE = 0.05;
const adam: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const sgd = (momentum: number, nesterov = false): Optimizer => ({ kind: 'sgd', momentum, nesterov });

interface Options {
  readonly optimizer: Optimizer;
  readonly decay?: number;
  readonly shape?: readonly number[];
  readonly steps?: number;
  /** Steps before which the flag is set. */
  readonly haltAt?: number;
  readonly mutate?: (code: string) => string;
}

function planOf(optimizer: Optimizer, shape: readonly number[], decay: number): Plan {
  const builder = new PlanBuilder('update', 1, engine().capabilities);
  const moments = Object.fromEntries(momentsOf(optimizer).map((name) => [name, builder.persistent(name, shape)]));
  const tensors = {
    w: builder.persistent('w', shape),
    g: builder.persistent('g', shape),
    moments,
    schedule: builder.persistent('schedule', [4]),
    halt: builder.persistent('halt', [2], 'u32'),
  };
  recordUpdate(builder.recorder('update', 'layer', 'update'), optimizer, tensors, { decay });
  return builder.build();
}

const gradientOf = (shape: readonly number[], t: number): Float32Array => random(shape, 50 + t).data;
const startOf = (shape: readonly number[]): Float32Array => random(shape, 1).data;
const scheduleOf = (optimizer: Optimizer, t: number): Float32Array => Float32Array.of(RATE / t, ...correctionsOf(optimizer, t), 0);

/** Weights and moments after some steps, each with another rate. */
async function run({ optimizer, decay = 0, shape = [5, 7], steps = 10, haltAt = Infinity, mutate = (code) => code }: Options): Promise<Record<string, Float32Array>> {
  const plan = planOf(optimizer, shape, decay);
  const passes = new Map([...plan.passes].map(([pass, all]) => [pass, all.map((step) => ({ ...step, code: mutate(step.code) }))]));
  const runner = await Runner.create(engine(), { ...plan, passes });
  try {
    const names = ['w', ...momentsOf(optimizer)];
    for (const name of names) runner.write(name, name === 'w' ? startOf(shape) : new Float32Array(count(shape)));
    runner.write('halt', Uint32Array.of(0, 0));
    for (let t = 1; t <= steps; t++) {
      if (t === haltAt) runner.write('halt', Uint32Array.of(1, t));
      runner.write('g', gradientOf(shape, t));
      runner.write('schedule', scheduleOf(optimizer, t));
      runner.run(['update']);
    }
    const read = await Promise.all(names.map(async (name) => [name, (await runner.read(name)).data] as const));
    return Object.fromEntries(read);
  } finally {
    runner.dispose();
  }
}

/** The same in double precision, from the formulas of PyTorch's SGD and AdamW. */
function twin({ optimizer, decay = 0, shape = [5, 7], steps = 10 }: Options): Record<string, Float64Array> {
  const w = Float64Array.from(startOf(shape));
  const moments = { m: new Float64Array(w.length), v: new Float64Array(w.length) };
  for (let t = 1; t <= steps; t++) {
    const gradient = gradientOf(shape, t);
    const rate = RATE / t;
    for (let i = 0; i < w.length; i++) {
      if (optimizer.kind === 'sgd') {
        const { momentum, nesterov } = optimizer;
        const g = gradient[i]! + decay * w[i]!;
        const v = (moments.v[i] = momentum * moments.v[i]! + g);
        w[i]! -= rate * (nesterov ? g + momentum * v : v);
      } else {
        const { beta1, beta2, epsilon } = optimizer;
        w[i]! *= 1 - rate * decay;
        moments.m[i] = beta1 * moments.m[i]! + (1 - beta1) * gradient[i]!;
        moments.v[i] = beta2 * moments.v[i]! + (1 - beta2) * gradient[i]! ** 2;
        w[i]! -= (rate / (1 - beta1 ** t)) * (moments.m[i]! / (Math.sqrt(moments.v[i]!) / Math.sqrt(1 - beta2 ** t) + epsilon));
      }
    }
  }
  return Object.fromEntries([['w', w] as const, ...momentsOf(optimizer).map((name) => [name, moments[name as 'm']] as const)]);
}

/** The largest difference over all tensors. */
function distance(found: Record<string, ArrayLike<number>>, expected: Record<string, ArrayLike<number>>): number {
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  const differences = Object.keys(expected).flatMap((name) => Array.from(expected[name]!, (value, i) => Math.abs(value - found[name]![i]!)));
  return differences.reduce((most, value) => (value <= most ? most : value), 0);
}

const CASES: readonly [string, Options][] = [
  ['gradient descent', { optimizer: sgd(0) }],
  ['gradient descent, L2', { optimizer: sgd(0), decay: 0.1 }],
  ['momentum', { optimizer: sgd(0.9) }],
  ['momentum, L2, by fours', { optimizer: sgd(0.9), decay: 0.1, shape: [3, 12] }],
  ['Nesterov, L2', { optimizer: sgd(0.9, true), decay: 0.1 }],
  ['Adam', { optimizer: adam }],
  ['AdamW, by fours', { optimizer: adam, decay: 0.1, shape: [3, 12] }],
  ['AdamW, other factors', { optimizer: { kind: 'adam', beta1: 0.5, beta2: 0.9, epsilon: 0.01 }, decay: 0.1 }],
];

describe('ten steps against double precision', () => {
  test.each(CASES)('%s', async (_, options) => {
    expect(distance(await run(options), twin(options))).toBeLessThan(1e-6);
  });
});

describe('every element, and none past the last', () => {
  test.each([[1], [3], [4], [257], [1, 260], [1, 516], [2, 3, 5, 7]].flatMap((shape) => [{ shape, optimizer: sgd(0.9) }, { shape, optimizer: adam }]))('$shape, $optimizer.kind', async ({ shape, optimizer }) => {
    const zero = { shape, data: new Float32Array(count(shape)) };
    const given = {
      w: { shape, data: startOf(shape) },
      g: { shape, data: gradientOf(shape, 1) },
      schedule: { shape: [4], data: scheduleOf(optimizer, 1) },
      halt: { shape: [2], data: new Float32Array(2) },
      ...Object.fromEntries(momentsOf(optimizer).map((name) => [name, zero])),
    };
    const names = ['w', ...momentsOf(optimizer)];
    const { tensors } = await runGuarded(engine(), planOf(optimizer, shape, 0), given, names);
    const found = Object.fromEntries(names.map((name) => [name, tensors.get(name)!.data]));
    expect(distance(found, twin({ optimizer, shape, steps: 1 }))).toBeLessThan(1e-6);
  });
});

test.each(CASES)('after a halt nothing changes: %s', async (_, options) => {
  expect(await run({ ...options, steps: 3, haltAt: 2 })).toEqual(await run({ ...options, steps: 1 }));
});

describe('against TensorFlow.js', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test.each<[string, Optimizer, (rate: number) => tf.Optimizer]>([
    ['momentum', sgd(0.9), (rate) => tf.train.momentum(rate, 0.9)],
    ['adam', adam, (rate) => tf.train.adam(rate, 0.9, 0.999, 1e-8)],
  ])('%s', async (_, optimizer, make) => {
    const shape = [5, 7];
    const steps = 10;
    const w = tf.variable(tf.tensor(startOf(shape), [5, 7]));
    const theirs = make(RATE);
    for (let t = 1; t <= steps; t++) {
      // They compute with the rate that they were made with.
      (theirs as unknown as { learningRate: number; c?: tf.Scalar }).learningRate = RATE / t;
      if (optimizer.kind === 'sgd') (theirs as unknown as { setLearningRate(rate: number): void }).setLearningRate(RATE / t);
      theirs.applyGradients({ [w.name]: tf.tensor(gradientOf(shape, t), [5, 7]) });
    }
    const found = await run({ optimizer, shape, steps });
    expect(distance({ w: found['w']! }, { w: w.dataSync() })).toBeLessThan(2e-6);
  });
});

test.each<[string, Optimizer, number]>([
  ['momentum', sgd(1), 0],
  ['momentum', sgd(-0.1), 0],
  ['decay', sgd(0), -1],
  ['decay', adam, NaN],
  ['beta1', { ...adam, beta1: 1 } as Optimizer, 0],
  ['beta2', { ...adam, beta2: NaN } as Optimizer, 0],
  ['epsilon', { ...adam, epsilon: 0 } as Optimizer, 0],
])('a bad %s is refused', (attribute, optimizer, decay) => {
  expect(() => planOf(optimizer, [3], decay)).toThrow(expect.objectContaining({ code: 'usage', address: { attribute } }));
});

describe('a planted bug is noticed', () => {
  test.each<[string, Options, RegExp, string]>([
    ['L2 is left out', { optimizer: sgd(0.9), decay: 0.1 }, /g(\d) \+ \S+ \* w\d/g, 'g$1'],
    ['the velocity is not kept', { optimizer: sgd(0.9) }, /v\[(.*?)\] = n\d/g, 'v[$1] = d0'],
    ['the velocity is damped', { optimizer: sgd(0.9) }, /(v\d) \+ (d\d)/g, '$1 + 0.1 * $2'],
    ['Nesterov does not look ahead', { optimizer: sgd(0.9, true) }, /\(d\d \+ \S+ \* (n\d)\)/g, '$1'],
    ['the first bias is not corrected', { optimizer: adam }, /schedule\[1\]/g, '1.0'],
    ['the biases are swapped', { optimizer: adam }, /schedule\[1\]/g, 'schedule[2]'],
    ['epsilon lies under the root', { optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 0.01 } }, /sqrt\((.*?)\) \+ (\S+?\))\)/g, 'sqrt($1 + $2))'],
    ['decay goes through the gradient', { optimizer: adam, decay: 0.1 }, /\* g(\d)/g, '* (g$1 + 0.1 * w$1)'],
    ['an element is left out', { optimizer: adam }, /i \+ 27u < 35u/g, 'i + 27u < 34u'],
  ])('%s', async (_, options, find, replace) => {
    let changed = 0;
    const mutate = (code: string): string => {
      const mutated = code.replace(find, replace);
      if (mutated !== code) changed++;
      return mutated;
    };
    const found = distance(await run({ ...options, mutate }), twin(options));
    expect(changed).toBeGreaterThan(0);
    expect(found).toBeGreaterThan(1e-4);
  });

  test('the halt is overlooked', async () => {
    const halted = await run({ optimizer: adam, steps: 2, haltAt: 2, mutate: (code) => code.replace('halt[0] != 0u', 'halt[0] > 1u') });
    expect(halted).not.toEqual(await run({ optimizer: adam, steps: 1 }));
  });
});
