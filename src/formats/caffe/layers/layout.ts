/** Concat, Flatten, Reshape. */
import type { Mapping } from '../translation.ts';

export const concat: Mapping = (t) => {
  const p = t.param('concat_param');
  const axis = p.integer('axis', p.integer('concat_dim', 1));
  if (axis < 1) throw t.refuse(`joining along axis ${axis} is not supported`);
  if (t.inputs.length === 0) throw t.invalid('has no bottoms');
  t.emit({ op: 'concat', attributes: { axis } });
};

export const flatten: Mapping = (t) => {
  t.takes(1);
  const p = t.param('flatten_param');
  if (p.integer('axis', 1) !== 1 || p.integer('end_axis', -1) !== -1) throw t.refuse('only all axes behind the batch can be flattened');
  t.emit({ op: 'flatten', attributes: { axis: 1 } });
};

/** 0 copies an axis, -1 takes what is left. */
export const reshape: Mapping = (t) => {
  t.takes(1);
  const p = t.param('reshape_param');
  if (p.integer('axis', 0) !== 0 || p.integer('num_axes', -1) !== -1) throw t.refuse('reshaping some of the axes is not supported');
  const dims = p.messages('shape').at(-1)?.integers('dim') ?? [];
  if (dims.length === 0) throw t.invalid('the shape is missing');
  if (dims[0] !== 0 && dims[0] !== -1) throw t.refuse(`a fixed batch (${dims[0]}) is not supported; 0 keeps it`);
  t.emit({ op: 'reshape', attributes: { shape: dims } });
};
