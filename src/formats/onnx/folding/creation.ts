/** Constants that are made: of the shape of a tensor, filled, counted up, or in another number type. */
import { elementCount } from '../../../network/validate.ts';
import { isReal, typeName, type OnnxTensor } from '../tensor.ts';
import type { Evaluator, NodeTranslation } from '../translation.ts';

/** Shape of any tensor, computed or not, from `start` to `end`. */
export const shape: Evaluator = (t) => {
  const from = t.shapeOf(0);
  const sizes = from.slice(t.attributes.integer('start', 0), t.attributes.has('end') ? t.attributes.integer('end', 0) : from.length);
  return { name: t.output, shape: [sizes.length], type: 'INT64', data: Float64Array.from(sizes) };
};

export const size: Evaluator = (t) => ({ name: t.output, shape: [], type: 'INT64', data: Float64Array.of(elementCount(t.shapeOf(0))) });

export const constantOfShape: Evaluator = (t) => {
  const wanted = t.integers(0, 'the shape');
  if (!wanted) throw t.invalid('the shape is missing');
  const bytes = t.attributes.tensor('value');
  const value: OnnxTensor = bytes ? t.readTensor(bytes) : { name: '', shape: [1], type: 'FLOAT', data: new Float32Array(1) };
  if (value.data.length !== 1) throw t.invalid(`the value has the shape [${value.shape}]`);
  if (!wanted.every((length) => length >= 0)) throw t.invalid(`the shape [${wanted}] is wrong`);
  const count = t.claim(wanted, 'filled');
  const data = value.data instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
  if (value.data[0] !== 0) data.fill(value.data[0]!);
  return { name: t.output, shape: wanted, type: value.type, data };
};

/** start, start + delta, ... before limit. */
export const range: Evaluator = (t) => {
  const [start, limit, delta] = ['the start', 'the limit', 'the delta'].map((what, index) => {
    const { data, shape: found } = t.constant(index, what);
    if (data.length !== 1) throw t.invalid(`${what} has the shape [${found}]`);
    return data[0]!;
  }) as [number, number, number];
  const { data: like, type } = t.constant(0, 'the start');
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!Number.isFinite(count)) throw t.invalid(`a range from ${start} to ${limit} by ${delta} has no end`);
  const length = t.claim([count]);
  const at = (_: unknown, index: number): number => start + index * delta;
  const data = like instanceof Float32Array ? Float32Array.from({ length }, at) : Float64Array.from({ length }, at);
  return { name: t.output, shape: [count], type, data };
};

/** Number type that Cast asks for; a name instead of a code before version 6. */
export function castType(t: NodeTranslation): string {
  t.attributes.ignore('saturate', 'round_mode'); // only for types of 8 bits and less
  return t.opset < 6 ? t.attributes.text('to', '') : typeName(t.attributes.integer('to', 0));
}

export const cast: Evaluator = (t) => converted(t, castType(t));

export const castLike: Evaluator = (t) => {
  t.attributes.ignore('saturate', 'round_mode');
  return converted(t, t.constant(1, 'the target type').type);
};

function converted(t: NodeTranslation, type: string): OnnxTensor {
  const x = t.constant(0, 'operand 1');
  const result = (data: OnnxTensor['data']): OnnxTensor => ({ name: t.output, shape: x.shape, type, data });
  if (isReal(type)) return result(x.data instanceof Float32Array ? x.data : Float32Array.from(x.data));
  if (type === 'BOOL') return result(Float64Array.from(x.data, (value) => (value === 0 ? 0 : 1)));
  const [, unsigned, bits] = /^(U?)INT(\d+)$/.exec(type) ?? [];
  if (bits) {
    const whole = Float64Array.from(x.data, (value) => Math.trunc(value) || 0);
    // What does not fit wraps around in other engines, or not. Here 64 bits stand for as many as there are.
    const [least, end] = unsigned ? [0, 2 ** Number(bits)] : [-(2 ** (Number(bits) - 1)), 2 ** (Number(bits) - 1)];
    const outside = bits === '64' ? undefined : whole.find((value) => value < least || value >= end);
    if (outside !== undefined) throw t.refuse(`${outside} does not fit into ${type}`, 'to');
    return result(whole);
  }
  throw t.refuse(`a cast to ${type} is not supported`, 'to');
}
