/** InnerProduct. */
import type { Tensor } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import type { Mapping } from '../translation.ts';

/** The axes from `axis` on are one row of the product; those before it are rows of their own. */
export const innerProduct: Mapping = (t) => {
  t.takes(1);
  const p = t.param('inner_product_param');
  p.ignore('weight_filler', 'bias_filler');
  const outputs = p.integer('num_output', 0);
  if (outputs < 1) throw t.invalid(`num_output is ${outputs}`);
  const axis = t.axisBehindBatch(p.integer('axis', 1), 'an inner product');
  const before = t.shape.slice(0, axis);
  const terms = elementCount(t.shape.slice(axis));
  const weight = p.boolean('transpose', false) ? transposed(t.blob(0, 'the weight', [terms, outputs])) : t.blob(0, 'the weight', [outputs, terms]);
  const weights = { weight, bias: p.boolean('bias_term', true) ? t.blob(1, 'the bias', [outputs]) : undefined };
  if (axis === 1) {
    t.emit({ op: 'dense', weights, shape: [...before, outputs] });
    return;
  }
  const rows = elementCount(before);
  t.chain([
    { op: 'reshape', attributes: { shape: [-1, terms] }, shape: [rows, terms], part: 'rows' },
    { op: 'dense', weights, shape: [rows, outputs] },
    { op: 'reshape', attributes: { shape: [-1, ...before.slice(1), outputs] }, shape: [...before, outputs] },
  ]);
};

/** [K, M] -> [M, K]. */
function transposed({ shape, data }: Tensor): Tensor {
  const [terms, outputs] = shape as [number, number];
  const turned = new Float32Array(data.length);
  for (let k = 0; k < terms; k++) for (let m = 0; m < outputs; m++) turned[m * terms + k] = data[k * outputs + m]!;
  return { shape: [outputs, terms], data: turned };
}
