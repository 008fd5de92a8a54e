import { describe, expect, test } from 'vitest';
import { CURVES } from '../../shaders/curve.wgsl.ts';
import type { Attributes, Tensor } from '../../src/network/network.ts';
import { OPS } from '../../src/ops/index.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Twin } from './harness.ts';
import { filled, random, Sum } from './reference.ts';

const engine = useEngine();

/** A curve in double precision, by its usual formula. */
interface Formula {
  readonly name: string;
  readonly attributes?: Attributes;
  readonly f: (x: number) => number;
  readonly slope: (x: number) => number;
  /** Numbers that it takes: all, by default. */
  readonly from?: number;
  readonly to?: number;
  /** Where it has no slope. */
  readonly kinks?: readonly number[];
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const bell = (x: number): number => Math.exp(-x * x);

/** erf in double precision: its series, which has only positive terms, and from 4 on the continued fraction of erfc (Laplace). */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x > 4) return 1 - erfcTail(x);
  let [sum, term] = [x, x];
  for (let n = 1; n < 100; n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * bell(x) * sum;
}
function erfcTail(x: number): number {
  let rest = 0;
  for (let n = 60; n > 0; n--) rest = n / 2 / (x + rest);
  return bell(x) / Math.sqrt(Math.PI) / (x + rest);
}
/** Share of a normal distribution below x, also far below. */
const normal = (x: number): number => (x < -4 * Math.SQRT2 ? erfcTail(-x * Math.SQRT1_2) / 2 : (1 + erf(x * Math.SQRT1_2)) / 2);

const K = Math.sqrt(2 / Math.PI);
const geluTanh = (x: number): number => K * (x + 0.044715 * x ** 3);

const elu = (alpha: number, gamma = 1): Pick<Formula, 'f' | 'slope'> => ({
  f: (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x)),
  slope: (x) => gamma * (x > 0 ? 1 : alpha * Math.exp(x)),
});
const hardSigmoid = (alpha: number, beta: number): Pick<Formula, 'f' | 'slope' | 'kinks'> => ({
  f: (x) => Math.max(0, Math.min(1, alpha * x + beta)),
  slope: (x) => (alpha * x + beta > 0 && alpha * x + beta < 1 ? alpha : 0),
  kinks: [-beta / alpha, (1 - beta) / alpha],
});
const swish = (beta: number): Pick<Formula, 'f' | 'slope'> => ({
  f: (x) => x * sigmoid(beta * x),
  slope: (x) => sigmoid(beta * x) + (Math.abs(x) > 1e3 ? 0 : beta * x * sigmoid(beta * x) * sigmoid(-beta * x)),
});
const leaky = (slope: number): Pick<Formula, 'f' | 'slope' | 'kinks'> => ({ f: (x) => (x > 0 ? x : slope * x), slope: (x) => (x > 0 ? 1 : slope), kinks: [0] });
const power = (exponent: number, scale = 1, shift = 0, from = -3): Formula => ({
  name: 'power',
  attributes: { exponent, scale, shift },
  f: (x) => (shift + scale * x) ** exponent,
  slope: (x) => exponent * scale * (shift + scale * x) ** (exponent - 1),
  from,
  to: 3,
  ...(exponent < 0 && from < 0 && { kinks: [-shift / scale] }),
});

