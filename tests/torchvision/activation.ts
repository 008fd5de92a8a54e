/** Activations as torch.onnx writes them: one node, or the formula in older opsets. Powers are those of a normal distribution. */
import type { Exporter } from './exporter.ts';
import type { Attribute, Value } from './graph.ts';

export type Activation = 'relu' | 'relu6' | 'hardswish' | 'hardsigmoid' | 'silu' | 'sigmoid' | 'gelu';

function unary(t: Exporter, at: string, op: string, x: Value, factor: number, attributes: Readonly<Record<string, Attribute>> = {}): Value {
  return t.call({ at, op, inputs: [x], attributes, shape: x.shape, power: factor * x.power });
}

/** Clip: bounds are attributes before opset 11, operands from then on. */
function clip(t: Exporter, at: string, x: Value, min: number, max: number): Value {
  if (t.opset < 11) return unary(t, at, 'Clip', x, 0.5, { max: { float: max }, min: { float: min } });
  return t.call({ at, op: 'Clip', inputs: [x, t.scalar(at, min), t.scalar(at, max)], shape: x.shape, power: 0.5 * x.power });
}

/** x op constant. */
function byScalar(t: Exporter, at: string, op: string, x: Value, value: number): Value {
  return t.call({ at, op, inputs: [x, t.scalar(at, value)], shape: x.shape });
}

/** relu6(x + 3) / 6 in the first exporters, one node from opset 12 on. */
function hardSigmoid(t: Exporter, at: string, x: Value): Value {
  const y = t.opset < 12 ? byScalar(t, at, 'Div', clip(t, at, byScalar(t, at, 'Add', x, 3), 0, 6), 6) : unary(t, at, 'HardSigmoid', x, 1, { alpha: { float: 1 / 6 } });
  return { ...y, power: 0.3 };
}

/** a b, of which `b` may have size 1 where `a` has not. */
export function multiply(t: Exporter, at: string, a: Value, b: Value): Value {
  return t.call({ at, op: 'Mul', inputs: [a, b], shape: a.shape.map((size, axis) => Math.max(size, b.shape[axis]!)), power: a.power * b.power });
}

const FORMS: Readonly<Record<Activation, (t: Exporter, at: string, x: Value) => Value>> = {
  relu: (t, at, x) => unary(t, at, 'Relu', x, 0.5),
  relu6: (t, at, x) => clip(t, at, x, 0, 6),
  hardswish: (t, at, x) => ({ ...(t.opset < 14 ? multiply(t, at, x, hardSigmoid(t, at, x)) : unary(t, at, 'HardSwish', x, 1)), power: 0.35 * x.power }),
  hardsigmoid: hardSigmoid,
  sigmoid: (t, at, x) => ({ ...unary(t, at, 'Sigmoid', x, 1), power: 0.3 }),
  silu: (t, at, x) => ({ ...multiply(t, at, x, unary(t, at, 'Sigmoid', x, 1)), power: 0.35 * x.power }),
  gelu(t, at, x) {
    const power = 0.4 * x.power;
    if (t.opset >= 20) return { ...unary(t, at, 'Gelu', x, 1, { approximate: 'none' }), power };
    const erf = unary(t, at, 'Erf', byScalar(t, at, 'Div', x, Math.SQRT2), 1);
    const product = t.call({ at, op: 'Mul', inputs: [x, byScalar(t, at, 'Add', erf, 1)], shape: x.shape });
    return { ...byScalar(t, at, 'Mul', product, 0.5), power };
  },
};

export function activate(t: Exporter, kind: Activation, at: string, x: Value): Value {
  return FORMS[kind](t, at, x);
}

export const relu = (t: Exporter, at: string, x: Value): Value => activate(t, 'relu', at, x);

/** Over the last axis: LayerNormalization from opset 17 on, before that its formula in eight nodes. */
export function layerNorm(t: Exporter, at: string, x: Value, epsilon: number): Value {
  const axis = [x.shape.at(-1)!];
  const weights = (): [string, string] => [t.learnedVector(`${at}.weight`, axis, 1, 0.25), t.learnedVector(`${at}.bias`, axis, 0, 0.2)];
  if (t.opset >= 17) {
    const attributes = { axis: -1, epsilon: { float: epsilon }, ...(t.opset >= 18 && { stash_type: 1 }) };
    return t.call({ at, op: 'LayerNormalization', inputs: [x, ...weights()], attributes, shape: x.shape, power: 1 });
  }
  const of = (op: string, inputs: readonly (Value | string)[]): Value => t.call({ at, op, inputs, shape: x.shape, power: 1 });
  const centred = of('Sub', [x, t.mean(at, x, [-1], true)]);
  const variance = t.mean(at, of('Pow', [centred, t.scalar(at, 2)]), [-1], true);
  const deviation = unary(t, at, 'Sqrt', byScalar(t, at, 'Add', variance, epsilon), 1);
  const [weight, bias] = weights();
  return of('Add', [of('Mul', [of('Div', [centred, deviation]), weight]), bias]);
}
