/**
 * Curves: functions of one number, elementwise, and their true derivatives, whatever the rule of ReLU.
 *   y = f(x)      dx = f'(x) dy
 *   x, y, dy, dx [N, ...] f32. One invocation, some elements.
 * No formula has an infinity on its way to a finite result, and none takes nearly equal numbers from each other where
 * the result is small: WGSL leaves to the driver what becomes of the one, and rounding makes noise of the other.
 * Source: elu Clevert et al. 2016; selu Klambauer et al. 2017; gelu Hendrycks and Gimpel 2016; swish Ramachandran et al.
 * 2017; hard_swish Howard et al. 2019. tanh near 0: Lambert's continued fraction (1768), exp(x) - 1 from it by
 * 2 tanh(x/2) / (1 - tanh(x/2)). erfc: our own fit, in the variable that Numerical Recipes (6.2) takes for erfcc.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { elementsOf, elementwiseMain, f32, range, store } from './prelude.wgsl.ts';

/** Numbers and words by name; which ones a curve has, its entry below says. */
type Attributes = Readonly<Record<string, number | string>>;

interface Curve {
  /** With their defaults. */
  readonly attributes: Attributes;
  /** Expressions of x, for a number and for four at once: T is the type of x. */
  readonly y: (attributes: Attributes) => string;
  readonly slope: (attributes: Attributes) => string;
}

/** A number among the attributes, as a literal. */
const literal = (attributes: Attributes, name: string): string => f32(attributes[name] as number);

const elu = (alpha: string): string => `select(${alpha} * expm1(x), x, x > T(0))`;
const eluSlope = (alpha: string): string => `select(${alpha} * exp(x), T(1), x > T(0))`;

/** Base and exponent of `power`. */
const base = (a: Attributes): string => `(${a.shift === 0 ? '' : `${literal(a, 'shift')} + `}${a.scale === 1 ? 'x' : `${literal(a, 'scale')} * x`})`;
const exponent = (a: Attributes): number => a.exponent as number;

export const CURVES: Readonly<Record<string, Curve>> = {
  sigmoid: { attributes: {}, y: () => 'sigmoid(x)', slope: () => 'sigmoidSlope(x)' },
  hard_sigmoid: {
    attributes: { alpha: 0.2, beta: 0.5 },
    y: (a) => `clamp(${literal(a, 'alpha')} * x + ${literal(a, 'beta')}, T(0), T(1))`,
    slope: (a) => `${literal(a, 'alpha')} * inside(${literal(a, 'alpha')} * x + ${literal(a, 'beta')})`,
  },
  hard_swish: {
    attributes: {},
    y: () => `x * clamp(x * ${f32(1 / 6)} + 0.5, T(0), T(1))`,
    slope: () => `select(select(T(0), T(1), x >= T(3)), x * ${f32(1 / 3)} + 0.5, abs(x) < T(3))`,
  },
  swish: {
    attributes: { beta: 1 },
    y: (a) => `x * sigmoid(${literal(a, 'beta')} * x)`,
    slope: (a) => `swishSlope(clamp(${literal(a, 'beta')} * x, T(-150), T(150)))`,
  },
  tanh: { attributes: {}, y: () => 'hyperbolicTangent(x)', slope: () => '4.0 * sigmoidSlope(2.0 * x)' },
  elu: { attributes: { alpha: 1 }, y: (a) => elu(literal(a, 'alpha')), slope: (a) => eluSlope(literal(a, 'alpha')) },
  selu: {
    attributes: { alpha: 1.6732632423543772, gamma: 1.0507009873554805 },
    y: (a) => `${literal(a, 'gamma')} * ${elu(literal(a, 'alpha'))}`,
    slope: (a) => `${literal(a, 'gamma')} * ${eluSlope(literal(a, 'alpha'))}`,
  },
  leaky_relu: {
    attributes: { slope: 0.01 },
    y: (a) => `select(${literal(a, 'slope')} * x, x, x > T(0))`,
    slope: (a) => `select(T(${literal(a, 'slope')}), T(1), x > T(0))`,
  },
  gelu: {
    attributes: { approximate: 'none' },
    y: (a) => (a.approximate === 'tanh' ? 'x * sigmoid(geluArgument(clamp(x, T(-12), T(12))))' : 'x * normal(x)'),
    slope: (a) => (a.approximate === 'tanh' ? 'geluSlope(clamp(x, T(-12), T(12)))' : 'normal(x) + normalSlope(clamp(x, T(-16), T(16)))'),
  },
  erf: { attributes: {}, y: () => 'erf(x)', slope: () => `${f32(2 / Math.sqrt(Math.PI))} * bell(x)` },
  exp: { attributes: {}, y: () => 'exp(x)', slope: () => 'exp(x)' },
  log: { attributes: {}, y: () => 'log(x)', slope: () => '1.0 / x' },
  sqrt: { attributes: {}, y: () => 'sqrt(x)', slope: () => '0.5 * inverseSqrt(x)' },
  abs: { attributes: {}, y: () => 'abs(x)', slope: () => 'sign(x)' },
  power: {
    attributes: { exponent: 1, scale: 1, shift: 0 },
    y: (a) => raised(base(a), exponent(a)),
    slope: (a) => (exponent(a) === 0 ? 'T(0)' : `${f32(exponent(a) * (a.scale as number))} * ${raised(base(a), exponent(a) - 1)}`),
  },
  softplus: { attributes: {}, y: () => 'max(x, T(0)) + log1p(exp(-abs(x)))', slope: () => 'sigmoid(x)' },
  softsign: { attributes: {}, y: () => 'softsign(clamp(x, T(-1e30), T(1e30)))', slope: () => 'square(1.0 / (1.0 + min(abs(x), T(1e30))))' },
};

