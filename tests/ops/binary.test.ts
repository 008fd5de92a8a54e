import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { useEngine } from '../gpu.ts';
import { network, node } from '../scheduler/networks.ts';
import { differences, expectCaught, expectCentralDifferences, prove, run, runGuarded, type PlantedBug, type Twin } from './harness.ts';
import { filled, random, Sum } from './reference.ts';

const engine = useEngine();

type Shape = readonly number[];

/** f(a, b) and its two derivatives. */
interface Formula {
  readonly f: (a: number, b: number) => number;
  readonly da: (a: number, b: number) => number;
  readonly db: (a: number, b: number) => number;
}

const FORMULAS = {
  multiply: { f: (a, b) => a * b, da: (_, b) => b, db: (a) => a },
  subtract: { f: (a, b) => a - b, da: () => 1, db: () => -1 },
  divide: { f: (a, b) => a / b, da: (_, b) => 1 / b, db: (a, b) => -a / b ** 2 },
  maximum: { f: Math.max, da: (a, b) => Number(a >= b), db: (a, b) => Number(a < b) },
  minimum: { f: Math.min, da: (a, b) => Number(a <= b), db: (a, b) => Number(a > b) },
} satisfies Record<string, Formula>;
type Name = keyof typeof FORMULAS;
const NAMES = Object.keys(FORMULAS) as Name[];

