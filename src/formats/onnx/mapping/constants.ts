/** Constant and ConstantOfShape: known at load, so no layer comes of them. */
import { quoteList } from '../../../network/spelling.ts';
import { elementCount } from '../../../network/validate.ts';
import type { OnnxTensor } from '../tensor.ts';
import type { Mapping } from '../translation.ts';

/** Most elements that a few bytes of a file may ask for (1 GiB of float32). */
const FILL_LIMIT = 2 ** 28;

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

export const constantOfShape: Mapping = (t) => {
  const shape = t.integers(0, 'the shape');
  if (!shape) throw t.invalid('the shape is missing');
  const bytes = t.attributes.tensor('value');
  const value: OnnxTensor = bytes ? t.readTensor(bytes) : { name: '', shape: [1], type: 'FLOAT', data: new Float32Array(1) };
  if (value.data.length !== 1) throw t.invalid(`the value has the shape [${value.shape}]`);
  const count = elementCount(shape);
  if (!shape.every((size) => size >= 0)) throw t.invalid(`the shape [${shape}] is wrong`);
  if (count > FILL_LIMIT) throw t.refuse(`a constant of shape [${shape}] is too large`);
  const data = value.data instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
  if (value.data[0] !== 0) data.fill(value.data[0]!);
  t.fold({ name: t.output, shape, type: value.type, data });
};
