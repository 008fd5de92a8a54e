/** Conv, MaxPool, AveragePool, GlobalAveragePool. */
import type { Tensor } from '../../../network/network.ts';
import { resolveWindows, type Windows } from '../padding.ts';
import type { Mapping, NodeTranslation, RuntimeOperand } from '../translation.ts';

/** Conv: x [N, C, H, W], weight [M, C / groups, kh, kw], bias [M]. */
export const conv: Mapping = (t) => {
  const weight = t.weight(1, 'the weight W');
  refuseOtherThan2d(t, weight.shape.length - 2);
  const kernel = weight.shape.slice(2);
  const stated = t.attributes.integers('kernel_shape');
  if (stated && stated.join() !== kernel.join()) {
    throw t.invalid(`kernel_shape [${stated}] does not fit the weight [${weight.shape}]`);
  }
  const groups = t.attributes.integer('group', 1);
  const x = image(t);
  const windows = readWindows(t, x, kernel, false);
  const [maps, perGroup] = weight.shape as [number, number];
  if (groups < 1 || maps % groups !== 0 || x.shape[1] !== perGroup * groups) {
    const needed = perGroup * groups;
    throw t.invalid(`weight [${weight.shape}] in ${groups} groups needs ${needed} channels, the input is [${x.shape}]`);
  }
  const bias: Tensor | undefined = t.operand(2) ? t.weight(2, 'the bias B', [maps]) : undefined;
  const { stride, padding, dilation } = windows;
  t.emit({
    op: 'conv2d',
    inputs: [x.name],
    attributes: { stride, padding, dilation, groups },
    weights: { weight, bias },
    shape: [x.shape[0]!, maps, ...windows.output],
  });
};

export const maxPool: Mapping = (t) => {
  if (t.isUsed(1)) throw t.refuse('its second output (indices) is used');
  const order = t.attributes.integer('storage_order', 0);
  if (order !== 0) throw t.refuse(`storage_order ${order} is not supported`, 'storage_order');
  pool(t, 'max_pool', {});
};

export const averagePool: Mapping = (t) => {
  pool(t, 'average_pool', { countIncludePad: t.attributes.integer('count_include_pad', 0) !== 0 });
};

export const globalAveragePool: Mapping = (t) => {
  const x = t.runtime(0);
  refuseOtherThan2d(t, x.shape.length - 2, true);
  t.emit({ op: 'global_average_pool', inputs: [x.name], shape: [x.shape[0]!, x.shape[1]!, 1, 1] });
};

function pool(t: NodeTranslation, op: string, more: Record<string, boolean>): void {
  const kernel = t.attributes.integers('kernel_shape');
  if (!kernel) throw t.invalid('kernel_shape is missing');
  refuseOtherThan2d(t, kernel.length);
  const ceil = t.attributes.integer('ceil_mode', 0) !== 0;
  const x = image(t);
  const { stride, padding, dilation, output } = readWindows(t, x, kernel, ceil);
  t.emit({
    op,
    inputs: [x.name],
    attributes: { kernel: [...kernel], stride, padding, dilation, ceil, ...more },
    shape: [x.shape[0]!, x.shape[1]!, ...output],
  });
}

function refuseOtherThan2d(t: NodeTranslation, axes: number, fromInput = false): void {
  if (axes === 2) return;
  const reason = `${axes}-D ${t.node.op} is not supported, only 2-D`;
  throw fromInput ? t.refuseShape(reason) : t.refuse(reason);
}

function image(t: NodeTranslation): RuntimeOperand {
  const x = t.runtime(0);
  if (x.shape.length !== 4) throw t.invalid(`the input [${x.shape}] has ${x.shape.length} axes instead of 4`);
  return x;
}

/** Reads strides, dilations, pads and auto_pad, and resolves them for this input. */
function readWindows(t: NodeTranslation, x: RuntimeOperand, kernel: readonly number[], ceil: boolean): Windows {
  const list = (name: string, fallback: readonly number[], least: number): readonly number[] => {
    const values = t.attributes.integers(name) ?? fallback;
    if (values.length !== fallback.length) throw t.invalid(`${name} [${values}] needs ${fallback.length} numbers`);
    if (values.some((value) => value < 0) && least === 0) throw t.refuse(`negative ${name} [${values}] are not supported`, name);
    if (values.some((value) => value < least)) throw t.invalid(`${name} [${values}] must be at least ${least}`);
    return values;
  };
  if (kernel.some((size) => size < 1)) throw t.invalid(`the kernel [${kernel}] is empty`);
  const autoPad = t.attributes.text('auto_pad', 'NOTSET');
  const windows = resolveWindows({
    input: x.shape.slice(2),
    kernel,
    stride: list('strides', [1, 1], 1),
    dilation: list('dilations', [1, 1], 1),
    pads: list('pads', [0, 0, 0, 0], 0),
    autoPad,
    ceil,
  });
  if (!windows) throw t.refuse(`auto_pad '${autoPad.slice(0, 20)}' is not supported`, 'auto_pad');
  if (windows.sizeBound) {
    t.note(`'${t.name}': auto_pad ${autoPad} became the padding [${windows.padding}], which holds for this input size`);
  }
  return windows;
}
