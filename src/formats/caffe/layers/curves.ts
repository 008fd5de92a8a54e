/** Functions of one number: ReLU and its kin, Sigmoid, TanH, AbsVal, Exp, Log, Power, BNLL, Clip, Dropout. */
import type { Fields } from '../fields.ts';
import type { LayerTranslation, Mapping } from '../translation.ts';

/** A function without parameters; `param` holds none but the engine. */
const plain =
  (op: string, param?: string): Mapping =>
  (t) => {
    t.takes(1);
    if (param !== undefined) t.param(param).ignore('engine');
    t.emit({ op });
  };

export const sigmoid = plain('sigmoid', 'sigmoid_param');
export const tanh = plain('tanh', 'tanh_param');
export const absVal = plain('abs');
/** log(1 + exp x). */
export const bnll = plain('softplus');

export const relu: Mapping = (t) => {
  t.takes(1);
  const p = t.param('relu_param');
  p.ignore('engine');
  const slope = p.number('negative_slope', 0);
  if (slope === 0) t.emit({ op: 'relu' });
  else t.emit({ op: 'leaky_relu', attributes: { slope } });
};

export const elu: Mapping = (t) => {
  t.takes(1);
  t.emit({ op: 'elu', attributes: { alpha: t.param('elu_param').number('alpha', 1) } });
};

export const swish: Mapping = (t) => {
  t.takes(1);
  const p = t.param('swish_param');
  p.ignore('engine');
  t.emit({ op: 'swish', attributes: { beta: p.number('beta', 1) } });
};

/** A slope for every channel, or one for all. */
export const prelu: Mapping = (t) => {
  t.takes(1);
  const p = t.param('prelu_param');
  p.ignore('filler');
  const [, channels, ...plane] = t.shape;
  if (channels === undefined) throw t.invalid(`has a bottom [${t.shape}] without channels`);
  const shape = p.boolean('channel_shared', false) ? [1] : [channels, ...plane.map(() => 1)];
  t.emit({ op: 'prelu', weights: { slope: t.blob(0, 'the slope', shape) } });
};

export const clip: Mapping = (t) => {
  t.takes(1);
  const p = t.param('clip_param');
  if (!p.has('min') || !p.has('max')) throw t.invalid('min and max must both be given');
  t.emit({ op: 'clip', attributes: { min: p.number('min', 0), max: p.number('max', 0) } });
};

/** Nothing where scale x + shift is x. */
const linear = (scale: number, shift: number) => (scale === 1 && shift === 0 ? [] : [{ op: 'power', attributes: { exponent: 1, scale, shift } }]);

/** (shift + scale x)^power. */
export const power: Mapping = (t) => {
  t.takes(1);
  const p = t.param('power_param');
  const [exponent, scale, shift] = [p.number('power', 1), p.number('scale', 1), p.number('shift', 0)];
  t.chain(exponent === 1 ? linear(scale, shift) : [{ op: 'power', attributes: { exponent, scale, shift } }]);
};

/** What Exp and Log share: a base, whose logarithm is returned, and a line inside. */
function baseAndLine(t: LayerTranslation, p: Fields): { readonly base: number; readonly scale: number; readonly shift: number } {
  const base = p.number('base', -1);
  if (base !== -1 && !(base > 0)) throw t.invalid(`base is ${base}; it must be above 0, or -1 for e`);
  return { base: base === -1 ? 1 : Math.log(base), scale: p.number('scale', 1), shift: p.number('shift', 0) };
}

/** base^(shift + scale x) = exp(ln base (shift + scale x)). */
export const exp: Mapping = (t) => {
  t.takes(1);
  const { base, scale, shift } = baseAndLine(t, t.param('exp_param'));
  t.chain([...linear(base * scale, base * shift), { op: 'exp' }]);
};

/** log of shift + scale x to the base = ln(shift + scale x) / ln base. */
export const log: Mapping = (t) => {
  t.takes(1);
  const { base, scale, shift } = baseAndLine(t, t.param('log_param'));
  if (base === 0) throw t.invalid('there is no logarithm to the base 1');
  t.chain([...linear(scale, shift).map((line) => ({ ...line, part: 'line' })), { op: 'log' }, ...linear(1 / base, 0)]);
};

/** It does nothing once the training is over. */
export const dropout: Mapping = (t) => {
  t.takes(1);
  t.param('dropout_param').ignore('dropout_ratio');
  t.emit({ op: 'identity' });
};
