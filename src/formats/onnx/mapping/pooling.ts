/** MaxPool, AveragePool, LpPool, GlobalAveragePool, GlobalMaxPool. */
import type { Attributes } from '../../../network/network.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import { checkAxes, emitImage, forImage, imageOf } from './image.ts';
import { readWindows } from './windows.ts';

export const maxPool: Mapping = (t) => {
  if (t.isUsed(1)) throw t.refuse('its second output (indices) is used');
  // Only the indices know about it.
  t.attributes.ignore('storage_order');
  pool(t, 'max_pool', {});
};

export const averagePool: Mapping = (t) => {
  pool(t, 'average_pool', { countIncludePad: t.attributes.integer('count_include_pad', 0) !== 0 });
};

export const lpPool: Mapping = (t) => {
  // A real number in the first version.
  const p = t.opset < 2 ? t.attributes.float('p', 2) : t.attributes.integer('p', 2);
  pool(t, 'lp_pool', { p });
};

function pool(t: NodeTranslation, op: string, more: Attributes): void {
  const stated = t.attributes.integers('kernel_shape');
  if (!stated) throw t.invalid('kernel_shape is missing');
  const axes = stated.length;
  checkAxes(t, axes);
  const kernel = forImage(stated, axes, 1);
  const ceil = t.attributes.integer('ceil_mode', 0) !== 0;
  const image = imageOf(t, axes);
  const { x } = image;
  const { stride, padding, dilation, output } = readWindows(t, x.shape.slice(2), kernel, axes, ceil);
  emitImage(t, image, {
    op,
    inputs: [x],
    attributes: { kernel, stride, padding, dilation, ceil, ...more },
    shape: [x.shape[0]!, x.shape[1]!, ...output],
  });
}

function globalPool(op: string): Mapping {
  return (t) => {
    const image = imageOf(t);
    const { x } = image;
    emitImage(t, image, { op, inputs: [x], shape: [x.shape[0]!, x.shape[1]!, 1, 1] });
  };
}

export const globalAveragePool = globalPool('global_average_pool');
export const globalMaxPool = globalPool('global_max_pool');