/**
 * `base` to a power. Whole exponents are products and halves are roots, right for every base that has such a power:
 * pow is that of positive bases alone.
 */
function raised(base: string, exponent: number): string {
  if (exponent === -0.5) return `inverseSqrt(${base})`;
  if (exponent < 0 && Number.isInteger(2 * exponent)) return `(1.0 / ${raised(base, -exponent)})`;
  if (!Number.isInteger(2 * exponent)) return exponent > 0 ? `select(pow(${base}, T(${f32(exponent)})), T(0), ${base} == T(0))` : `pow(${base}, T(${f32(exponent)}))`;
  if (exponent === 0.5) return `sqrt(${base})`;
  if (!Number.isInteger(exponent)) return `(${raised(base, exponent - 0.5)} * sqrt(${base}))`;
  if (exponent === 0) return 'T(1)';
  if (exponent === 1) return base;
  const half = `square(${raised(base, Math.floor(exponent / 2))})`;
  return exponent % 2 === 0 ? half : `(${base} * ${half})`;
}

/** c[0] + c[1] x + c[2] x^2 + ... */
const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients.map(f32).reduceRight((rest, coefficient) => `(${coefficient} + ${x} * ${rest})`);

/** erf(x) = x times this polynomial of x^2: Maclaurin's series, below 1e-9 of it away for |x| < 0.5. */
const ERF = range(7).map((n) => ((2 / Math.sqrt(Math.PI)) * (-1) ** n) / (range(n, 1).reduce((a, b) => a * b, 1) * (2 * n + 1)));

/**
 * erfc(z) = u exp(-z^2) times this polynomial of 2 u - 1, where u = 1 / (1 + z/2), for 0 <= z <= 10: it meets exp(z^2)
 * erfc(z) / u at the Chebyshev points between u(10) and 1, and is within 6e-8 of it, relatively, between them.
 */
const ERFC = [0.510791377, 0.343580437, 0.139734596, 0.0182184204, -0.0107407863, -0.00322231387, 0.00148939065, 0.000382098701, -0.000233261402];

