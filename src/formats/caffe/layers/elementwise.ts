/** ReLU, Eltwise, Power, Bias, Dropout, Split. */
import type { Mapping } from '../translation.ts';

export const relu: Mapping = (t) => {
  t.takes(1);
  const p = t.param('relu_param');
  p.ignore('engine');
  const slope = p.number('negative_slope', 0);
  if (slope !== 0) throw t.refuse(`negative_slope ${slope} is not supported, only 0`);
  t.emit({ op: 'relu' });
};

export const eltwise: Mapping = (t) => {
  const p = t.param('eltwise_param');
  p.ignore('stable_prod_grad');
  const operation = p.word('operation', ['PROD', 'SUM', 'MAX'], 'SUM');
  if (operation !== 'SUM') throw t.refuse(`operation ${operation} is not supported, only SUM`);
  const { inputs } = t;
  const factors = p.numbers('coeff');
  if (inputs.length < 2) throw t.invalid(`has ${inputs.length} bottoms; at least 2 are needed`);
  if (factors.length > 0 && factors.length !== inputs.length) throw t.invalid(`has ${factors.length} coeff for ${inputs.length} bottoms`);
  if (factors.some((factor) => factor !== 1)) throw t.refuse(`coeff [${factors}] is not supported, only 1`);
  let sum = inputs[0]!;
  inputs.slice(1).forEach((input, index) => {
    const last = index === inputs.length - 2;
    sum = t.emit({ op: 'add', inputs: [sum, input], ...(!last && { part: `sum${index + 1}` }) });
  });
};

/** (shift + scale x)^power. */
export const power: Mapping = (t) => {
  t.takes(1);
  const p = t.param('power_param');
  const [exponent, scale, shift] = [p.number('power', 1), p.number('scale', 1), p.number('shift', 0)];
  if (exponent !== 1 || scale !== 1 || shift !== 0) throw t.refuse(`(${shift} + ${scale} x)^${exponent} is not supported`);
  t.emit({ op: 'identity' });
};

/** A number per channel is added. */
export const bias: Mapping = (t) => {
  t.takes(1);
  const p = t.param('bias_param');
  p.ignore('filler');
  if (p.integer('axis', 1) !== 1 || p.integer('num_axes', 1) !== 1) throw t.refuse('a bias that is not one number per channel is not supported');
  t.emit({ op: 'add', weights: { addend: t.blob(0, 'the bias', [-1, 1, 1]) } });
};

/** It does nothing once the training is over. */
export const dropout: Mapping = (t) => {
  t.takes(1);
  t.layer.fields.ignore('dropout_param');
  t.emit({ op: 'identity' });
};

export const split: Mapping = (t) => {
  t.takes(1);
  t.alias();
};
