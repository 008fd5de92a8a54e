/** Softmax and LogSoftmax. */
import type { Shape } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import { axisOf } from '../axes.ts';
import type { Mapping } from '../translation.ts';
import { reshapeTo } from './reshaping.ts';

/**
 * From version 13 on along one axis; before, over all axes from `axis` on together (the input is read as a matrix).
 * That is one axis when the others have size 1, else it takes a reshape there and back.
 */
function along(op: string): Mapping {
  return (t) => {
    const stated = t.attributes.integer('axis', t.opset < 13 ? 1 : -1);
    const x = t.runtime(0);
    const axis = axisOf(t, stated, x.shape);
    const isOne = (at: number): boolean => x.shape[at] === 1 && x.grown[at] === 1;
    const merged = t.opset < 13 ? x.shape.flatMap((_, at) => (at >= axis && !isOne(at) ? [at] : [])) : [axis];
    if (merged.length <= 1) {
      t.emit({ op, inputs: [x], attributes: { axis: merged[0] ?? axis }, shape: x.shape });
      return;
    }
    if (merged[0] === 0) throw t.refuseShape('a softmax over the batch and other axes together is not supported');
    const together = (shape: Shape): Shape => [...shape.slice(0, axis), elementCount(shape.slice(axis))];
    const flat = reshapeTo(t, x, { shape: together(x.shape), grown: together(x.grown), part: 'flat' });
    const result = t.emit({ op, inputs: [flat], attributes: { axis }, shape: flat.shape, part: op });
    reshapeTo(t, result, { shape: x.shape, grown: x.grown });
  };
}

export const softmax = along('softmax');
export const logSoftmax = along('log_softmax');
