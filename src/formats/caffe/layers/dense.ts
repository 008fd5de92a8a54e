/** InnerProduct. */
import type { Tensor } from '../../../network/network.ts';
import type { Mapping } from '../translation.ts';

export const innerProduct: Mapping = (t) => {
  t.takes(1);
  const p = t.param('inner_product_param');
  p.ignore('weight_filler', 'bias_filler');
  const outputs = p.integer('num_output', 0);
  if (outputs < 1) throw t.invalid(`num_output is ${outputs}`);
  if (p.integer('axis', 1) !== 1) throw t.refuse('an inner product over other axes than all behind the batch is not supported');
  const weight = p.boolean('transpose', false) ? transposed(t.blob(0, 'the weight', [-1, outputs])) : t.blob(0, 'the weight', [outputs, -1]);
  const bias = p.boolean('bias_term', true) ? t.blob(1, 'the bias', [outputs]) : undefined;
  t.emit({ op: 'dense', weights: { weight, bias } });
};

/** [K, M] -> [M, K]. */
function transposed({ shape, data }: Tensor): Tensor {
  const [terms, outputs] = shape as [number, number];
  const turned = new Float32Array(data.length);
  for (let k = 0; k < terms; k++) for (let m = 0; m < outputs; m++) turned[m * terms + k] = data[k * outputs + m]!;
  return { shape: [outputs, terms], data: turned };
}
