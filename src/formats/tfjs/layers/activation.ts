/** Activation functions: as layers, and as what a convolution or a dense layer does in the end. */
import type { Attributes } from '../../../network/network.ts';
import { didYouMean, quote } from '../../../network/spelling.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { LayerTranslation, Mapping } from '../translation.ts';
import type { Value } from '../value.ts';

/** Largest finite float32: stands for a bound that is left out. */
const UNBOUNDED = 3.4028234663852886e38;

type Ops = readonly { readonly op: string; readonly attributes?: Attributes }[];

/** Functions of one number by the names that Keras and TensorFlow.js have for them. */
const FUNCTIONS: Readonly<Record<string, Ops>> = {
  linear: [],
  relu: [{ op: 'relu' }],
  relu6: [{ op: 'clip', attributes: { min: 0, max: 6 } }],
  sigmoid: [{ op: 'sigmoid' }],
  tanh: [{ op: 'tanh' }],
  elu: [{ op: 'elu' }],
  selu: [{ op: 'selu' }],
  swish: [{ op: 'swish' }],
  silu: [{ op: 'swish' }],
  hard_swish: [{ op: 'hard_swish' }],
  hard_silu: [{ op: 'hard_swish' }],
  gelu: [{ op: 'gelu', attributes: { approximate: 'none' } }],
  gelu_new: [{ op: 'gelu', attributes: { approximate: 'tanh' } }],
  exponential: [{ op: 'exp' }],
  softplus: [{ op: 'softplus' }],
  softsign: [{ op: 'softsign' }],
  leaky_relu: [{ op: 'leaky_relu', attributes: { slope: 0.2 } }],
};
const ALONG_AXIS = ['softmax', 'log_softmax'];
const KNOWN = [...Object.keys(FUNCTIONS), ...ALONG_AXIS, 'hard_sigmoid', 'mish'];

/** The name of a function: a text, or with Keras 3 an object that holds one; `linear` where there is none. */
function nameOf(t: LayerTranslation, value: Json | undefined): string {
  if (value === undefined || value === null) return 'linear';
  if (typeof value === 'string') return value;
  if (value instanceof Map) {
    const object = value as JsonObject;
    const config = object.get('config');
    if (typeof config === 'string') return config;
    throw t.refuse(`the activation ${quote(String(object.get('class_name')))} with settings of its own is not supported`);
  }
  throw t.config.fault('activation', 'names no function');
}

/** Applies the function that the config names; the value itself where it names none. */
export const activated = (t: LayerTranslation, x: Value): Value => applied(t, x, nameOf(t, t.config.raw('activation')));

/** Applies the function of this name. */
export function applied(t: LayerTranslation, x: Value, stated: string): Value {
  const name = stated.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase(); // hardSigmoid is hard_sigmoid
  if (ALONG_AXIS.includes(name)) return alongAxis(t, x, name, -1);
  if (name === 'hard_sigmoid') {
    // min(max(x + 3, 0), 6) / 6 since Keras 3
    const attributes = t.scope.keras >= 3 ? { alpha: 1 / 6, beta: 0.5 } : { alpha: 0.2, beta: 0.5 };
    return chain(t, x, [{ op: 'hard_sigmoid', attributes }]);
  }
  if (name === 'mish') {
    const gate = chain(t, x, [{ op: 'softplus' }, { op: 'tanh' }]);
    return { ...x, name: t.emit({ op: 'multiply', inputs: [x.name, gate.name] }) };
  }
  const ops = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (!ops) {
    const hint = didYouMean(name, KNOWN);
    throw t.refuse(`the activation ${quote(stated)} is not supported${hint ? `; ${hint}` : ''}`);
  }
  return chain(t, x, ops);
}

/** One op after the other on every number: the layout stays what it is. */
function chain(t: LayerTranslation, x: Value, ops: Ops): Value {
  return ops.reduce((value, { op, attributes = {} }) => ({ ...value, name: t.emit({ op, inputs: [value.name], attributes }) }), x);
}

function alongAxis(t: LayerTranslation, x: Value, op: string, stated: number): Value {
  // The order of the elements does not matter to rows that are a flattened tensor.
  const axis = x.order.indexOf(t.axis(stated, x));
  return { ...x, name: t.emit({ op, inputs: [x.name], attributes: { axis } }) };
}

export const activation: Mapping = (t) => activated(t, t.input());

/** Softmax over one axis, or over several together, which then lie last. */
export const softmax: Mapping = (t) => {
  const x = t.input();
  const axes = t.config.given('axis') ? t.config.axes('axis') : [-1];
  if (axes.length !== 1) throw t.refuse(`a softmax over ${axes.length} axes together is not supported`);
  return alongAxis(t, x, 'softmax', axes[0]!);
};

export const relu: Mapping = (t) => {
  const x = t.input();
  const { config } = t;
  const slope = config.numberOr('negative_slope', 0);
  const threshold = config.numberOr('threshold', 0);
  const limit = config.given('max_value') ? config.number('max_value') : undefined;
  if (threshold !== 0) throw t.refuse(`threshold ${threshold} is not supported, only 0`);
  if (limit !== undefined && limit < 0) throw t.invalid(`max_value ${limit} is below 0`);
  if (slope === 0) return chain(t, x, [limit === undefined ? { op: 'relu' } : { op: 'clip', attributes: { min: 0, max: limit } }]);
  const leaky = { op: 'leaky_relu', attributes: { slope } };
  return chain(t, x, limit === undefined ? [leaky] : [leaky, { op: 'clip', attributes: { min: -UNBOUNDED, max: limit } }]);
};

/** The slope is called `alpha` before Keras 3. */
export const leakyRelu: Mapping = (t) => chain(t, t.input(), [{ op: 'leaky_relu', attributes: { slope: t.config.numberOr('alpha', t.config.numberOr('negative_slope', 0.3)) } }]);

export const elu: Mapping = (t) => chain(t, t.input(), [{ op: 'elu', attributes: { alpha: t.config.numberOr('alpha', 1) } }]);

/** A slope for each element, or for all along the axes that share one. */
export const prelu: Mapping = (t) => {
  const x = t.input();
  const shared = t.config.given('shared_axes') ? t.config.axes('shared_axes').map((axis) => t.axis(axis, x)) : [];
  const shape = x.shape.slice(1).map((size, axis) => (shared.includes(axis + 1) ? 1 : size));
  const slope = t.weight(['alpha'], { shape, ...inOrderOf(x, shape) });
  return { ...x, name: t.emit({ op: 'prelu', inputs: [x.name], weights: { slope } }) };
};

/** How numbers for each element behind the batch are put in the order of our tensor. */
function inOrderOf(x: Value, shape: readonly number[]): { split: readonly number[]; order: readonly number[]; as?: readonly number[] } {
  const inner = (order: readonly number[]): number[] => order.slice(1).map((axis) => axis - 1);
  if (!x.flattened) return { split: shape, order: inner(x.order) };
  // One slope for all rows needs no order.
  if (shape[0] === 1) return { split: shape, order: [0] };
  return { split: x.flattened.shape.slice(1), order: inner(x.flattened.order), as: shape };
}