interface Operand {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

/** y = f(a, b), shapes aligned at their last axes and axes of size 1 repeated; a gradient is summed over what was repeated. */
function binaryTwin({ f, da, db }: Formula, a: Operand, b: Operand): Twin {
  const rank = Math.max(a.shape.length, b.shape.length);
  const sizes = ({ shape }: Operand): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const shape = sizes(a).map((size, axis) => Math.max(size, sizes(b)[axis]!));
  const place = (operand: Operand, i: number): number => {
    let [at, stride] = [0, 1];
    for (let axis = rank - 1; axis >= 0; axis--) {
      const size = sizes(operand)[axis]!;
      at += (size === 1 ? 0 : i % shape[axis]!) * stride;
      stride *= size;
      i = Math.floor(i / shape[axis]!);
    }
    return at;
  };
  const pair = (i: number): [number, number] => [a.data[place(a, i)]!, b.data[place(b, i)]!];
  const gradient = (operand: Operand, slope: (p: number, q: number) => number, dy: ArrayLike<number>): Sum => {
    const sum = new Sum(operand.shape);
    for (let i = 0; i < dy.length; i++) sum.add(place(operand, i), dy[i]! * slope(...pair(i)));
    return sum;
  };
  return { y: Sum.of(shape, (i) => f(...pair(i))), dx: (dy) => [gradient(a, da, dy), gradient(b, db, dy)] };
}

/** Operands away from 0, so that quotients are moderate. */
const operandsOf = (shapeA: Shape, shapeB: Shape): [Tensor, Tensor] => {
  const away = (v: number): number => v + Math.sign(v) * 0.25;
  const [a, b] = [random(shapeA, 1), random(shapeB, 2)];
  return [{ shape: shapeA, data: a.data.map(away) }, { shape: shapeB, data: b.data.map(away) }];
};

const PAIRS: readonly { a: Shape; b: Shape }[] = [
  { a: [1], b: [1] },
  { a: [3, 5], b: [3, 5] },
  { a: [2, 3, 4, 5], b: [2, 3, 4, 5] },
  { a: [2, 3, 5, 7], b: [2, 3, 1, 1] },
  { a: [2, 3, 4, 10], b: [2, 3, 1, 1] },
  { a: [3, 1, 1], b: [2, 3, 4, 5] },
  { a: [2, 3, 5, 7], b: [] },
  { a: [2, 3, 5, 7], b: [7] },
  { a: [2, 3, 5, 8], b: [8] },
  { a: [2, 3, 5, 7], b: [2, 1, 5, 1] },
  { a: [2, 1, 5, 1], b: [1, 3, 1, 8] },
  { a: [5, 1], b: [3] },
  { a: [1, 1, 1, 1], b: [3, 2] },
  { a: [2, 3, 2, 5, 1, 3], b: [3, 1, 5, 2, 1] },
];

describe.each(NAMES)('%s against plain loops', (op) => {
  // What is read where is the same for all: one of them goes through every pair.
  test.each(op === 'divide' ? PAIRS : PAIRS.slice(2, 5))('$a and $b', async ({ a: shapeA, b: shapeB }) => {
    const [a, b] = operandsOf(shapeA, shapeB);
    await prove(engine(), { op, x: [a, b] }, binaryTwin(FORMULAS[op], a, b));
  });

  test.each([[[2, 3, 4, 5], [3, 1, 1]], [[3], [2, 3]]] as const)('%j and a constant %j, in either order', async (shapeA, shapeB) => {
    const [a, operand] = operandsOf(shapeA, shapeB);
    const { y, dx } = binaryTwin(FORMULAS[op], a, operand);
    await prove(engine(), { op, weights: { operand }, x: [a] }, { y, dx: (dy) => dx(dy).slice(0, 1) });
    const turned = binaryTwin(FORMULAS[op], operand, a);
    const subject = { op, attributes: { reversed: true }, weights: { operand }, x: [a] };
    await prove(engine(), subject, { y: turned.y, dx: (dy) => turned.dx(dy).slice(1) });
  });

  test('two inputs reversed', async () => {
    const [a, b] = operandsOf([2, 3, 4], [3, 1]);
    const { y, dx } = binaryTwin(FORMULAS[op], b, a);
    await prove(engine(), { op, attributes: { reversed: true }, x: [a, b] }, { y, dx: (dy) => dx(dy).toReversed() });
  });

  test.each([[[2, 3, 5, 7], [3, 1, 1]], [[2, 4], [2, 4]]] as const)('gradients of two branches, %j and %j', async (shapeA, shapeB) => {
    const [a, b] = operandsOf(shapeA, shapeB);
    await prove(engine(), { op, x: [a, b] }, binaryTwin(FORMULAS[op], a, b), { twice: true });
  });

  test('central differences of the twin, in each operand', () => {
    const [a, b] = operandsOf([2, 3, 5], [3, 1]);
    const apart = { ...b, data: b.data.map((v) => v * 1.5) };
    expectCentralDifferences((data) => binaryTwin(FORMULAS[op], { shape: a.shape, data }, apart), a);
    expectCentralDifferences((data) => {
      const { y, dx } = binaryTwin(FORMULAS[op], a, { shape: apart.shape, data });
      return { y, dx: (dy) => dx(dy).slice(1) };
    }, apart);
  });
});

describe('a tensor and one number for each of its planes', () => {
  // A workgroup shares each sum where no processor plays the GPU.
  test.each([
    ['plane by plane', [2, 3, 9, 11], [2, 3, 1, 1]],
    ['channels innermost', [1, 13, 9, 5], [5]],
    ['one number for all', [2, 3, 9, 11], [1]],
  ] as const)('%s, alone and in a workgroup', async (_, shapeA, shapeB) => {
    const [a, b] = operandsOf(shapeA, shapeB);
    for (const software of [false, true]) {
      await prove(engine(), { op: 'multiply', x: [a, b] }, binaryTwin(FORMULAS.multiply, a, b), { capabilities: { software } });
      await prove(engine(), { op: 'divide', x: [b, a] }, binaryTwin(FORMULAS.divide, b, a), { capabilities: { software }, twice: true });
    }
  });
});

test.each(['maximum', 'minimum'] as const)('%s gives the gradient of a tie to the first operand', async (op) => {
  const a = filled([2, 10], (i) => i % 3);
  const b = filled([2, 10], (i) => i % 2);
  await prove(engine(), { op, x: [a, b] }, binaryTwin(FORMULAS[op], a, b), { exact: true, exactGradient: true });
});

test('a tensor times itself', async () => {
  const x = random([2, 7], 1);
  const plan = compile(network({ x: x.shape }, [node('square', 'multiply', ['x', 'x'])]), {
    layers: ['square'],
    backward: { from: 'square', rule: 'gradient' },
    capabilities: engine().capabilities,
  });
  const { tensors, written } = await runGuarded(engine(), plan, { x, seed: (shape) => random(shape, 77) }, ['square', 'd x']);
  const twin: Twin = { y: Sum.of(x.shape, (i) => x.data[i]! ** 2), dx: (dy) => [Sum.of(x.shape, (i) => 2 * dy[i]! * x.data[i]!)] };
  const outcome = { y: tensors.get('square')!, dy: written.get('seed')!, dx: [tensors.get('d x')!] };
  expect(differences(outcome, twin)).toEqual([]);
});

test.each([
  ['no second operand', {}, [[2, 3]], 'second input'],
  ['two and a constant', { operand: random([1], 1) }, [[2], [2]], 'not both'],
  ['shapes that do not broadcast', {}, [[2, 3], [2]], 'do not broadcast'],
] as const)('%s: refused', async (_, weights, shapes, message) => {
  const x = shapes.map((shape) => random(shape, 1));
  await expect(run(engine(), { op: 'multiply', weights, x })).rejects.toThrow(message);
});

describe('a planted bug is noticed', () => {
  const [a, b] = operandsOf([2, 3, 5, 8], [3, 1, 1]);
  const bugs: readonly (PlantedBug & { readonly of: Name; readonly twice?: boolean; readonly split?: boolean })[] = [
    { of: 'multiply', name: 'the repeated operand is read straight on', pass: 'forward', find: '((i / 10u) % 3u)', replace: '(i % 3u)' },
    { of: 'multiply', name: 'the gradient is of the other operand', pass: 'backward', find: 'return g * p', replace: 'return g * q' },
    { of: 'multiply', name: 'the batch is left out of a sum', pass: 'backward', find: 'r < 80u', replace: 'r < 40u' },
    { of: 'multiply', name: 'a part of a sum is left out', pass: 'backward', find: 'part < 64u', replace: 'part < 63u', split: true },
    { of: 'multiply', name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
    { of: 'subtract', name: 'the sign of a gradient', pass: 'backward', find: 'return -g', replace: 'return g' },
    { of: 'divide', name: 'the square of the divisor', pass: 'backward', find: '-(g / q) * (p / q)', replace: '-(g / q) * p' },
    { of: 'maximum', name: 'the gradient goes to the smaller one', pass: 'backward', find: 'p >= q', replace: 'p <= q' },
    { of: 'minimum', name: 'min became max', pass: 'forward', find: 'min(', replace: 'max(' },
  ];
  test.each(bugs)('$of: $name', async ({ of, twice = false, split = false, ...bug }) => {
    await expectCaught(engine(), { op: of, x: [a, b] }, binaryTwin(FORMULAS[of], a, b), bug, { twice, capabilities: { software: !split } });
  });

  test('maximum: a tie gives to both', async () => {
    const same = filled([7], (i) => i);
    const bug = { name: 'a tie gives to both', pass: 'backward', find: 'p < q', replace: 'p <= q' } as const;
    await expectCaught(engine(), { op: 'maximum', x: [same, same] }, binaryTwin(FORMULAS.maximum, same, same), bug);
  });
});