/** What expressions may call. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  square: 'return x * x;',
  // 1 where 0 < x < 1, else 0.
  inside: 'return select(T(0), T(1), (x > T(0)) & (x < T(1)));',
  // 1 / (1 + exp(-x)), and its slope: exp of what is never positive.
  sigmoid: 'let t = exp(-abs(x)); return select(T(1), t, x < T(0)) / (1.0 + t);',
  sigmoidSlope: 'let t = exp(-abs(x)); return t / square(1.0 + t);',
  // d/dx of x sigmoid(b x), of b x.
  swishSlope: 'return sigmoid(x) + x * sigmoidSlope(x);',
  softsign: 'return x / (1.0 + abs(x));',
  // tanh(x) to 1e-9 of it for |x| < 0.625.
  tanhNearZero: 'let z = x * x; return x * (945.0 + z * (105.0 + z)) / (945.0 + z * (420.0 + 15.0 * z));',
  hyperbolicTangent: 'let t = exp(-2.0 * abs(x)); return select(sign(x) * (1.0 - t) / (1.0 + t), tanhNearZero(x), abs(x) < T(0.625));',
  // exp(x) - 1.
  expm1: 'let t = tanhNearZero(0.5 * x); return select(exp(x) - 1.0, 2.0 * t / (1.0 - t), abs(x) < T(1));',
  // log(1 + x) for 0 <= x <= 1: 2 artanh(s), s <= 1/3, whose series is 2e-9 of it away.
  log1p: `let s = x / (2.0 + x); let z = s * s; return 2.0 * s * ${polynomial('z', range(8).map((n) => 1 / (2 * n + 1)))};`,
  // exp(-x^2).
  bell: 'let z = select(x, T(10), abs(x) > T(10)); return exp(-z * z);',
  // 1 - erf(x) for x >= 0.
  erfc: `let u = 1.0 / (1.0 + 0.5 * select(x, T(10), x > T(10))); let s = 2.0 * u - 1.0; return u * ${polynomial('s', ERFC)} * bell(x);`,
  erf: `let z = x * x; return select(sign(x) * (1.0 - erfc(abs(x))), x * ${polynomial('z', ERF)}, abs(x) < T(0.5));`,
  // Share of a normal distribution below x; and x times its density.
  normal: `let tail = 0.5 * erfc(abs(x) * ${f32(Math.SQRT1_2)}); return select(1.0 - tail, tail, x < T(0));`,
  normalSlope: `return ${f32(1 / Math.sqrt(2 * Math.PI))} * x * exp(-0.5 * x * x);`,
  // (1 + tanh(v)) / 2 = sigmoid(2 v): 2 v, and d/dx of x sigmoid(2 v).
  geluArgument: `return ${f32(2 * Math.sqrt(2 / Math.PI))} * x * (1.0 + 0.044715 * x * x);`,
  geluSlope: `let v = geluArgument(x); return sigmoid(v) + ${f32(2 * Math.sqrt(2 / Math.PI))} * x * (1.0 + 0.134145 * x * x) * sigmoidSlope(v);`,
};

/** The function `name` with that body, and every one that it calls, each once. */
function definition(name: string, body: string): string {
  const called = new Map([[name, body]]);
  // Grows while it is walked.
  for (const [, text] of called) for (const [other, its] of Object.entries(FUNCTIONS)) if (new RegExp(`\\b${other}\\(`).test(text)) called.set(other, its);
  return [...called].map(([each, its]) => `fn ${each}(x: T) -> T { ${its} }`).join('\n');
}

export interface CurveParameters {
  readonly name: string;
  readonly attributes: Attributes;
  readonly count: number;
}

export function curve({ name, attributes, count }: CurveParameters): string {
  const elements = elementsOf(count);
  const { type } = elements;
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}>;
${elementwiseMain(elements, (at, step) => `let v${step} = x[${at}];`, (at, step) => `y[${at}] = curve(v${step});`)}

alias T = ${type};
${definition('curve', `return ${CURVES[name]!.y(attributes)};`)}`;
}

export function curveBackward({ name, attributes, count, accumulate }: CurveParameters & { readonly accumulate: boolean }): string {
  const elements = elementsOf(count);
  const { type } = elements;
  const load = (at: string, step: number): string => `let g${step} = dy[${at}];\n  let v${step} = x[${at}];`;
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read> dy: array<${type}>;
@group(0) @binding(2) var<storage, read_write> dx: array<${type}>;
${elementwiseMain(elements, load, (at, step) => store(`dx[${at}]`, `g${step} * slope(v${step})`, accumulate))}

alias T = ${type};
${definition('slope', `return ${CURVES[name]!.slope(attributes)};`)}`;
}