const FORMULAS: readonly Formula[] = [
  { name: 'sigmoid', f: sigmoid, slope: (x) => sigmoid(x) * sigmoid(-x) },
  { name: 'hard_sigmoid', ...hardSigmoid(Math.fround(0.2), 0.5) },
  { name: 'hard_sigmoid', attributes: { alpha: 1 / 6, beta: 0.5 }, ...hardSigmoid(Math.fround(1 / 6), 0.5) },
  { name: 'hard_sigmoid', attributes: { alpha: -0.5, beta: 0.25 }, ...hardSigmoid(-0.5, 0.25) },
  { name: 'hard_swish', f: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)), slope: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5), kinks: [-3, 3] },
  { name: 'swish', ...swish(1) },
  { name: 'swish', attributes: { beta: 1.75 }, ...swish(1.75) },
  { name: 'swish', attributes: { beta: -0.5 }, ...swish(-0.5) },
  { name: 'tanh', f: Math.tanh, slope: (x) => 1 / Math.cosh(x) ** 2 },
  { name: 'elu', ...elu(1) },
  { name: 'elu', attributes: { alpha: 2.5 }, ...elu(2.5), kinks: [0] },
  { name: 'selu', ...elu(1.6732632423543772, 1.0507009873554805), kinks: [0] },
  { name: 'selu', attributes: { alpha: 0.5, gamma: 3 }, ...elu(0.5, 3), kinks: [0] },
  { name: 'leaky_relu', ...leaky(Math.fround(0.01)) },
  { name: 'leaky_relu', attributes: { slope: 1.5 }, ...leaky(1.5) },
  { name: 'leaky_relu', attributes: { slope: -0.25 }, ...leaky(-0.25) },
  { name: 'gelu', f: (x) => x * normal(x), slope: (x) => normal(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI) },
  {
    name: 'gelu',
    attributes: { approximate: 'tanh' },
    f: (x) => (x < -30 ? -0 : x * sigmoid(2 * geluTanh(x))),
    slope: (x) => (Math.abs(x) > 30 ? Number(x > 0) : sigmoid(2 * geluTanh(x)) + 2 * x * sigmoid(2 * geluTanh(x)) * sigmoid(-2 * geluTanh(x)) * K * (1 + 3 * 0.044715 * x * x)),
  },
  { name: 'erf', f: erf, slope: (x) => (2 / Math.sqrt(Math.PI)) * bell(x) },
  { name: 'exp', f: Math.exp, slope: Math.exp, from: -1e5, to: 5 },
  { name: 'log', f: Math.log, slope: (x) => 1 / x, from: 0.01, to: 1e5 },
  { name: 'sqrt', f: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x), from: 0.01, to: 1e5 },
  { name: 'abs', f: Math.abs, slope: Math.sign, kinks: [0] },
  { name: 'softplus', f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), slope: sigmoid },
  { name: 'softsign', f: (x) => x / (1 + Math.abs(x)), slope: (x) => 1 / (1 + Math.abs(x)) ** 2 },
  ...[0, 1, 2, 3, 4, 7].map((exponent) => power(exponent)),
  ...[-1, -2, -3].map((exponent) => power(exponent, 1, -4)),
  ...[2, 3, -1, 5].map((exponent) => power(exponent, -0.5, 2.25)),
  ...[0.5, -0.5, 1.5, -1.5, 2.5, 0.75, -0.3].map((exponent) => power(exponent, 1, 0, 0.1)),
  ...[0.5, 0.75, 3.2].map((exponent) => power(exponent, 0.25, 1.5)),
];

const title = ({ name, attributes = {} }: Formula): string => `${name} ${JSON.stringify(attributes)}`;
const FORMS = FORMULAS.map((form) => [title(form), form] as const);

/**
 * WGSL grants exp an error of 3 + 2 |argument| ulp, and makes pow of it. Where a curve falls off by exp its error is
 * therefore some ulp of its value for every whole number of its argument: of 10 at most, past which there is nothing left.
 */
const ROUNDINGS = 9;

const curveTwin = ({ f, slope }: Formula, x: ArrayLike<number>, shape: readonly number[]): Twin => ({
  y: Sum.of(shape, (i) => f(x[i]!), ROUNDINGS),
  dx: (dy) => [Sum.of(shape, (i) => dy[i]! * slope(x[i]!), ROUNDINGS)],
});

const subject = ({ name, attributes = {} }: Formula, x: Tensor): Parameters<typeof prove>[1] => ({ op: name, attributes, x: [x] });

