/** Constant: known at load, so no layer comes of it. */
import { quoteList } from '../../../network/spelling.ts';
import type { Mapping } from '../translation.ts';

export const constant: Mapping = (t) => {
  const { attributes, output: name } = t;
  const tensor = attributes.tensor('value');
  if (tensor) {
    t.fold({ ...t.readTensor(tensor), name });
    return;
  }
  const floats = attributes.has('value_float') ? [attributes.float('value_float', 0)] : attributes.floats('value_floats');
  if (floats) {
    const shape = attributes.has('value_float') ? [] : [floats.length];
    t.fold({ name, shape, type: 'FLOAT', data: Float32Array.from(floats) });
    return;
  }
  const integers = attributes.has('value_int') ? [attributes.integer('value_int', 0)] : attributes.integers('value_ints');
  if (!integers) throw t.refuse(`the value ${quoteList(attributes.unread())} is not supported`);
  const shape = attributes.has('value_int') ? [] : [integers.length];
  t.fold({ name, shape, type: 'INT64', data: Float64Array.from(integers) });
};
