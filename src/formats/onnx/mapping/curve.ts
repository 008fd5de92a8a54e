/** Functions of one number: activations, roots, powers. */
import { isReal } from '../tensor.ts';
import { castType } from '../folding/creation.ts';
import type { Attributes } from '../../../network/network.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';

/** Largest finite float32: stands for a bound that is left out. */
const UNBOUNDED = 3.4028234663852886e38;

/** A layer of the same shape as its input. */
export function curve(op: string, attributesOf: (t: NodeTranslation) => Attributes = () => ({})): Mapping {
  return (t) => {
    const attributes = attributesOf(t);
    const x = t.runtime(0);
    t.emit({ op, inputs: [x], attributes, shape: x.shape });
  };
}

export const hardSigmoid = curve('hard_sigmoid', (t) => ({ alpha: t.attributes.float('alpha', 0.2), beta: t.attributes.float('beta', 0.5) }));
export const elu = curve('elu', (t) => ({ alpha: t.attributes.float('alpha', 1) }));
export const leakyRelu = curve('leaky_relu', (t) => ({ slope: t.attributes.float('alpha', 0.01) }));
export const swish = curve('swish', (t) => ({ beta: t.attributes.float('alpha', 1) }));

/** Selu; its constants had four digits before version 6. */
export const selu = curve('selu', (t) => ({
  alpha: t.attributes.float('alpha', t.opset < 6 ? 1.6732 : 1.6732632423543772),
  gamma: t.attributes.float('gamma', t.opset < 6 ? 1.0507 : 1.0507009873554805),
}));

export const gelu = curve('gelu', (t) => {
  const approximate = t.attributes.text('approximate', 'none');
  if (approximate !== 'none' && approximate !== 'tanh') throw t.refuse(`approximate '${approximate.slice(0, 20)}' is not supported`, 'approximate');
  return { approximate };
});

/** Clip: bounds are attributes before version 11, operands from then on. */
export const clip = curve('clip', (t) => {
  const bound = (index: number, name: 'min' | 'max', unbounded: number): number => {
    const value = (t.opset < 11 ? t.attributes.float(name, unbounded) : t.scalar(index, `the bound ${name}`)) ?? unbounded;
    if (Number.isNaN(value)) throw t.invalid(`the bound ${name} is not a number`);
    return Math.max(-UNBOUNDED, Math.min(UNBOUNDED, value));
  };
  return { min: bound(1, 'min', -UNBOUNDED), max: bound(2, 'max', UNBOUNDED) };
});

/** Pow with one constant exponent for all elements. */
export const pow: Mapping = (t) => {
  if (t.opset < 7) t.attributes.ignore('broadcast', 'axis'); // an exponent for all elements needs no alignment
  const { data, shape } = t.constant(1, 'the exponent');
  if (data.length !== 1) throw t.refuse(`an exponent of shape [${shape}] is not supported, only one for all elements`);
  const x = t.runtime(0);
  t.emit({ op: 'power', inputs: [x], attributes: { exponent: data[0]! }, shape: x.shape });
};

/** Mish: x tanh(log(1 + e^x)). */
export const mish: Mapping = (t) => {
  const x = t.runtime(0);
  const soft = t.emit({ op: 'softplus', inputs: [x], shape: x.shape, part: 'softplus' });
  const gate = t.emit({ op: 'tanh', inputs: [soft], shape: x.shape, part: 'tanh' });
  t.emit({ op: 'multiply', inputs: [x, gate], shape: x.shape });
};

export const identity = curve('identity');

/** Dropout does nothing at inference. */
export const dropout: Mapping = (t) => {
  t.attributes.ignore('ratio', 'seed', 'is_test');
  if (t.isUsed(1)) throw t.refuse('its mask is used');
  const training = t.opset >= 12 ? t.optionalConstant(2, 'training_mode') : undefined;
  const isDropping = (t.opset < 12 ? undefined : t.optionalConstant(1, 'the ratio'))?.data[0] !== 0;
  if (isDropping && training?.data.some((value) => value !== 0)) throw t.refuse('training_mode is not supported');
  identity(t);
};

/** Cast between real numbers: everything is float32 here. */
export const cast: Mapping = (t) => {
  const type = castType(t);
  if (!isReal(type)) throw t.refuse(`a cast of a computed tensor to ${type} is not supported`, 'to');
  identity(t);
};

export const castLike: Mapping = (t) => {
  t.attributes.ignore('saturate', 'round_mode');
  const type = t.operand(1)?.constant?.type ?? 'FLOAT';
  if (!isReal(type)) throw t.refuse(`a cast of a computed tensor to ${type} is not supported`);
  identity(t);
};
