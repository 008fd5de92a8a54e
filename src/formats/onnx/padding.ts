/**
 * Windows of convolution and pooling: `auto_pad` becomes explicit pads once, from the input size, so that nothing
 * later has to know about it. Formulas: ONNX operator specification, Conv and MaxPool.
 */

export interface Windows {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** top, left, bottom, right */
  readonly padding: readonly number[];
  /** Output height and width. */
  readonly output: readonly number[];
  /** True when the pads hold for this input size only (SAME with a stride above 1). */
  readonly sizeBound: boolean;
}

export interface WindowRequest {
  /** Input height and width. */
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly autoPad: string;
  /** As in the file: all begins, then all ends. */
  readonly pads: readonly number[];
  readonly ceil: boolean;
}

/** Pads and output size of both axes; undefined when `auto_pad` is an unknown word. */
export function resolveWindows(request: WindowRequest): Windows | undefined {
  const { input, kernel, stride, dilation, autoPad, ceil } = request;
  const axes = [0, 1].map((axis) => {
    const size = input[axis]!;
    const step = stride[axis]!;
    const extent = dilation[axis]! * (kernel[axis]! - 1) + 1;
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
      const output = Math.ceil(size / step);
      const total = Math.max((output - 1) * step + extent - size, 0);
      const smaller = total >> 1;
      const before = autoPad === 'SAME_UPPER' ? smaller : total - smaller;
      return { before, after: total - before, output };
    }
    const before = autoPad === 'VALID' ? 0 : request.pads[axis]!;
    const after = autoPad === 'VALID' ? 0 : request.pads[axis + 2]!;
    return { before, after, output: windowCount(size, extent, step, before, after, ceil) };
  });
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER', ''].includes(autoPad)) return undefined;
  return {
    kernel,
    stride,
    dilation,
    padding: [axes[0]!.before, axes[1]!.before, axes[0]!.after, axes[1]!.after],
    output: axes.map((axis) => axis.output),
    sizeBound: autoPad.startsWith('SAME') && stride.some((step) => step > 1),
  };
}

/** Windows along one axis. With `ceil` a last window that would begin behind the input and its first pad is left out. */
function windowCount(size: number, extent: number, step: number, before: number, after: number, ceil: boolean): number {
  const steps = (size + before + after - extent) / step;
  if (steps < 0) return 0;
  const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  return ceil && (count - 1) * step >= size + before ? count - 1 : count;
}