/** Numbers of the curve's range around 0, none where it has a kink. */
const moderate = ({ from = -6, to = 6, kinks = [] }: Formula, shape: readonly number[]): Tensor => {
  const x = random(shape, 1, Math.max(from, -6), Math.min(to, 6));
  return { shape, data: x.data.map((v) => (kinks.some((kink) => Math.abs(v - kink) < 0.01) ? v + 0.05 : v)) };
};

describe('curves against double precision', () => {
  test('every curve is here', () => expect(new Set(FORMULAS.map(({ name }) => name))).toEqual(new Set(Object.keys(CURVES))));

  test.each(FORMS)('%s', async (_, form) => {
    const x = moderate(form, [3, 5, 7]);
    await prove(engine(), subject(form, x), curveTwin(form, x.data, x.shape), { slack: 2 });
  });

  test.each(FORMS)('%s by fours, gradients of two branches', async (_, form) => {
    const x = moderate(form, [2, 3, 4, 5]);
    await prove(engine(), subject(form, x), curveTwin(form, x.data, x.shape), { slack: 2, twice: true });
  });

  const far = FORMS.filter(([, { name }]) => name !== 'power');
  test.each(far)('%s far from 0, and at 0', async (_, form) => {
    const { from = -3.4e38, to = 3.4e38, kinks = [] } = form;
    const sizes = [0, 7.5, 9.9, 12.5, 17, 40, 88, 89.5, 104, 151, 709, 2e3, 9e4, 1e19, 2e19, 1e30, 1e38];
    const values = sizes.flatMap((v) => [v, -v]).map((v) => Math.fround(Math.min(to, Math.max(from, v)))).filter((v) => !kinks.includes(v));
    const x = filled([values.length], (i) => values[i]!);
    await prove(engine(), subject(form, x), curveTwin(form, x.data, x.shape), { slack: 4 });
  });
});

describe('small results keep their digits', () => {
  const tiny = [1e-30, 3e-12, 1e-7, 1e-5, 3e-4, 0.01, 0.1, 0.3, 0.49, 0.51, 0.62, 0.63, 0.99];
  const below = [-2, -5, -10, -15, -20];
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['tanh', tiny.flatMap((v) => [v, -v])],
    ['erf', tiny.flatMap((v) => [v, -v])],
    ['elu', tiny.map((v) => -v)],
    ['gelu', tiny.flatMap((v) => [v, -v])],
    ['swish', [...tiny, ...below]],
    ['sigmoid', below],
    ['softplus', below],
  ];
  test.each(cases)('%s', async (name, values) => {
    const { f } = FORMULAS.find((form) => form.name === name)!;
    const x = filled([values.length], (i) => values[i]!);
    const { y } = await run(engine(), { op: name, x: [x] });
    y.data.forEach((v, i) => expect(Math.abs(v / f(x.data[i]!) - 1), `${name}(${x.data[i]}) is ${v}`).toBeLessThan(4e-6));
  });

  test('the tail of gelu', async () => {
    const x = filled([4], (i) => -2 - i);
    const { y } = await run(engine(), { op: 'gelu', x: [x] });
    y.data.forEach((v, i) => expect(v / (x.data[i]! * normal(x.data[i]!))).toBeCloseTo(1, 5));
  });
});

test('whole powers of a negative base, and of 0', async () => {
  for (const exponent of [2, 3, 0, 9]) {
    const { y } = await run(engine(), { op: 'power', attributes: { exponent }, x: [{ shape: [3], data: Float32Array.of(-2, 0, 3) }] });
    expect([...y.data]).toEqual([(-2) ** exponent, 0 ** exponent, 3 ** exponent]);
  }
  const { y: ones } = await run(engine(), { op: 'power', attributes: { exponent: 1023 }, x: [{ shape: [2], data: Float32Array.of(-1, 1) }] });
  expect([...ones.data]).toEqual([-1, 1]);
  const { y } = await run(engine(), { op: 'power', attributes: { exponent: 0.75 }, x: [{ shape: [1], data: Float32Array.of(0) }] });
  expect(y.data[0]).toBe(0);
});

