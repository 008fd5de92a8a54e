import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, dot, passesRule, random, RELU_RULES, Sum } from './reference.ts';

const engine = useEngine();

type Shape = readonly number[];

/** y = a + b, shapes aligned at their last axes and axes of size 1 repeated; a gradient is summed over what was repeated. */
function addTwin(a: Tensor, b: Tensor): Twin & { index(operand: Tensor): (i: number) => number } {
  const rank = Math.max(a.shape.length, b.shape.length);
  const sizes = (shape: Shape): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const shape = sizes(a.shape).map((size, axis) => Math.max(size, sizes(b.shape)[axis]!));
  const index =
    (operand: Tensor) =>
    (i: number): number => {
      let [at, stride] = [0, 1];
      for (let axis = rank - 1; axis >= 0; axis--) {
        const size = sizes(operand.shape)[axis]!;
        at += (size === 1 ? 0 : i % shape[axis]!) * stride;
        stride *= size;
        i = Math.floor(i / shape[axis]!);
      }
      return at;
    };
  const [atA, atB] = [index(a), index(b)];
  return {
    index,
    y: Sum.of(shape, (i) => a.data[atA(i)]! + b.data[atB(i)]!),
    dx: (dy) =>
      [a, b].map((operand) => {
        const dx = new Sum(operand.shape);
        dy.forEach((g, i) => dx.add(index(operand)(i), g));
        return dx;
      }),
  };
}

const PAIRS: readonly { a: Shape; b: Shape }[] = [
  { a: [1], b: [1] },
  { a: [3, 5], b: [3, 5] },
  { a: [2, 3, 5, 7], b: [2, 3, 5, 7] },
  { a: [2, 3, 5, 7], b: [3, 1, 1] },
  { a: [3, 1, 1], b: [2, 3, 5, 7] },
  { a: [2, 3, 5, 7], b: [1] },
  { a: [2, 3, 5, 7], b: [7] },
  { a: [2, 3, 5, 7], b: [2, 1, 5, 1] },
  { a: [2, 1, 5, 1], b: [1, 3, 1, 7] },
  { a: [5, 1], b: [3] },
  { a: [1, 1, 1, 1], b: [3, 2] },
];

describe('add against plain loops, and the adjoint identity', () => {
  test.each(PAIRS)('$a + $b', async ({ a: shapeA, b: shapeB }) => {
    const [a, b] = [random(shapeA, 1), random(shapeB, 2)];
    const subject: Subject = { op: 'add', x: [a, b] };
    const twin = addTwin(a, b);
    const outcome = await prove(engine(), subject, twin, { exact: true });
    twin.y.magnitudes.forEach((_, i) => (twin.y.magnitudes[i] = Math.abs(a.data[twin.index(a)(i)]!) + Math.abs(b.data[twin.index(b)(i)]!)));
    twin.y.terms.fill(count(twin.y.shape));
    expectAdjoint(subject, outcome, twin);
  });

  test.each(PAIRS)('$a + constant $b', async ({ a: shapeA, b: shapeB }) => {
    const [a, addend] = [random(shapeA, 1), random(shapeB, 2)];
    const { y, dx } = addTwin(a, addend);
    await prove(engine(), { op: 'add', weights: { addend }, x: [a] }, { y, dx: (dy) => dx(dy).slice(0, 1) }, { exact: true });
  });

  test('gradients of two branches, one operand repeated', async () => {
    const [a, b] = [random([2, 3, 5, 4], 1), random([3, 1, 1], 2)];
    await prove(engine(), { op: 'add', x: [a, b] }, addTwin(a, b), { exact: true, twice: true });
  });

  test('a tensor added to itself', async () => {
    const x = random([2, 5], 1);
    const { y, dy, dx } = await run(engine(), { op: 'relu', x: [x] }, { twice: true });
    expect(dot(dx[0]!.data, dx[0]!.data).value).toBeCloseTo(4 * dot(dy.data, dy.data.map((g, i) => (x.data[i]! > 0 ? g : 0))).value, 5);
    expect(y.data).toEqual(x.data.map((v) => Math.max(v, 0)));
  });
});

/** The twin with an activation on its sum; each gradient passes by the rule. */
function activated(twin: Twin, activation: 'relu' | 'clip', rule: ReluRule): Twin {
  const [low, high] = activation === 'relu' ? [0, Infinity] : [-0.25, 0.5];
  const passes = (g: number, v: number): boolean => passesRule(rule, v > low && v < high, g);
  return {
    y: twin.y.map((v) => Math.min(Math.max(v, low), high)),
    dx: (dy) => twin.dx(dy.map((g, i) => (passes(g, twin.y.values[i]!) ? g : 0))),
  };
}

describe.each(['relu', 'clip'] as const)('add with %s in it', (activation) => {
  const attributes = { activation, low: -0.25, high: 0.5 };
  describe.each([
    ['whole quads', [2, 3, 5, 4], [2, 3, 5, 4]],
    ['no whole quads', [3, 5], [3, 5]],
    ['one operand repeated', [2, 3, 5, 4], [3, 1, 1]],
  ] as const)('%s', (_, shapeA, shapeB) => {
    const [a, b] = [random(shapeA, 1), random(shapeB, 2)];
    const subject: Subject = { op: 'add', attributes, x: [a, b] };

    test.each(RELU_RULES)('rule %s', async (rule) => {
      await prove(engine(), subject, activated(addTwin(a, b), activation, rule), { rule });
    });

    test('gradients of two branches', async () => {
      await prove(engine(), subject, activated(addTwin(a, b), activation, 'gradient'), { twice: true });
    });
  });
});

test.each([
  ['no second operand', {}, [[2, 3]], 'second input'],
  ['two and a constant', { addend: random([1], 1) }, [[2], [2]], 'not both'],
  ['shapes that do not broadcast', {}, [[2, 3], [2]], 'do not broadcast'],
] as const)('%s: refused', async (_, weights, shapes, message) => {
  const x = shapes.map((shape) => random(shape, 1));
  await expect(run(engine(), { op: 'add', weights, x })).rejects.toThrow(message);
});

describe('a planted bug in add is noticed', () => {
  const [a, b] = [random([2, 3, 5, 4], 1), random([3, 1, 1], 2)];
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'the repeated operand is read straight on', pass: 'forward', find: /b\[\(\(i \/ 20u\) % 3u\) \* 1u\]/, replace: 'b[i % 3u]' },
    { name: 'one operand is subtracted', pass: 'forward', find: '] + b[', replace: '] - b[' },
    { name: 'the gradient of the repeated operand leaves the batch out', pass: 'backward', find: 'r0 < 2u', replace: 'r0 < 1u' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
    { name: 'the fused ReLU lets everything through', pass: 'forward', find: 'max(sum, f32(0))', replace: 'sum' },
    { name: 'the gate of the fused ReLU is open', kernel: 'relu', find: /select\((0\.0|vec4f\(0\.0\)), (g\d), .*\);/, replace: '$2;' },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    if (!bug.name.includes('ReLU')) await expectCaught(engine(), { op: 'add', x: [a, b] }, addTwin(a, b), bug, { exact: true, twice });
    else await expectCaught(engine(), { op: 'add', attributes: { activation: 'relu' }, x: [a, b] }, activated(addTwin(a, b), 'relu', 'gradient'), bug);
  });
});