test('the rules of ReLU change nothing', async () => {
  const x = random([3, 5], 1);
  const form = FORMULAS.find(({ name }) => name === 'leaky_relu')!;
  for (const rule of ['deconvnet', 'guided'] as const) await prove(engine(), subject(form, x), curveTwin(form, x.data, x.shape), { rule });
});

test.each(FORMS)('central differences of the twin: %s', (_, form) => {
  const x = moderate({ ...form, to: Math.min(form.to ?? 2, 2), from: Math.max(form.from ?? -2, form.name === 'log' ? 0.1 : -2) }, [4, 5]);
  expectCentralDifferences((values) => curveTwin(form, values, x.shape), x);
});

test('the double precision erf is right', () => {
  // Abramowitz and Stegun, table 7.1.
  for (const [x, y] of [[0.5, 0.5204998778], [1, 0.8427007929], [2, 0.995322265]] as const) expect(erf(x)).toBeCloseTo(y, 9);
  expect(erfcTail(5) / 1.5374597944280349e-12).toBeCloseTo(1, 12);
});

test.each([
  ['gelu', { approximate: 'quick' }, 'none or tanh'],
  ['gelu', { approximate: 1 }, 'must be a string'],
  ['elu', { alpha: NaN }, 'must be a number'],
  ['tanh', { alpha: 1 }, 'no attribute'],
  ['power', { exponent: 1e300 }, 'must lie in -1024..1024'],
] as const)('%s %o: refused', async (op, attributes, message) => {
  expect(OPS.has(op)).toBe(true);
  await expect(run(engine(), { op, attributes, x: [random([2], 1)] })).rejects.toThrow(message);
});

describe('a planted bug in a curve is noticed', () => {
  const bugs: readonly (PlantedBug & { readonly of: string; readonly twice?: boolean; readonly shape?: readonly number[] })[] = [
    { of: 'sigmoid', name: 'the sign is not looked at', find: 'x < T(0)', replace: 'false', shape: [15] },
    { of: 'sigmoid', name: 'the slope is not squared', pass: 'backward', find: 't / square(1.0 + t)', replace: 't / (1.0 + t)' },
    { of: 'tanh', name: 'a coefficient near 0', pass: 'forward', find: '105.0', replace: '105.1' },
    { of: 'hard_swish', name: 'the slope past 3', pass: 'backward', find: 'x >= T(3)', replace: 'x < T(3)' },
    { of: 'elu', name: 'the slope below 0', pass: 'backward', find: '* exp(x)', replace: '* exp(-x)' },
    { of: 'leaky_relu', name: 'the slope below 0 is forgotten', pass: 'backward', find: /T\(\(0\.0.*?f\)\)/, replace: 'T(0)' },
    { of: 'erf', name: 'a coefficient of the tail', pass: 'forward', find: '(0.13973459', replace: '(0.13974459' },
    { of: 'gelu', name: 'the density is forgotten', pass: 'backward', find: / \+ normalSlope\(.*?\);/, replace: ';' },
    { of: 'softplus', name: 'a coefficient of the logarithm', pass: 'forward', find: '(0.3333333', replace: '(0.3334333' },
    { of: 'abs', name: 'the slope has no sign', pass: 'backward', find: 'sign(x)', replace: 'T(1)' },
    { of: 'swish', name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
    { of: 'swish', name: 'the last element is left out', find: 'i + 12u < 15u', replace: 'i + 12u < 14u', shape: [15] },
  ];
  test.each(bugs)('$of: $name', async ({ of, twice = false, shape = [2, 20], ...bug }) => {
    const form = FORMULAS.find(({ name }) => name === of)!;
    const x = moderate(form, shape);
    await expectCaught(engine(), subject(form, x), curveTwin(form, x.data, x.shape), bug, { twice, slack: 2 });
  });
});
